module Scae.Tests.Reports.PaceTests

open System
open Expecto
open Scae.Cli.Reports
open Scae.Tests.Claims

let private walk (clock: ToldClock) (pace: Pace) (milliseconds: int64) (steps: int list) =
    for step in steps do
        clock.Pass milliseconds
        pace.Stepped step

[<Tests>]
let tests =
    testList
        "Reports.Pace"
        [
            testCase "no step, no pace"
            <| fun () -> Pace(ToldClock(), 0).Milliseconds |> Double.IsNaN |> shouldEqual true

            testCase "the pace is that of recent steps, not of all since the start"
            <| fun () ->
                let clock = ToldClock()
                let pace = Pace(clock, 100)
                walk clock pace 50L [ 101..200 ]
                pace.Milliseconds |> shouldBeNear 1e-9 50.0
                walk clock pace 10L [ 201..4000 ]
                pace.Milliseconds |> shouldBeNear 0.1 10.0

            testCase "the first step, in which data is made ready, counts until there is another"
            <| fun () ->
                let clock = ToldClock()
                let pace = Pace(clock, 0)
                walk clock pace 9000L [ 1 ]
                pace.Milliseconds |> shouldBeNear 1e-9 9000.0
                walk clock pace 10L [ 2; 3 ]
                pace.Milliseconds |> shouldBeNear 1e-9 10.0

            testCase "time left is told from the first step on, and goes by all steps since"
            <| fun () ->
                let clock = ToldClock()
                let left = TimeLeft(clock, 150)
                clock.Pass 60000L
                left.Stepped 101
                left.Words 101 |> shouldEqual ""
                clock.Pass 9000L
                left.Stepped 110
                left.Words 110 |> shouldEqual "40 s left  "

            testCase "after the last step nobody knows how long what is left takes"
            <| fun () ->
                let clock = ToldClock()
                let left = TimeLeft(clock, 150)
                left.Stepped 149
                clock.Pass 9000L
                left.Stepped 150
                left.Words 150 |> shouldEqual ""

            testCase "time between steps doesn't count"
            <| fun () ->
                let clock = ToldClock()
                let pace = Pace(clock, 0)
                clock.Pass 7000L
                pace.Interrupted()
                walk clock pace 20L [ 1 ]
                clock.Pass 9000L
                pace.Interrupted()
                walk clock pace 20L [ 2 ]
                pace.Milliseconds |> shouldBeNear 1e-9 20.0
        ]
