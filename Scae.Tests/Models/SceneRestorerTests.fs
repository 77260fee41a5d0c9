module Scae.Tests.Models.SceneRestorerTests

open Scae.Tests.Claims
open Expecto
open Scae.Core.Layers
open Scae.Core.Models
open Scae.Tensors
open Scae.Tests.Values

let private config: AirConfig =
    { Air.published with
        Canvas = 12
        Patch = 8
        What = 3
        Hidden = 7
        Features = 6
        GlimpseHidden = 5
        DecoderHidden = 4
        Encoding = AirEncoding.Recurrent
        Presence = AirPresence.Expected
        Restorer = 2
    }

let private drawn () : Air =
    Air.init config Dtype.Float64 (Key.OfSeed 4L)
    |> Parameters.mapi (fun name tensor ->
        tensor
        + Initialization.normal 0.1 Dtype.Float64 (List.ofArray tensor.shape) ((Key.OfSeed 5L).Named name))

let private lit () : AirBatch =
    let batch = Air.allocate config 3
    (Key.OfSeed 6L).FillUniform(batch.Images.Elements<float32>())

    batch.Target |> Option.iter (fun target -> (Key.OfSeed 7L).FillUniform(target.Elements<float32>()))

    Parameters.map (fun tensor -> tensor.cast Dtype.Float64) batch

[<Tests>]
let tests =
    testList
        "Models.SceneRestorer"
        [
            testCase
                "the bound of lit scenes is that of the scenes without their light, and the restorer pays its error"
            <| fun () ->
                let model, lit = drawn (), lit ()

                let restored, error =
                    match model.Restorer, lit.Target with
                    | Some restorer, Some target ->
                        let restored = SceneRestorer.restore config.Canvas restorer lit.Images
                        restored, (SceneRestorer.error restorer restored target).mean().toScalar()
                    | _ -> failtest "no restorer"

                let bound =
                    AirObjective.loss
                        config
                        { model with Restorer = None }
                        { lit with Images = restored; Target = None }

                (AirObjective.loss config model lit).toScalar()
                |> shouldBeNear 1e-9 (bound.toScalar () + error / (2.0 * config.Sigma * config.Sigma))

            testCase "the error is squares beside the mean light, and a price of ink"
            <| fun () ->
                let restorer = SceneRestorer.init 12 2 Dtype.Float64 (Key.OfSeed 1L)
                let restorer = { restorer with Offset = ofList [ 0.1 ] [ 1 ] }
                let restored = ofList [ 0.2; 0.6; 0.5; 0.0 ] [ 2; 2 ]
                let target = ofList [ 0.5; 0.5; 0.6; 1.0 ] [ 2; 2 ]
                // 0.2² + 0.2² + 0.02·0.8 of the first scene, 0² + 0.9² + 0.02·0.5 of the second.
                SceneRestorer.error restorer restored target |> shouldBe [ 0.096; 0.82 ]

            testCase "where gradients don't pass through inputs the restorer learns from its error alone"
            <| fun () ->
                let config = { config with ThroughInputs = false }

                let model, lit = drawn () |> Parameters.trainable, lit ()
                (AirObjective.loss config model lit).reverse()
                let together = read model.Restorer.Value.First.Filters.derivative
                let other = drawn () |> Parameters.trainable
                let restorer = other.Restorer.Value
                let restored = SceneRestorer.restore config.Canvas restorer lit.Images
                let cost = (SceneRestorer.error restorer restored lit.Target.Value).mean()
                (cost * (0.5 / (config.Sigma * config.Sigma))).reverse()

                Array.iter2
                    (fun a b -> shouldBeNear (1e-12 + 1e-9 * abs b) b a)
                    together
                    (read restorer.First.Filters.derivative)

            testCase "a restored scene has the scene's size, whether sides are even or odd"
            <| fun () ->
                for side in [ 12; 13; 14; 15; 50 ] do
                    let restorer = SceneRestorer.init side 2 Dtype.Float64 (Key.OfSeed 1L)
                    let restored = SceneRestorer.restore side restorer (real 1 [ 2; side * side ])
                    restored.shape |> shouldEqual [| 2; side * side |]
                    read restored |> Array.forall (fun v -> v > 0.0 && v < 1.0) |> shouldEqual true
        ]
