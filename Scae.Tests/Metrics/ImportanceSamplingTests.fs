module Scae.Tests.Metrics.ImportanceSamplingTests

open System
open Scae.Tests.Claims
open Expecto
open Scae.Core.Metrics

[<Tests>]
let tests =
    testList
        "Metrics.ImportanceSampling"
        [
            testCase "one draw is the mean of its weights in each form"
            <| fun () ->
                let weights = [| [| -3.0; -1.0; -2.0; -6.0 |] |]
                ImportanceSampling.asPublished weights |> shouldBeNear 1e-12 -3.0
                ImportanceSampling.perFrame weights |> shouldBeNear 1e-12 -3.0
                ImportanceSampling.perSequence 2 weights |> shouldBeNear 1e-12 -3.0

            testCase "equal draws change nothing, but that the published form forgets their number"
            <| fun () ->
                let weights = Array.create 10 [| -700.0; -900.0 |]
                ImportanceSampling.asPublished weights |> shouldBeNear 1e-9 (-800.0 + log 10.0)
                ImportanceSampling.perFrame weights |> shouldBeNear 1e-9 -800.0
                ImportanceSampling.perSequence 2 weights |> shouldBeNear 1e-9 -800.0

            testCase "frames with luck in different draws make the form a frame too high"
            <| fun () ->
                let weights = [| [| 0.0; -100.0 |]; [| -100.0; 0.0 |] |]
                ImportanceSampling.perFrame weights |> shouldBeNear 1e-9 (-log 2.0)
                ImportanceSampling.perSequence 2 weights |> shouldBeNear 1e-9 -50.0

            testCase "what isn't whole sequences, or has draws of several lengths, is refused"
            <| fun () ->
                let refusal (estimate: unit -> float) = messageOf<ArgumentException>(estimate >> ignore)

                refusal (fun () -> ImportanceSampling.perSequence 3 [| [| -1.0; -2.0; -3.0; -100.0 |] |])
                |> shouldStartWith "importance sampling: 4 frames aren't sequences of 3"

                refusal (fun () -> ImportanceSampling.asPublished [| [| -1.0 |]; [| -1.0; -2.0 |] |])
                |> shouldStartWith "importance sampling: every draw needs the weights of all frames"

            testCase "impossible draws don't count, NaN is seen, nothing is refused"
            <| fun () ->
                ImportanceSampling.perSequence 1 [| [| Double.NegativeInfinity |]; [| -1.0 |] |]
                |> shouldBeNear 1e-12 (-1.0 - log 2.0)

                ImportanceSampling.perSequence 1 [| [| Double.NegativeInfinity |] |]
                |> shouldEqual Double.NegativeInfinity

                Double.IsNaN(ImportanceSampling.asPublished [| [| nan |]; [| 1.0 |] |]) |> shouldEqual true
                Double.IsNaN(ImportanceSampling.asPublished [| [| 1.0 |]; [| nan |] |]) |> shouldEqual true

                messageOf<ArgumentException>(fun () -> ImportanceSampling.asPublished [||] |> ignore)
                |> shouldContainText "importance sampling: there are no weights"
        ]
