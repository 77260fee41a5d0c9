namespace Scae.Core.Experiments

open Scae.Core.Configuration
open Scae.Core.Data
open Scae.Core.Layers
open Scae.Core.Losses
open Scae.Core.Models
open Scae.Core.Training

/// Every hyperparameter of the stacked capsule autoencoder; the defaults are the released program's `run_mnist`.
type ScaeSettings =
    {
        Training: TrainingSettings
        Rule: CapsuleRuleSettings
        Descent: DescentSettings
        [<Setting("the step size of templates, colours and background as a multiple of the others'",
                  Min = 0.001,
                  Max = 1000.0)>]
        DecoderRate: float
        [<Setting("steps over which the step size rises to its largest", Min = 1.0)>]
        WarmUp: int
        [<Setting("where single digits come from; auto is mnist where it can be had, else strokes")>]
        Digits: DigitSource
        [<Setting("training digits from which clusters and the fitted probes are learned, at most all",
                  Min = 10.0,
                  Measuring = true)>]
        ProbeSize: int
        [<Setting("training digits are rotated by up to so many degrees either way", Min = 0.0, Max = 180.0)>]
        Rotation: float
        [<Setting("training digits are sheared by up to this either way", Min = 0.0, Max = 1.0)>]
        Shear: float
        [<Setting("each axis of training digits is scaled by 1 ± up to this", Min = 0.0, Max = 0.9)>]
        Zoom: float
        [<Setting("epochs after which training digits lie anywhere that their ink fits on the canvas, and not only their image; 0 for never",
                  Min = 0.0)>]
        AnywhereAfter: int
        [<Setting("epochs after which they are rotated, sheared and scaled by 0.4 times as much; 0 for never", Min = 0.0)>]
        MildAfter: int
        [<Setting("digits that look most like a digit and stand for it in its second view, so many; 0 for none",
                  Min = 0.0)>]
        Neighbours: int
        [<Setting("whether they are sought among five times as many digits, and the most alike compared again with each pixel sought two pixels farther")>]
        SecondLook: bool
        [<Setting("steps from neighbour to neighbour between two views", Min = 1.0)>]
        Wander: int
        [<Setting("epochs after which half as many digits stand for it, and two steps lie between views; 0 for never",
                  Min = 0.0)>]
        NearAfter: int
        [<Setting("epochs after which views make labels of presence to a power; 0 for never", Min = 0.0)>]
        SettledAfter: int
        [<Setting("this power", Min = 1.0, Max = 10.0)>]
        Power: float
        [<Setting("epochs after which these labels are no longer equally many for each capsule; 0 for never", Min = 0.0)>]
        FreeAfter: int
        [<Setting("how far a capsule's share of them may then be from an equal one, as a part of that; 0 for any",
                  Min = 0.0,
                  Max = 1.0)>]
        FreeWithin: float
        [<Setting("epochs after which the power is twice as large and digits stand for themselves alone; 0 for never",
                  Min = 0.0)>]
        SharpAfter: int
        [<Setting("decay of the averaged parameters with which is measured; 0 measures with the last",
                  Min = 0.0,
                  Max = 0.99999)>]
        Average: float
        [<Setting("noise U(−x, x) on the logits of parts, capsules and votes", Min = 0.0, Max = 1e6)>]
        Noise: float
        [<Setting("whether there is noise when measuring too, as in the released program", Measuring = true)>]
        EvaluationNoise: bool
        Model: ScaeConfig
    }

