module Scae.Tests.Models.ScaeCalibrationTests

open System
open Expecto
open Scae.Core.Data
open Scae.Core.Layers
open Scae.Core.Models
open Scae.Tensors
open Scae.Tests.Claims

let private config: ScaeConfig =
    { ScaeConfig.paper with
        Canvas = 32
        Channels = 8
        Parts = 4
        Objects = 5
        Features = 3
        SetOutputs = 16
        CapsuleHidden = 12
        Mask = SetMask.Log
    }

let private batch =
    lazy
        (let batch = Scae.allocate config 64
         let digits = StrokeDigits.sample 64 (Key.OfSeed 2L)
         let rows = Array.init 64 id
         CanvasDigits.fill digits (ReadOnlySpan rows) (Key.OfSeed 3L) batch.Images batch.Classes
         batch)

let private model = lazy (Scae.init config Dtype.Float32 (Key.OfSeed 1L))

let private deviations (x: Tensor) = x.flatten(1).std(0, unbiased = false).toArray<float32>() |> Array.map float
let private means (x: Tensor) = x.flatten(1).mean(0).toArray<float32>() |> Array.map float

[<Tests>]
let tests =
    testList
        "Models.ScaeCalibration"
        [
            testCase "features and logits of scaled weights have mean 0 and deviation 1 over images"
            <| fun () ->
                let scaled = ScaeCalibration.scaled config model.Value batch.Value
                let inference = Scae.infer config scaled batch.Value

                for x in [ inference.Parts.Features; inference.Objects.Votes.Logits ] do
                    for deviation in deviations x do
                        deviation |> shouldBeNear 1e-2 1.0

                    for mean in means x do
                        mean |> shouldBeNear 1e-2 0.0

            testCase "weights of poses and presence shrink as much as channels grow; attention and its biases stay"
            <| fun () ->
                let before = model.Value.Encoder
                let after = (ScaeCalibration.scaled config model.Value batch.Value).Encoder
                let numbers (x: Tensor) = x.toArray<float32>() |> Array.map float

                let gain =
                    Array.map2
                        (fun (before: Convolution) (after: Convolution) ->
                            (numbers after.Filters)[0] / (numbers before.Filters)[0])
                        before.Convolutions
                        after.Convolutions
                    |> Array.reduce (*)

                gain |> shouldBeGreaterThan 2.0
                let n, columns = ScaeConfig.partOutputs config, before.Head.Weight.shape[1]
                let isOfParts at = at < config.Parts * n
                let isFeature at = isOfParts at && at % n >= 6 && at % n < n - 1
                let weights, scaled = numbers before.Head.Weight, numbers after.Head.Weight

                for i in 0 .. weights.Length - 1 do
                    let at = i % columns

                    if not (isOfParts at) then
                        scaled[i] |> shouldEqual weights[i]
                    elif not (isFeature at) then
                        scaled[i] * gain |> shouldBeNear (1e-4 * abs weights[i]) weights[i]

                let biases, scaled = numbers before.Head.Bias, numbers after.Head.Bias

                for at in 0 .. columns - 1 do
                    if not (isFeature at) then
                        scaled[at] |> shouldEqual biases[at]

            testCase "without calibration a digit changes a logit by less than a hundredth"
            <| fun () ->
                let logits = (Scae.infer config model.Value batch.Value).Objects.Votes.Logits
                Array.max (deviations logits) |> shouldBeLessThan 1e-2

            testCase "the model that is scaled stays as it was, and the reshape is refused"
            <| fun () ->
                let before = model.Value.Encoder.Head.Weight.toArray<float32>()
                ScaeCalibration.scaled config model.Value batch.Value |> ignore
                model.Value.Encoder.Head.Weight.toArray<float32>() |> shouldEqual before

                Expect.throwsT<ArgumentException>
                    (fun () ->
                        ScaeCalibration.scaled { config with Pooling = PartPooling.Coded } model.Value batch.Value
                        |> ignore)
                    "coded"
        ]
