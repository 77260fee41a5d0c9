namespace Scae.Core.Experiments

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

/// The scenes of a split.
[<RequireQualifiedAccess>]
module ConstellationsData =
    /// How many scenes the pictures show.
    [<Literal>]
    let Shown = 4

    /// Scenes from a run's streams.
    let generate (config: ConstellationsConfig) (validation: int) (test: int) (keys: Keys) : ConstellationsData =
        let validation = Constellations.sample config validation keys.Validation

        {
            Templates = config.Templates
            Validation = validation
            Test = Constellations.sample config test keys.Test
            Shown = Constellations.truncate config Shown validation
        }

    /// Validation or test scenes.
    let scenes (split: Split) (data: ConstellationsData) : Constellations =
        match split with
        | Validation -> data.Validation
        | Test -> data.Test
