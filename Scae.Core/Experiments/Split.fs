namespace Scae.Core.Experiments

/// Which scenes are measured. The best epoch is chosen on validation scenes; test scenes are measured only at the end.
type Split =
    | Validation
    | Test

/// Which scenes are measured.
[<RequireQualifiedAccess>]
module Split =
    /// Which of two belongs to a split.
    let choose (validation: 'a) (test: 'a) (split: Split) : 'a =
        match split with
        | Validation -> validation
        | Test -> test
