module Scae.Tests.Reports.SweepProgressTests

open System.Collections.Generic
open System.IO
open Expecto
open Scae.Cli.Reports
open Scae.Cli.Runs
open Scae.Tests.Claims

[<Tests>]
let tests =
    testList
        "Reports.SweepProgress"
        [
            testCase "before the first step nobody knows how long"
            <| fun () ->
                let progress = SweepProgress(3L, ToldClock())
                progress.Summary |> shouldEqual "0 of 3 trainings finished"
                progress.Begin("seed 0", 0, 100)
                progress.Line |> shouldEqual "0 of 3 trainings finished; seed 0: begins"

            testCase "time left is in proportion to what was done"
            <| fun () ->
                let clock = ToldClock()
                let progress = SweepProgress(4L, clock)
                progress.Begin("seed 0", 0, 100)
                progress.Begin("seed 1", 0, 100)
                clock.Pass 10_000L
                progress.Stepped("seed 0", 50)
                progress.Stepped("seed 1", 30)

                // 0.8 trainings in ten seconds, 3.2 are left.
                progress.Line
                |> shouldEqual
                    "0 of 4 trainings finished, about 40 s left; seed 0: step 50 of 100; seed 1: step 30 of 100"

                progress.Share |> shouldBeNear 1e-12 0.2

            testCase "what an earlier sweep did doesn't count as time of this one"
            <| fun () ->
                let clock = ToldClock()
                let progress = SweepProgress(3L, clock)
                progress.Finish "seed 0"
                progress.Begin("seed 1", 60, 100)
                progress.Summary |> shouldEqual "1 of 3 trainings finished"
                clock.Pass 10_000L
                progress.Stepped("seed 1", 80)
                // A fifth in ten seconds, and a fifth and a whole one are left.
                progress.Summary |> shouldEqual "1 of 3 trainings finished, about 1 min 00 s left"

            testCase "of a training that failed nothing is left to do"
            <| fun () ->
                let clock = ToldClock()
                let progress = SweepProgress(3L, clock)
                progress.Begin("seed 0", 0, 100)
                clock.Pass 10_000L
                progress.Stepped("seed 0", 50)
                progress.Fail "seed 0"
                progress.Line |> shouldEqual "0 of 3 trainings finished, about 40 s left"
                // One that failed before its first step.
                progress.Fail "seed 1"
                progress.Line |> shouldEqual "0 of 3 trainings finished, about 20 s left"

            testCase "the last training takes what it takes by itself"
            <| fun () ->
                let clock = ToldClock()
                let progress = SweepProgress(2L, clock)
                progress.Begin("seed 0", 0, 100)
                progress.Begin("seed 1", 0, 100)
                clock.Pass 10_000L
                progress.Stepped("seed 0", 100)
                progress.Stepped("seed 1", 50)
                progress.Finish "seed 0"

                progress.Line |> shouldEqual "1 of 2 trainings finished, about 10 s left; seed 1: step 50 of 100"

                clock.Pass 10_000L
                progress.Stepped("seed 1", 100)
                progress.Line |> shouldEqual "1 of 2 trainings finished; seed 1: ends"
                progress.Finish "seed 1"
                progress.Line |> shouldEqual "2 of 2 trainings finished"
                progress.Share |> shouldBeNear 1e-12 1.0

            testCase "in a pipe a line tells from time to time, until the sweep ends"
            <| fun () ->
                use output = new StringWriter(NewLine = "\n")
                let clock = ToldClock()
                let display: ISweepDisplay = PlainSweepDisplay(output, 1L, clock)

                display.Show(fun () ->
                    clock.Ring()
                    display.Finished("seed 0", "seed 0: all is well")
                    List<Summary>())
                |> shouldBeEmpty

                clock.Ring()
                string output |> shouldEqual "0 of 1 trainings finished\nseed 0: all is well\n"

            testCase "a pipe that nobody reads fails the thread that trains, not the clock's"
            <| fun () ->
                use output =
                    { new StringWriter() with
                        override _.WriteLine(_: string | null) : unit = raise (IOException "broken pipe")
                    }

                let clock = ToldClock()
                let display: ISweepDisplay = PlainSweepDisplay(output, 1L, clock)

                display.Show(fun () ->
                    clock.Ring()
                    List<Summary>())
                |> shouldBeEmpty

                Expect.throwsT<IOException>
                    (fun () -> display.Finished("seed 0", "done"))
                    "the thread that trains meets it"
        ]
