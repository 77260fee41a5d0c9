namespace Scae.Core.Experiments

open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// Which templates scenes are made of.
type TemplateSet =
    /// Square, triangle with an extra point, triangle: 11 points.
    | Three
    /// These, a line and a corner: 18 points.
    | Five

/// The hyperparameters of capsules that recognise their templates: the network, and the search that teaches it.
type RoutingSettings =
    {
        [<Setting("steps until the step size is at its largest; then it falls along a cosine", Min = 1.0)>]
        Warmup: int
        [<Setting("which templates scenes are made of")>]
        Templates: TemplateSet
        [<Setting("D, width of a point's embedding", Min = 1.0, Max = 4096.0)>]
        Width: int
        [<Setting("F, width of the feed-forward layers", Min = 1.0, Max = 65536.0)>]
        Hidden: int
        [<Setting("attention heads; must divide the width", Min = 1.0)>]
        Heads: int
        [<Setting("attention blocks", Min = 0.0, Max = 64.0)>]
        Blocks: int
        [<Setting("whether blocks and routing have layer norms")>]
        LayerNorm: bool
        [<Setting("width of the layers that see pairs of points, 0 for none", Min = 0.0, Max = 4096.0)>]
        Pairs: int
        [<Setting("weights have deviation gain·√(2 / inputs)", Min = 0.0)>]
        Gain: float
        [<Setting("what teaches the routing: the division of least residual, or the truth of dreamed scenes")>]
        Teacher: RoutingTeacher
        [<Setting("divisions proposed for each scene, or for each set of templates that it may have",
                  Min = 1.0,
                  Max = 1024.0)>]
        Starts: int
        [<Setting("whether exchanges of points improve each proposal")>]
        Refine: bool
        [<Setting("squared residual at which what was found weighs 1/e in training", Min = 1e-6)>]
        Trust: float
        [<Setting("whose residual that is: the whole scene's, or each template's own")>]
        Credit: RoutingCredit
    }

/// What follows from the hyperparameters of capsules that recognise their templates.
[<RequireQualifiedAccess>]
module RoutingSettings =
    /// The network and search of the preset solved.
    let solved: RoutingSettings =
        {
            Warmup = 200
            Templates = TemplateSet.Three
            Width = 64
            Hidden = 128
            Heads = 4
            Blocks = 3
            LayerNorm = true
            Pairs = 48
            Gain = 0.7
            Teacher = RoutingTeacher.Residual
            Starts = 4
            Refine = true
            Trust = 0.02
            Credit = RoutingCredit.Template
        }

    /// The training of the preset solved.
    let training: TrainingSettings =
        {
            Epochs = 24
            StepsPerEpoch = 250
            BatchSize = 64
            LearningRate = 2e-3
            ValidationSize = 2048
            TestSize = 10000
            SnapshotEvery = 200
        }

    /// The published scenes, of the chosen templates.
    let scenes (settings: RoutingSettings) : ConstellationsConfig =
        { Constellations.published with
            Templates =
                match settings.Templates with
                | TemplateSet.Three -> Template.published
                | TemplateSet.Five -> Template.five
        }

    /// The model's configuration.
    let model (settings: RoutingSettings) : RoutingCapsulesConfig =
        let templates = (scenes settings).Templates

        {
            Templates = templates
            Width = settings.Width
            Hidden = settings.Hidden
            Heads = settings.Heads
            Blocks = settings.Blocks
            LayerNorm = settings.LayerNorm
            Pairs = settings.Pairs
            Gain = settings.Gain
            Teacher = settings.Teacher
            Trust = settings.Trust
            Credit = settings.Credit
            Search =
                {
                    Templates = templates
                    Starts = settings.Starts
                    Refine = settings.Refine
                    Solved = DivisionSearch.NoResidual
                }
        }

    /// The plan of a training, with gradients of a norm of at most 1. The error is one line.
    let plan (training: TrainingSettings) (settings: RoutingSettings) : Result<Plan, string> =
        if settings.Width % settings.Heads <> 0 then
            Error $"--heads {settings.Heads}: must divide the width, which is {settings.Width}"
        else
            Ok
                { TrainingSettings.plan { Metric = "raw_recovery"; Larger = true } training with
                    LearningRate = Schedule.warmCosine training.LearningRate settings.Warmup training.Steps
                    Clip = ValueSome 1.0
                }