/// What follows from the hyperparameters of the stacked capsule autoencoder.
[<RequireQualifiedAccess>]
module ScaeSettings =
    /// The released program's `run_mnist`: 300,000 steps.
    let paper: ScaeSettings =
        {
            Training =
                {
                    Epochs = 300
                    StepsPerEpoch = 1000
                    BatchSize = 128
                    LearningRate = 3e-5
                    ValidationSize = 2000
                    TestSize = 10000
                    SnapshotEvery = 5000
                }
            Rule = CapsuleRule.released
            Descent = DescentSettings.constant
            DecoderRate = 1.0
            WarmUp = 1
            Digits = DigitSource.Auto
            ProbeSize = 60000
            Rotation = 0.0
            Shear = 0.0
            Zoom = 0.0
            AnywhereAfter = 0
            MildAfter = 0
            Neighbours = 0
            SecondLook = false
            Wander = 1
            NearAfter = 0
            SettledAfter = 0
            Power = 1.5
            FreeAfter = 0
            FreeWithin = 0.0
            SharpAfter = 0
            Average = 0.0
            Noise = 2.0
            EvaluationNoise = true
            Model = ScaeConfig.paper
        }

    /// Whether a step, counted from 0, comes after `epochs` epochs, where 0 stands for never.
    let private isAfter (epochs: int) (settings: ScaeSettings) (step: int) : bool =
        epochs > 0 && step / settings.Training.StepsPerEpoch >= epochs

    // Views narrowed by this factor keep apart what wide ones blur, such as closed fours and nines.
    [<Literal>]
    let private Mild = 0.4

    /// How training digits are rotated, sheared and scaled in a step, counted from 0; none where they are only shifted, as in
    /// the released program.
    let views (settings: ScaeSettings) (step: int) : Viewpoints voption =
        if settings.Rotation = 0.0 && settings.Shear = 0.0 && settings.Zoom = 0.0 && settings.AnywhereAfter = 0 then
            ValueNone
        else
            let width =
                if isAfter settings.MildAfter settings step then
                    Mild
                else
                    1.0

            let zoom = width * settings.Zoom

            ValueSome
                {
                    Rotation = width * settings.Rotation
                    Shear = width * settings.Shear
                    Scale = struct (1.0 - zoom, 1.0 + zoom)
                }

    /// Whether training digits lie anywhere that their ink fits in a step, counted from 0.
    let isAnywhere (settings: ScaeSettings) (step: int) : bool = isAfter settings.AnywhereAfter settings step

    /// How far the digit of a second view may lie from that of the first in a step, counted from 0; none where it is the same.
    let walk (settings: ScaeSettings) (step: int) : Walk voption =
        if settings.Neighbours = 0 || isAfter settings.SharpAfter settings step then
            ValueNone
        elif isAfter settings.NearAfter settings step then
            ValueSome { Neighbours = (settings.Neighbours + 1) / 2; Steps = 2 }
        else
            ValueSome { Neighbours = settings.Neighbours; Steps = settings.Wander }

    /// The power to which presence is raised when views make labels of it in a step, counted from 0; 0 where labels are made of
    /// standardised logits instead.
    let power (settings: ScaeSettings) (step: int) : float =
        if isAfter settings.SharpAfter settings step then
            2.0 * settings.Power
        elif isAfter settings.SettledAfter settings step then
            settings.Power
        else
            0.0

    /// How far a capsule's share of views' labels may differ from an equal share, relative to that, in a step, counted from 0;
    /// none where it may have any share.
    let slack (settings: ScaeSettings) (step: int) : float voption =
        if not (isAfter settings.FreeAfter settings step) then
            ValueSome 0.0
        elif settings.FreeWithin > 0.0 then
            ValueSome settings.FreeWithin
        else
            ValueNone

    /// Whether a change after `epochs` epochs comes after labels have settled, or never.
    let private comesSettled (settings: ScaeSettings) (epochs: int) : bool =
        epochs = 0 || settings.SettledAfter > 0 && settings.SettledAfter < epochs

    /// What belongs to views of a digit, to the labels that these make for each other, to neighbours, or to one form of sparsity.
    let dependences (settings: ScaeSettings) : Dependence list =
        let model = settings.Model
        let agrees = model.Agreement > 0.0
        let makeLabels = model.Views = ViewForm.Assignment
        let isOfSquares form weight = form = SparsityForm.Squares && weight > 0.0

        [
            CapsuleRule.dependence settings.Rule
            Dependence.needs "--agreement above 0" agrees [ "views"; "neighbours" ]
            Dependence.needs
                "--agreement above 0 and --views assignment"
                (agrees && makeLabels)
                [ "sharpness"; "balanced-together"; "settled-after"; "power"; "free-after"; "free-within" ]
            Dependence.needs "--settled-after above 0" (settings.SettledAfter > 0) [ "power" ]
            Dependence.needs "--free-after above 0" (settings.FreeAfter > 0) [ "free-within" ]
            Dependence.needs
                "--agreement and --neighbours above 0"
                (agrees && settings.Neighbours > 0)
                [ "second-look"; "wander"; "near-after" ]
            // Then the power grows, and digits stand for themselves alone.
            Dependence.needs
                "--agreement above 0, with --views assignment or --neighbours above 0"
                (agrees && (makeLabels || settings.Neighbours > 0))
                [ "sharp-after" ]
            Dependence.needs
                "--rotation, --shear or --zoom above 0"
                (settings.Rotation > 0.0 || settings.Shear > 0.0 || settings.Zoom > 0.0)
                [ "mild-after" ]
            Dependence.needs
                "--prior-form squares with --prior-within above 0, or the posterior's likewise"
                (isOfSquares model.PriorForm model.PriorWithin
                 || isOfSquares model.PosteriorForm model.PosteriorWithin)
                [ "active" ]
            Dependence.needs "--noise above 0" (settings.Noise > 0.0) [ "evaluation-noise" ]
        ]

    let private refusal (settings: ScaeSettings) : string option =
        let training, model = settings.Training, settings.Model
        let agrees = model.Agreement > 0.0
        let makeLabels = agrees && model.Views = ViewForm.Assignment

        if training.TestSize < ScaeConfig.Classes then
            Some
                $"--test-size {training.TestSize}: must be at least {ScaeConfig.Classes}, a digit for each of the clusters"
        elif training.ValidationSize < ScaeConfig.Classes then
            Some
                $"--validation-size {training.ValidationSize}: must be at least {ScaeConfig.Classes}, a digit for each of the clusters"
        elif model.SetHeads > model.SetWidth then
            Some $"--set-heads {model.SetHeads}: must be at most the width, {model.SetWidth}"
        elif agrees && training.BatchSize % 2 = 1 then
            Some $"--batch-size {training.BatchSize}: must be even where views agree, two of each digit"
        elif makeLabels && not (comesSettled settings settings.FreeAfter) then
            Some
                $"--free-after {settings.FreeAfter}: must be 0, or come after --settled-after {settings.SettledAfter}, which must be set"
        elif makeLabels && not (comesSettled settings settings.SharpAfter) then
            Some
                $"--sharp-after {settings.SharpAfter}: must be 0, or come after --settled-after {settings.SettledAfter}, which must be set"
        elif
            agrees
            && settings.Neighbours > 0
            && settings.NearAfter > 0
            && settings.SharpAfter > 0
            && settings.NearAfter >= settings.SharpAfter
        then
            Some
                $"--near-after {settings.NearAfter}: must be 0, or come before --sharp-after {settings.SharpAfter}, when digits stand for themselves alone"
        elif model.Calibrated && model.Pooling = PartPooling.Coded then
            Some "--calibrated true: must be false with --pooling coded, whose reshape mixes parts"
        else
            None

    /// Says what takes long before the first step.
    let private preparation (settings: ScaeSettings) : string voption =
        if settings.Neighbours = 0 || settings.Model.Agreement = 0.0 then
            ValueNone
        elif settings.SecondLook then
            ValueSome "each digit's neighbours are found, some minutes"
        else
            ValueSome "each digit's neighbours are found, up to a minute"

    /// The settings and the plan of the training. Epochs are chosen by reconstruction, which knows no classes. The error is
    /// one line.
    let resolve (settings: ScaeSettings) : Result<ScaeSettings * Plan, string> =
        let training = settings.Training

        match refusal settings with
        | Some message -> Error message
        | None ->
            let plan = TrainingSettings.plan { Metric = "reconstruction"; Larger = true } training

            let optimizer = CapsuleRule.optimizer settings.Rule training.BatchSize

            let rule (share: float) =
                { training with LearningRate = share * training.LearningRate }
                |> TrainingSettings.rule optimizer settings.WarmUp settings.Descent

            Ok(
                settings,
                { plan with
                    Preparation = preparation settings
                    Rule = rule 1.0
                    Average = TrainingSettings.unlessZero settings.Average
                    Groups =
                        [
                            // The probes have the rule of all others, as in the released program, but without the limit on the norm: so
                            // gradients of classes don't count in the norm of the model's.
                            Ruled("priorProbe", { rule 1.0 with Clip = ValueNone })
                            Ruled("posteriorProbe", { rule 1.0 with Clip = ValueNone })
                            Ruled("decoder", rule settings.DecoderRate)
                            // Nothing reads or teaches it.
                            Kept "dummy"
                        ]
                }
            )
