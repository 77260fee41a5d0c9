/// What training disturbs the iterations with: each has inputs and noise of its own.
module Scae.Tests.Models.NeuralEMDisturbancesTests

open Expecto
open Scae.Core.Models
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Models.NeuralEMTests
open Scae.Tests.Values

let private disturbed (variant: string) : NeuralEMConfig =
    { (Map.ofList variants).[variant] with
        FreshInput = true
        Core.StateNoise = 0.5
    }

[<Tests>]
let tests =
    testList
        "Models.NeuralEMDisturbances"
        [
            for variant in [ "the small program"; "the paper"; "a spread start" ] do
                testCase $"each M-step sees a copy of its own, and each state has noise of its own ({variant})"
                <| fun () ->
                    let config = disturbed variant
                    let model = random config Dtype.Float64 3
                    let batch = batch config 3 Dtype.Float64 5
                    let found = NeuralEM.unroll config model batch
                    found |> shouldHaveLength config.Iterations
                    let input t = (batch.Input.select (1, t)).unsqueeze 1
                    // Copies that were alike would prove nothing.
                    read (input 0) |> shouldDiffer (read (input 1))

                    let noise t =
                        match batch.StateNoise with
                        | Some noise -> noise.select (0, t)
                        | None -> failtest "no noise"

                    let first =
                        match model.Start with
                        | Some start -> start + batch.Noise
                        | None ->
                            let nothing = found.Head.State.zerosLike ()
                            NeuralEM.mStep config model nothing (batch.Noise * input 0)

                    found.Head.State |> shouldAgree 1e-9 (first + noise 0)

                    for i, (before, next) in List.indexed (List.pairwise found) do
                        let delta = before.Responsibilities * (input (i + 1) - before.Means)

                        next.State |> shouldAgree 1e-9 (NeuralEM.mStep config model before.State delta + noise (i + 1))
        ]
