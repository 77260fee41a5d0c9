/// When checkpoints are due, and what a run's time is said to have been spent on.
module Scae.Tests.Runs.SupervisorTests

open System
open System.Threading
open Expecto
open Scae.Cli.Runs
open Scae.Core.Training
open Scae.Tests.Claims
open Scae.Tests.Reports

let private evaluated: Progress =
    Evaluated({ Epoch = 1; Step = 1; TrainLoss = 1.0; TrainTerms = []; Metrics = [] }, true)

/// A supervisor that asks for a checkpoint every minute.
let private everyMinute (time: ToldClock) : Supervisor =
    Supervisor(CancellationToken.None, TimeSpan.FromMinutes 1L, RunClock(Spent(), time), time, ignore)

[<Tests>]
let tests =
    testList
        "Runs.Supervisor"
        [
            testCase "a checkpoint is due when enough time has passed, however many steps were done in it"
            <| fun () ->
                let time = ToldClock()
                let supervisor = everyMinute time

                for step in 1..59 do
                    time.Pass 1000L
                    supervisor.Report(Stepped(step, 1.0))
                    supervisor.ShouldSave() |> shouldEqual false

                time.Pass 1000L
                supervisor.Report(Stepped(60, 1.0))
                supervisor.ShouldSave() |> shouldEqual true

            testCase "after a checkpoint or an evaluation the time begins anew"
            <| fun () ->
                for report in [ SaveDue; evaluated ] do
                    let time = ToldClock()
                    let supervisor = everyMinute time
                    time.Pass 61000L
                    supervisor.ShouldSave() |> shouldEqual true
                    supervisor.Report report
                    supervisor.ShouldSave() |> shouldEqual false
                    time.Pass 60000L
                    supervisor.ShouldSave() |> shouldEqual true

            testCase "each report is timed as what it says, and passed on"
            <| fun () ->
                let time = ToldClock()
                let clock = RunClock(Spent(), time)
                let told = ResizeArray<Progress>()

                let supervisor =
                    Supervisor(
                        CancellationToken.None,
                        TimeSpan.FromMinutes 1L,
                        clock,
                        time,
                        fun progress -> told.Add progress
                    )

                let reports = [ Stepped(1, 1.0); evaluated; SaveDue; Stepped(2, 0.5) ]

                for seconds, report in List.zip [ 1L; 10L; 100L; 3L ] reports do
                    time.Pass(1000L * seconds)
                    supervisor.Report report

                (clock.Spent.Train, clock.Spent.Evaluate, clock.Spent.Figures, clock.Spent.Total)
                |> shouldEqual (4.0, 10.0, 0.0, 114.0)

                List.ofSeq told |> shouldEqual reports

            testCase "time is added to what earlier sessions took, and a step's is in milliseconds"
            <| fun () ->
                let time = ToldClock()
                let clock = RunClock(Spent(1000.0, 200.0, 30.0, 1240.0, Nullable()), time)
                clock.Spent.Step |> shouldEqual (Nullable())
                // The mean of 1,000 seconds, where there is no median.
                clock.MedianStep 500 |> shouldEqual 2000.0

                for milliseconds in [ 20L; 500L; 30L ] do
                    clock.Mark()
                    time.Pass milliseconds
                    clock.Stepped()

                clock.Mark()
                time.Pass 4000L
                clock.Evaluated()
                clock.Mark()
                time.Pass 5000L
                clock.Drew()
                let spent = clock.Spent
                spent.Train |> shouldBeNear 1e-9 1000.55
                spent.Evaluate |> shouldBeNear 1e-9 204.0
                spent.Figures |> shouldBeNear 1e-9 35.0
                spent.Total |> shouldBeNear 1e-9 1249.55
                // To half a per cent.
                spent.Step.Value |> shouldBeNear 0.15 30.0
                clock.MedianStep 500 |> shouldEqual spent.Step.Value
        ]
