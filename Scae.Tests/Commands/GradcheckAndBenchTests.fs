/// The commands that judge the program itself: its gradients and its steps.
module Scae.Tests.Commands.GradcheckAndBenchTests

open Expecto
open Scae.Tests.Claims
open Scae.Tests.Commands.CommandLine
open Scae.Tests.Turns

[<Tests>]
let tests =
    inTurn
        "Commands.GradcheckAndBench"
        [
            testCase "gradcheck passes, and its gradients are those of the seed"
            <| fun () ->
                (run [ "gradcheck"; "constellations" ]).ExitCode |> shouldEqual 0

                // Its keys' biases have a gradient of 0 beside differences of the loss's rounding.
                let small = [ "--width"; "8"; "--layers"; "1"; "--heads"; "2"; "--set-outputs"; "4" ]
                (run ([ "gradcheck"; "ccae"; "--preset"; "quick" ] @ small)).ExitCode |> shouldEqual 0

                let checkedWith (seed: string) =
                    let rows =
                        (json (run [ "gradcheck"; "constellations"; "--json"; "--seed"; seed ]).Output).EnumerateArray()

                    [
                        for row in rows ->
                            [ "gradient_norm"; "relative_error" ]
                            |> List.map (fun name -> (row |> property name).GetDouble())
                    ]

                // Gradients are those of the seed, and errors aren't gradients.
                checkedWith "1" |> List.map List.head |> shouldDiffer (checkedWith "2" |> List.map List.head)
                checkedWith "1" |> List.map List.last |> List.max |> shouldBeAtMost 1e-6
                checkedWith "1" |> List.map List.head |> List.max |> shouldBeGreaterThan 1e-3

            testCase "bench reports every part of a step"
            <| fun () ->
                let result = run [ "bench"; "constellations"; "--steps"; "20"; "--json" ]
                result.ExitCode |> shouldEqual 0
                let row = (json result.Output)[0]
                let number name = (row |> property name).GetDouble()
                let parts = [ "ms_data"; "ms_forward"; "ms_backward"; "ms_update" ] |> List.map number

                for part in parts do
                    part |> shouldBeGreaterThan 0.0

                // Each is a median of its own, so they add up only nearly.
                number "ms_per_step" |> shouldBeAtLeast (0.5 * List.sum parts)
                number "operations" |> shouldBeGreaterThan 20.0
                number "bytes_allocated_per_step" |> shouldBeIn (0.0, 10_000.0)
        ]
