namespace Scae.Core.Models

open Scae.Core.Configuration

/// How latents are inferred from the image.
[<RequireQualifiedAccess>]
type AirEncoding =
    /// The published small program: T independent heads on features of the whole image.
    | Global
    /// The paper: a recurrent network sees the image, the residual that earlier steps left, and the previous latents. It
    /// says where to look, and z_what is encoded from a glimpse of that place.
    | Recurrent

/// How presence z_pres is chosen, and how gradients pass that choice.
[<RequireQualifiedAccess>]
type AirPresence =
    /// z_pres in (0, 1), a Gumbel-sigmoid: the published small program.
    | Relaxed
    /// z_pres in {0, 1}, drawn; score-function gradient with a learned baseline: the paper.
    | Discrete
    /// The expectation over the T + 1 possible counts, computed exactly: its gradient is what the score function estimates,
    /// without the variance.
    | Expected

/// What draws a patch from z_what.
[<RequireQualifiedAccess>]
type AirDecoding =
    /// One hidden layer.
    | Mlp
    /// A linear layer and two transposed convolutions.
    | Convolutional

/// How the renders of several steps make one picture.
[<RequireQualifiedAccess>]
type AirComposition =
    /// Σ_t z_t·render_t: the paper and the small program.
    | Sum
    /// 1 − Π_t (1 − z_t·render_t): ink on ink stays ink, as in scenes whose pixels are the maximum of their digits'.
    | Union

/// How scenes laid on each other (see AirRecombination) teach q whether a scene has a second object.
[<RequireQualifiedAccess>]
type AirSecondLearning =
    /// q is told that those scenes have a second object, and that scenes in which one object was inferred have none.
    | Told
    /// Those scenes are positive examples of two objects. The batch's own scenes, unless empty, are unlabelled; as many of
    /// them have two objects as the prior says. The cost is the non-negative risk of PositiveUnlabelled.
    | NonNegative
    /// The same examples; the cost is the negative log-likelihood of PositiveUnlabelled.
    | Likelihood

/// What the network that removes scenes' lighting learns to draw (see SceneRestorer).
[<RequireQualifiedAccess>]
type RestorerTarget =
    /// The same scene in another light, drawn independently. The mean over all lights is what no light changes.
    | Other
    /// The scene in no light. Only the program that lit the scene knows this one.
    | Plain

/// Sizes and choices of attend-infer-repeat, in the paper's symbols.
type AirConfig =
    {
        /// Width and height of a scene.
        Canvas: int
        [<Setting("T, objects that are inferred at most", Name = "objects", Min = 1.0, Max = 16.0)>]
        Steps: int
        [<Setting("dimensions of z_what", Min = 1.0, Max = 1024.0)>]
        What: int
        [<Setting("width and height of a patch and of a glimpse", Min = 4.0, Max = 128.0)>]
        Patch: int
        [<Setting("one look at the whole scene, or a look a step at what isn't explained yet")>]
        Encoding: AirEncoding
        [<Setting("units of the first layer over the scene", Min = 1.0, Max = 4096.0)>]
        Hidden: int
        [<Setting("units of the second layer, or of the recurrent cell", Min = 1.0, Max = 4096.0)>]
        Features: int
        // The baseline's hidden layer has as many.
        [<Setting("units over a glimpse", Min = 1.0, Max = 4096.0)>]
        GlimpseHidden: int
        // Glimpses are cut from the scene itself, not from this picture.
        [<Setting("side of the picture that the recurrent cell sees, 0 for the scene's", Min = 0.0)>]
        Overview: int
        // The map says where something stands in the residual; without it the place comes from the cell alone.
        [<Setting("channels of the map that finds where to look, 0 for none", Min = 0.0, Max = 64.0)>]
        Finder: int
        [<Setting("whether presence is inferred from how much the patch would explain")>]
        Evidence: bool
        // That glimpse has twice the prior's mean scale.
        [<Setting("units over a wider glimpse from which presence is inferred, 0 for none", Min = 0.0, Max = 4096.0)>]
        Context: int
        [<Setting("channels of a convolutional network over the whole scene that adds to presence's logits, 0 for none",
                  Min = 0.0,
                  Max = 256.0)>]
        Counter: int
        [<Setting("whether that network has its say in training only from the step on at which scenes are laid on scenes")>]
        CounterLate: bool
        // Gradients always pass through the latents that the cell is given, and through the patch to the evidence.
        [<Setting("whether gradients pass through the pictures that later steps and looks see of earlier ones, and through restored scenes")>]
        ThroughInputs: bool
        [<Setting("what draws a patch")>]
        Decoding: AirDecoding
        [<Setting("units of the decoder's hidden layer, or channels", Min = 1.0, Max = 4096.0)>]
        DecoderHidden: int
        [<Setting("how what several steps draw makes one picture")>]
        Composition: AirComposition
        [<Setting("how gradients pass the choice of presence")>]
        Presence: AirPresence
        // If it isn't, z_where is the head's value itself and has no KL term.
        [<Setting("whether z_where is drawn, with a prior")>]
        WhereDrawn: bool
        [<Setting("logarithm of a digit's scale: mean of the prior, and the start")>]
        LogScale: float
        [<Setting("deviation of the scale's logarithm in the prior", Min = 1e-6)>]
        LogScaleDeviation: float
        // The prior's mean is the middle of the canvas, 0.
        [<Setting("deviation of the place in the prior", Min = 1e-6)>]
        PlaceDeviation: float
        [<Setting("σ of the pixels", Min = 1e-6)>]
        Sigma: float
        [<Setting("weight of the KL of z_what and z_where", Min = 0.0)>]
        WhatWeight: float
        [<Setting("weight of the KL of z_pres", Min = 0.0)>]
        PresenceWeight: float
        [<Setting("bias of presence's logit at the start")>]
        PresenceBias: float
        [<Setting("scenes a step, at most, made of two that seem to have one object each, 0 for none", Min = 0.0)>]
        Recombined: int
        [<Setting("weight of the count's log-probability in those", Min = 0.0)>]
        RecombinedWeight: float
        [<Setting("how many others each of those that seem to have one object is laid on, at most",
                  Min = 1.0,
                  Max = 16.0)>]
        RecombinedPartners: int
        [<Setting("largest probability of a second object in scenes that are laid on each other", Min = 0.001, Max = 0.5)>]
        RecombinedDoubt: float
        [<Setting("whether only scenes whose ink doesn't meet are laid on each other")>]
        RecombinedApart: bool
        [<Setting("how it is learned from those whether there is a second object: told, or among unlabelled scenes")>]
        SecondLearning: AirSecondLearning
        // Wherever one step can draw two objects, the bound prefers one.
        [<Setting("whether the bound still trains the presence of a second object once scenes are laid on scenes")>]
        SecondFromBound: bool
        // The bound gains from a third object, which explains what two steps draw badly.
        [<Setting("and that of a third object and later ones; recombined scenes have none")>]
        ThirdFromBound: bool
        [<Setting("channels of the network that takes a scene's light away before it is explained, 0 for none",
                  Min = 0.0,
                  Max = 256.0)>]
        Restorer: int
        [<Setting("what that network learns to draw: the same scene in another light, or in none")>]
        RestorerTarget: RestorerTarget
    }
