module Scae.Tests.Models.CcaeTests

open System
open Expecto
open Scae.Core.Layers
open Scae.Core.Models
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests
open Scae.Tests.Claims
open Scae.Tests.Gradients

/// The golden sizes; the golden loss leaves out what has no gradient.
let private tiny: CcaeConfig =
    { Ccae.paper with
        Width = 8
        Layers = 2
        Heads = 2
        SetOutputs = 6
        CapsuleHidden = 7
        CapsuleCode = 4
        PriorWithin = 0.0
        PriorBetween = 0.0
    }

let private golden = lazy (Golden.load "ccae")

let private goldenName (name: string) = Option.get (CapsuleNames.golden name)

let private goldenBatch () : CcaeBatch =
    {
        Points = golden.Value.Input "points"
        Presence = golden.Value.Input "presence"
        CapsuleNoise = golden.Value.Noise "capsule"
        VoteNoise = golden.Value.Noise "vote"
    }

let private goldenModel () =
    Ccae.init tiny Dtype.Float64 (Key.OfSeed 0L)
    |> Parameters.mapi (fun name _ -> golden.Value.Parameter(goldenName name))
    |> Parameters.trainable

let private term (name: string) (loss: CcaeLoss) = (loss.Terms |> List.find (fun (n, _) -> n = name) |> snd).toScalar()

let private ofList (xs: float list) (shape: int list) = Values.ofList xs shape

/// Votes at given places with given logits of capsules and presences of votes.
let private votes (places: (float * float) list) (logits: float list) (presence: float list) (scale: float) =
    let k = logits.Length
    let v = places.Length / k

    {
        Poses = ofList (places |> List.collect (fun (x, y) -> [ 1.0; 0.0; x; 0.0; 1.0; y ])) [ 1; k; v; 6 ]
        Logits = ofList logits [ 1; k ]
        Presence = (ofList logits [ 1; k ]).sigmoid()
        VotePresence = ofList presence [ 1; k; v ]
        Scales = Tensor.full ([| 1; k; v |], scale, Dtype.Float64)
        DynamicPenalty = Tensor.scalar (0.0, Dtype.Float64)
    }

