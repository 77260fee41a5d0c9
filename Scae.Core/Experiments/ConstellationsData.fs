namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Data

/// Scenes that are measured and shown.
type ConstellationsData =
    {
        Templates: Template list
        Validation: Constellations
        Test: Constellations
        /// The first validation scenes, which the pictures show.
        Shown: Constellations
    }

/// What a method draws onto the scenes of a split: points [b, M, 2].
type ConstellationsReading = { Scenes: Constellations; Drawn: Tensor }

/// The scenes of a split.
[<RequireQualifiedAccess>]
module ConstellationsData =
    /// How many scenes the pictures show.
    [<Literal>]
    let Shown = 4

    /// Scenes from a run's streams.
    let generate (config: ConstellationsConfig) (training: TrainingSettings) (keys: Keys) : ConstellationsData =
        let validation = Constellations.sample config training.ValidationSize keys.Validation

        {
            Templates = config.Templates
            Validation = validation
            Test = Constellations.sample config training.TestSize keys.Test
            Shown = Constellations.truncate Shown validation
        }

    /// Validation or test scenes.
    let scenes (split: Split) (data: ConstellationsData) : Constellations = Split.choose data.Validation data.Test split
