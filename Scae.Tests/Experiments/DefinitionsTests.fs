/// Models that are copies of others, with functions of one's own.
module Scae.Tests.Experiments.DefinitionsTests

open Expecto
open Scae.Core.Configuration
open Scae.Core.Experiments
open Scae.Core.Layers
open Scae.Core.Training
open Scae.Tests.Claims
open Scae.Tests.Training

let private original = ConstellationsExperiment.definition

/// The small program whose loss has one more term, λ times the sum of the squares of its parameters.
let private decayed (lambda: float) : Task =
    let definition =
        { original with
            Loss =
                fun settings capsules batch ->
                    let loss = original.Loss settings capsules batch
                    let squares = [ for _, weight in Parameters.named capsules -> (weight * weight).sum() ]
                    let decay = List.reduce (+) squares * lambda
                    { loss with Total = loss.Total + decay; Terms = ("decay", decay) :: loss.Terms }
        }

    let specification = Specification.embedded "constellations"
    let preset = { specification.Presets.Head with Name = "decay"; Model = None }

    let experiment =
        Experiment.ofSpecification
            { specification with Presets = [ preset ] }
            [ "decay", Variant.ofDefinition definition ]

    Experiment.configure
        experiment
        preset
        [ "epochs", "1"; "steps-per-epoch", "20"; "validation-size", "16"; "test-size", "16" ]
    |> Trained.accepted

let private trained (task: Task) : TrainingState * float =
    let session = Experiment.openSeed task Resources.none 3L |> Trained.accepted
    let state = Trained.start task session |> Trained.until task.Plan.Steps

    let squares =
        session.Learner.Tensors |> List.sumBy (fun (_, weight) -> (weight * weight).sum().toScalar())

    state, squares

[<Tests>]
let tests =
    testList
        "Experiments.Definitions"
        [
            testCase "another term of the loss is trained with and reported"
            <| fun () ->
                let without, heavy = trained (decayed 0.0)
                let within, light = trained (decayed 0.1)
                light |> shouldBeLessThan (0.9 * heavy)
                let terms (state: TrainingState) = (List.last state.Evaluations).TrainTerms |> List.map fst
                terms within |> shouldEqual [ "decay" ]
                (List.last without.Evaluations).TrainTerms |> shouldEqual [ "decay", 0.0 ]

            testCase "its gradient is checked with that of the others"
            <| fun () ->
                let compared = Experiment.checkGradient (decayed 0.1) Resources.none 0L |> Trained.accepted

                compared |> shouldHaveSome

                for comparison in compared do
                    comparison.RelativeError |> shouldBeLessThan 1e-5

            testCase "each experiment's definition is the one that its presets train"
            <| fun () ->
                let variant = Variant.ofDefinition original
                let experiment = Experiments.find "constellations" |> Trained.accepted
                let preset = Experiments.preset None experiment |> Trained.accepted
                let names (settings: Setting list) = settings |> List.map (fun setting -> setting.Name, setting.Default)
                names (variant.Settings preset) |> shouldEqual (names (experiment.Settings preset))
        ]
