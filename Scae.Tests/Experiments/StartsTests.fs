module Scae.Tests.Experiments.StartsTests

open System
open Expecto
open Scae.Core.Experiments
open Scae.Tensors
open Scae.Tests.Claims

[<Tests>]
let tests =
    testList
        "Experiments.Starts"
        [
            testCase
                "each scene keeps its likeliest start, and one whose quality isn't a number loses against any other"
            <| fun () ->
                // Of each start the qualities of three scenes, and two numbers a scene that tell which start it was.
                let starts = [ [| nan; 1.0; 3.0 |]; [| -5.0; nan; 2.0 |]; [| -6.0; 4.0; nan |] ]
                let quality, own = Tensor.zeros [| 3 |], Tensor.zeros [| 3; 2 |]

                let run (number: int) =
                    let found = starts[number] |> Array.map float32
                    found.CopyTo(quality.Elements<float32>())
                    own.Elements<float32>().Fill(float32 number)

                run 0
                let likeliest = Likeliest(quality, [| own |])
                likeliest.Try(2, int >> run)
                likeliest[0] |> shouldEqual [| 1.0f; 1.0f; 2.0f; 2.0f; 0.0f; 0.0f |]
        ]
