/// When checkpoints are due, and what a run's time is said to have been spent on.
module Scae.Tests.Runs.SupervisorTests

open System
open System.Threading
open Expecto
open Scae.Cli.Runs
open Scae.Core.Training
open Scae.Tests.Claims

let private spentBefore = Spent(1000.0, 200.0, 30.0, 1240.0, Nullable())

let private evaluated: Progress =
    Evaluated({ Epoch = 1; Step = 1; TrainLoss = 1.0; TrainTerms = []; Metrics = [] }, true)

let private every (seconds: float) : Supervisor =
    Supervisor(CancellationToken.None, TimeSpan.FromSeconds seconds, RunClock(spentBefore), ignore)

[<Tests>]
let tests =
    testList
        "Runs.Supervisor"
        [
            testCase "a checkpoint is due when enough time has passed, however many steps were done in it"
            <| fun () ->
                (every 0.0).ShouldSave() |> shouldEqual true
                (every 3600.0).ShouldSave() |> shouldEqual false
                let supervisor = every 0.2

                // A step of a fiftieth of the time between two checkpoints, until it has passed.
                for step in 1..75 do
                    Thread.Sleep 4
                    supervisor.Report(Stepped(step, 1.0))

                supervisor.ShouldSave() |> shouldEqual true

            testCase "after a checkpoint or an evaluation the time begins anew"
            <| fun () ->
                for report in [ SaveDue; evaluated ] do
                    let supervisor = every 30.0
                    supervisor.Report report
                    supervisor.ShouldSave() |> shouldEqual false

                    let always = every 0.0
                    always.Report report
                    always.ShouldSave() |> shouldEqual true

            testCase "time is added to what earlier sessions took, and a step's is in milliseconds"
            <| fun () ->
                let clock = RunClock(spentBefore)
                clock.Spent.Step |> shouldEqual (Nullable())
                clock.MedianStep 500 |> shouldBeNear 1e-9 2000.0
                clock.Mark()
                Thread.Sleep 20
                clock.Stepped()
                let step = clock.Spent.Train - 1000.0
                step |> shouldBeAtLeast 0.019
                clock.Spent.Step.Value |> shouldBeIn (990.0 * step, 1010.0 * step)
                clock.MedianStep 500 |> shouldEqual clock.Spent.Step.Value

                clock.Mark()
                Thread.Sleep 20
                clock.Evaluated()
                clock.Mark()
                Thread.Sleep 20
                clock.Drew()
                let spent = clock.Spent
                let evaluate, figures = spent.Evaluate - 200.0, spent.Figures - 30.0
                evaluate |> shouldBeAtLeast 0.019
                figures |> shouldBeAtLeast 0.019
                spent.Total |> shouldBeAtLeast (1240.0 + step + evaluate + figures)

            testCase "each report is timed as what it says"
            <| fun () ->
                let clock = RunClock(Spent())
                let told = ResizeArray<Progress>()

                let supervisor =
                    Supervisor(CancellationToken.None, TimeSpan.FromHours 1.0, clock, fun progress -> told.Add progress)

                clock.Mark()
                Thread.Sleep 10
                supervisor.Report(Stepped(1, 1.0))
                let train = clock.Spent.Train
                train |> shouldBeAtLeast 0.009
                clock.Spent.Evaluate |> shouldEqual 0.0
                Thread.Sleep 10
                supervisor.Report evaluated
                clock.Spent.Train |> shouldEqual train
                clock.Spent.Evaluate |> shouldBeAtLeast 0.009
                List.ofSeq told |> shouldEqual [ Stepped(1, 1.0); evaluated ]
        ]
