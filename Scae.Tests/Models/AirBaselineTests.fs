/// What the baseline of discrete presence learns: to foretell the cost that each step's choice decides.
module Scae.Tests.Models.AirBaselineTests

open Expecto
open Scae.Core.Models
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Models.AirTests
open Scae.Tests.Values

let private configs: (string * AirConfig) list =
    [
        for name in [ "the small program"; "recurrent, relaxed presence" ] do
            name, { (Map.ofList variants)[name] with Presence = AirPresence.Discrete }
    ]

/// A step's choice is made where all steps before it are present.
let private isReached (present: bool list) (t: int) : bool = present |> List.take t |> List.forall id

/// The cost of one scene that each step's choice decides, number by number: pixels, the latents of this step and of later
/// ones that are present, and later choices.
let private decided (config: AirConfig) (inference: AirInference) (batch: AirBatch) (present: bool list) : float list =
    let steps = [ 0 .. config.Steps - 1 ]
    let image = read batch.Images
    let renders = read inference.Renders |> Array.chunkBySize image.Length
    let logits, prior = read inference.Logits, read batch.Prior
    let what = read inference.WhatDivergence

    let where =
        inference.WhereDivergence |> Option.map read |> Option.defaultValue (Array.zeroCreate config.Steps)

    let isThere t = isReached present t && present[t]

    let error i =
        image[i] - (steps |> List.filter isThere |> List.sumBy (fun t -> renders[t][i]))

    let pixels =
        Seq.sumBy (fun i -> error i ** 2.0) (seq { 0 .. image.Length - 1 }) / (2.0 * config.Sigma ** 2.0)

    let ofLatents t =
        if isThere t then
            config.WhatWeight * (what[t] + where[t])
        else
            0.0

    let ofChoice t =
        let q, p = 1.0 / (1.0 + exp -logits[t]), prior[t]

        if isReached present t then
            config.PresenceWeight * (q * log (q / p) + (1.0 - q) * log ((1.0 - q) / (1.0 - p)))
        else
            0.0

    steps
    |> List.map (fun t ->
        let later = steps |> List.skip (t + 1)

        pixels
        + batch.Warmth.toScalar () * (ofLatents t + List.sumBy ofLatents later + List.sumBy ofChoice later))

/// The baseline says the same of every scene.
let private saying (values: float[]) (model: Air) : Air =
    { model with
        Baseline =
            model.Baseline
            |> Option.map (fun baseline ->
                { baseline with
                    Output =
                        {
                            Weight = baseline.Output.Weight.zerosLike ()
                            Bias = Tensor.``of`` (values, values.Length)
                        }
                })
    }

[<Tests>]
let tests =
    testList
        "Models.AirBaseline"
        [
            for label, config in configs do
                for present in [ [ true; true; true ]; [ true; false; true ] ] do
                    testCase
                        $"the baseline learns what each choice decides, where one is made, times 2σ² ({label}, {present})"
                    <| fun () ->
                        let noise = present |> List.map (fun there -> if there then 1e6 else -1e6)

                        let scene =
                            { batch config 1 Dtype.Float64 8 with
                                PresenceNoise = ofList noise [ 1; config.Steps ]
                            }

                        let model = random config Dtype.Float64 7
                        let decided = decided config (AirEncoder.infer config model scene) scene present
                        let reached = [ 0 .. config.Steps - 1 ] |> List.filter (isReached present)
                        let goal t = 2.0 * config.Sigma ** 2.0 * decided[t]

                        // The recurrent encoder's baseline is one network for all steps.
                        let isShared = config.Encoding = AirEncoding.Recurrent
                        let values = if isShared then [| 0.7 |] else [| 0.7; -1.3; 2.1 |]
                        let at t = if isShared then 0 else t

                        let expected (values: float[]) =
                            let sums = Array.zeroCreate<float> values.Length

                            for t in reached do
                                sums[at t] <- sums[at t] + values[at t] - goal t

                            sums

                        for values in [ Array.zeroCreate values.Length; values ] do
                            (gradients config (saying values model) scene).["baseline.output.bias"]
                            |> Array.iter2 (shouldBeNear 1e-9) (expected values)
        ]