[<Tests>]
let tests =
    testList
        "Models.Ccae"
        [
            testCase "the released configuration has 591,957 parameters"
            <| fun () -> Ccae.init Ccae.paper Dtype.Float32 (Key.OfSeed 0L) |> Parameters.count |> shouldEqual 591_957

            testCase "the float64 loss and its terms are the golden ones within 1e-9"
            <| fun () ->
                let loss = Ccae.loss tiny (goldenModel ()) (goldenBatch ())
                abs (loss.Total.toScalar () / golden.Value.Loss - 1.0) |> shouldBeLessThan 1e-9

                for name in [ "likelihood"; "dynamic_penalty"; "win_sparsity" ] do
                    abs (term name loss / golden.Value.Term name - 1.0) |> shouldBeLessThan 1e-9

            testCase "float64 gradients are the golden ones within 1e-9"
            <| fun () ->
                let model = goldenModel ()
                (Ccae.loss tiny model (goldenBatch ())).Total.reverse()

                for name, parameter in Parameters.named model do
                    parameter.derivative |> Golden.shouldAgree (golden.Value.Gradient(goldenName name))

            testCase "the sparsity of counted votes has no gradient, that of presence has"
            <| fun () ->
                let norm (config: CcaeConfig) =
                    let model = goldenModel ()

                    let sparsity = Ccae.priorSparsity config (Ccae.vote config model (goldenBatch ()))

                    // A term with a gradient stands by, so that there is something to reverse.
                    (sparsity.Within + 0.0 * model.Set.Seeds.sum ()).reverse()

                    Parameters.named model
                    |> List.sumBy (fun (_, parameter) -> (parameter.derivative.norm ()).toScalar())

                norm tiny |> shouldEqual 0.0
                norm { tiny with CountedPrior = false } |> shouldBeGreaterThan 0.0

            testCase "counted presence of all capsules in a batch of 32 gives 2.25 and 256"
            <| fun () ->
                let everywhere = Tensor.ones ([| 32; 3; 4 |], Dtype.Float64)

                let all =
                    { votes (List.replicate 12 (0.0, 0.0)) [ 0.0; 0.0; 0.0 ] (List.replicate 12 1.0) 1.0 with
                        VotePresence = everywhere
                    }

                let cost = Ccae.priorSparsity Ccae.paper all
                cost.Within.toScalar () |> shouldBeNear 1e-12 2.25
                cost.Between.toScalar () |> shouldBeNear 1e-12 256.0

            testCase "one vote with presence 1 is a Gaussian beside the dummy in closed form"
            <| fun () ->
                let s, x, y = 0.3, 0.4, -0.2
                let points = ofList [ x; y ] [ 1; 1; 2 ]
                let found = (Ccae.explain points (votes [ 0.1, 0.2 ] [ 0.0 ] [ 1.0 ] s)).LogLikelihood.toScalar()
                let square = (x - 0.1) ** 2.0 + (y - 0.2) ** 2.0
                let density = exp (-square / (2.0 * s * s)) / (2.0 * Math.PI * s * s)
                // Weights 1 and 0.01, normalised; the dummy's density is 0.01 too.
                found |> shouldBeNear 1e-12 (log ((density + 0.01 * 0.01) / 1.01))

            testCase "without any presence the dummy alone is left: −4.605 a point"
            <| fun () ->
                let points = ofList [ 0.3; 0.1; -0.5; 0.9 ] [ 1; 2; 2 ]
                let nobody = votes (List.replicate 4 (0.3, 0.1)) [ 0.0; 0.0 ] (List.replicate 4 0.0) 0.1

                for value in (Ccae.explain points nobody).LogLikelihood.toArray<float>() do
                    value |> shouldBeNear 1e-9 (-2.0 * log 10.0)

            testCase "wins of 4, 1 and 0 are pushed up, off, and left"
            <| fun () ->
                let places = [ 0.0, 0.0; 5.0, 5.0; -5.0, -5.0 ]
                let logits = [ 0.3; -0.7; 1.1 ]
                let points = ofList [ 0.0; 0.0; 0.1; 0.0; 0.0; 0.1; -0.1; 0.0; 5.0; 5.0 ] [ 1; 5; 2 ]
                let explanation = Ccae.explain points (votes places logits [ 0.5; 0.5; 0.5 ] 0.5)
                let all = Tensor.ones ([| 1; 5 |], Dtype.Float64)
                (Ccae.winner explanation).toArray<int>() |> shouldEqual [| 0; 0; 0; 0; 1 |]
                let softplus l = log (1.0 + exp l)
                // −ln σ(0.3) for the first, −ln(1 − σ(−0.7)) for the second, nothing for the third.
                (Ccae.winSparsity all explanation).toScalar() |> shouldBeNear 1e-12 (softplus -0.3 + softplus -0.7)

            testCase "an empty scene costs its sparsity alone and teaches nothing about points"
            <| fun () ->
                let model = goldenModel ()

                let batch = { goldenBatch () with Presence = Tensor.zeros ([| 3; 11 |], Dtype.Float64) }

                let loss = Ccae.loss tiny model batch
                loss.Total.reverse ()
                term "likelihood" loss |> shouldEqual 0.0
                term "win_sparsity" loss |> shouldEqual 0.0

                for _, parameter in Parameters.named model do
                    Double.IsFinite((parameter.derivative.norm ()).toScalar()) |> shouldEqual true

            testCase "absent points have no influence"
            <| fun () ->
                let model = goldenModel ()
                let batch = goldenBatch ()
                let presence = batch.Presence.unsqueeze 2
                let moved = { batch with Points = batch.Points + (1.0 - presence) * 7.0 }
                let first = (Ccae.loss tiny model batch).Total.toScalar()
                (Ccae.loss tiny model moved).Total.toScalar() |> shouldBeNear 1e-9 first

            testCase "owners follow the points into any order"
            <| fun () ->
                let model = goldenModel ()
                let batch = goldenBatch ()
                let order = Array.zeroCreate 11
                (Key.OfSeed 4L).FillPermutation(Span order)

                let mixed =
                    { batch with
                        Points = batch.Points.indexSelect (1, order)
                        Presence = batch.Presence.indexSelect (1, order)
                    }

                let owners (b: CcaeBatch) = Ccae.winner (Ccae.explain b.Points (Ccae.vote tiny model b))
                let first = (owners batch).toArray<int>()
                let moved = Array.init first.Length (fun i -> first[i / 11 * 11 + order[i % 11]])
                (owners mixed).toArray<int>() |> shouldEqual moved

            testCase "all points equal and a batch of one have a finite loss, a NaN among points has none"
            <| fun () ->
                let model = goldenModel ()
                let one (x: Tensor) = x.slice (0, 0, 1)
                let batch = goldenBatch ()

                let batch =
                    {
                        Points = (one batch.Points).fullLike 0.5
                        Presence = one batch.Presence
                        CapsuleNoise = one batch.CapsuleNoise
                        VoteNoise = one batch.VoteNoise
                    }

                Double.IsFinite((Ccae.loss tiny model batch).Total.toScalar()) |> shouldEqual true
                batch.Points.Elements<float>()[3] <- nan
                Double.IsFinite((Ccae.loss tiny model batch).Total.toScalar()) |> shouldEqual false

            testCase "gradients agree with central differences within 1e-6"
            <| fun () ->
                let config = { tiny with CountedPrior = false; PriorWithin = 1.0; PriorBetween = 1.0 }
                let model = goldenModel ()
                let batch = goldenBatch ()

                let moved = Parameters.named model |> List.filter (fun (name, _) -> not (name.EndsWith "key.bias"))

                moved |> shouldHaveTrueGradients 1e-6 (fun () -> (Ccae.loss config model batch).Total)
        ]
