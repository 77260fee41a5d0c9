namespace Scae.Core.Models

open Scae.Core.Configuration
open Scae.Core.Layers
open Scae.Core.Losses

/// How learned numbers become pixel values in [0, 1].
[<RequireQualifiedAccess>]
type PixelValues =
    | Sigmoid
    /// Clipped to [0, 1]; 0.99 is added to colours before.
    | Clipped

/// Where the mixing logits of parts come from.
[<RequireQualifiedAccess>]
type PixelMixing =
    /// Learned maps beside the templates, and a learned logit for the background.
    | Alpha
    /// The drawn pixel values themselves, divided by a learned temperature.
    | Coupled

/// The sizes, options and weights of a stacked capsule autoencoder of images.
type ScaeConfig =
    {
        [<Setting("side of the canvas in pixels", Min = 28.0, Max = 256.0)>]
        Canvas: int
        [<Setting("channels of the four convolutions", Min = 1.0, Max = 4096.0)>]
        Channels: int
        [<Setting("M, part capsules", Min = 1.0, Max = 4096.0)>]
        Parts: int
        [<Setting("K, object capsules", Min = 1.0, Max = 4096.0)>]
        Objects: int
        [<Setting("numbers that describe a part beside pose and presence", Min = 1.0, Max = 1024.0)>]
        Features: int
        // Templates start as an orthogonal matrix of all of their pixels.
        [<Setting("side of a template in pixels", Min = 2.0, Max = 40.0)>]
        TemplateSide: int
        [<Setting("hidden units from a part's features to its colour; 0 leaves templates as they are",
                  Min = 0.0,
                  Max = 1024.0)>]
        Colour: int
        [<Setting("how templates and colours become pixel values")>]
        Values: PixelValues
        [<Setting("where the mixing logits come from; coupled ties them to pixel values")>]
        Mixing: PixelMixing
        [<Setting("whether a part pools with its own attention map; coded is the released program's reshape")>]
        Pooling: PartPooling
        [<Setting("how presence counts in attention; hard is the released program's and attends to one part")>]
        Mask: SetMask
        [<Setting("layer norm in the set transformer")>]
        LayerNorm: bool
        [<Setting("width of the set transformer", Min = 1.0, Max = 1024.0)>]
        SetWidth: int
        [<Setting("blocks of the set transformer", Min = 0.0, Max = 16.0)>]
        SetLayers: int
        [<Setting("heads of the set transformer", Min = 1.0)>]
        SetHeads: int
        [<Setting("numbers that an object capsule is told", Min = 1.0, Max = 1024.0)>]
        SetOutputs: int
        [<Setting("hidden units of a capsule's layers", Min = 1.0, Max = 1024.0)>]
        CapsuleHidden: int
        [<Setting("numbers to which a capsule's parameters are compressed", Min = 1.0, Max = 1024.0)>]
        CapsuleCode: int
        [<Setting("whether initial weights are scaled until features and presence differ from image to image")>]
        Calibrated: bool
        [<Setting("form of the sparsity of explained mass")>]
        PosteriorForm: SparsityForm
        [<Setting("weight of the posterior's sparsity within examples", Min = 0.0)>]
        PosteriorWithin: float
        [<Setting("weight of the posterior's spread over the batch", Min = 0.0)>]
        PosteriorBetween: float
        [<Setting("form of the sparsity of presence")>]
        PriorForm: SparsityForm
        [<Setting("weight of the prior's sparsity within examples", Min = 0.0)>]
        PriorWithin: float
        [<Setting("weight of the prior's spread over the batch", Min = 0.0)>]
        PriorBetween: float
        [<Setting("capsules that should be active in an example; 0 is a tenth of all", Min = 0.0)>]
        Active: float
        [<Setting("weight of the part likelihood under the object capsules", Min = 0.0)>]
        ObjectWeight: float
        [<Setting("weight of two views of a digit naming the same capsule; a batch then shows each digit twice",
                  Min = 0.0)>]
        Agreement: float
        [<Setting("how much two views agree")>]
        Views: ViewForm
        [<Setting("how sharp the labels are that views make for each other with assignment", Min = 0.1, Max = 100.0)>]
        Sharpness: float
        [<Setting("whether these labels are equally many for each capsule over both views together, and not over each")>]
        BalancedTogether: bool
        [<Setting("weight of the dynamic penalty", Min = 0.0)>]
        DynamicWeight: float
        [<Setting("whether object capsules teach parts through their features alone")>]
        StopGradients: bool
        /// Whether the probes' gradients reach the capsules. Only checks of gradients want that, since probes are told classes.
        ProbesTeach: bool
    }

/// Configurations of the stacked capsule autoencoder, and what follows from them.
[<RequireQualifiedAccess>]
module ScaeConfig =
    /// Classes of digits.
    [<Literal>]
    let Classes = 10

    /// c, how many capsules should be active in an example: as configured, or a tenth of all.
    let active (config: ScaeConfig) : float =
        if config.Active > 0.0 then
            config.Active
        else
            float config.Objects / float Classes

    /// Numbers that a part capsule puts out: pose, features, presence.
    let partOutputs (config: ScaeConfig) : int = 6 + config.Features + 1

    /// The released program's `run_mnist`, with its hard attention mask, but each part pools with its own attention map.
    let paper: ScaeConfig =
        {
            Canvas = 40
            Channels = 128
            Parts = 40
            Objects = 32
            Features = 16
            TemplateSide = 11
            Colour = 32
            Values = PixelValues.Sigmoid
            Mixing = PixelMixing.Alpha
            Pooling = PartPooling.Own
            Mask = SetMask.Hard
            LayerNorm = true
            SetWidth = 16
            SetLayers = 3
            SetHeads = 1
            SetOutputs = 256
            CapsuleHidden = 128
            CapsuleCode = 32
            Calibrated = false
            PosteriorForm = SparsityForm.Entropy
            PosteriorWithin = 0.7
            PosteriorBetween = 0.2
            PriorForm = SparsityForm.Squares
            PriorWithin = 2.0
            PriorBetween = 0.35
            Active = 0.0
            ObjectWeight = 1.0
            Agreement = 0.0
            Views = ViewForm.Assignment
            Sharpness = 3.0
            BalancedTogether = false
            DynamicWeight = 10.0
            StopGradients = true
            ProbesTeach = false
        }

    /// Sizes of the set transformer.
    let set (config: ScaeConfig) : SetTransformerConfig =
        {
            Inputs = 6 + 1 + config.Features + config.TemplateSide * config.TemplateSide
            Width = config.SetWidth
            Layers = config.SetLayers
            Heads = config.SetHeads
            Outputs = config.SetOutputs
            Seeds = config.Objects
            LayerNorm = config.LayerNorm
            Mask = config.Mask
        }

    /// Sizes of the object capsules: a vote for every part.
    let capsules (config: ScaeConfig) : CapsuleLayerConfig =
        {
            Inputs = config.SetOutputs
            Capsules = config.Objects
            Votes = config.Parts
            Hidden = config.CapsuleHidden
            Code = config.CapsuleCode
            Kind = PoseKind.Affine
        }
