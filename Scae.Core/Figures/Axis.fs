namespace Scae.Core.Figures

/// The range of an axis.
[<RequireQualifiedAccess>]
type Limits =
    /// The range of the data with a small margin.
    | Automatic
    /// From low to high; equal or non-finite limits are treated as automatic.
    | Fixed of low: float * high: float

/// How positions follow from values.
[<RequireQualifiedAccess>]
type Scale =
    /// Proportional to the value.
    | Linear
    /// Logarithm to base ten; values ≤ 0 are left out.
    | Log

/// Where an axis has ticks.
[<RequireQualifiedAccess>]
type Ticks =
    /// Steps of 1, 2 or 5 times a power of ten.
    | Automatic
    /// The same, but only whole numbers: for epochs and counts.
    | Whole
    /// At these values with these texts, such as the names of categories.
    | At of (float * string) list

/// One axis of a panel.
[<RequireQualifiedAccess>]
type Axis =
    {
        /// Text beside the axis; "" for none.
        Label: string
        /// Its range.
        Limits: Limits
        /// Linear or logarithmic.
        Scale: Scale
        /// Where its ticks are.
        Ticks: Ticks
        /// Whether values grow leftwards or downwards, as the rows of an image do.
        Reversed: bool
    }

/// What surrounds the drawing area of a panel.
[<RequireQualifiedAccess>]
type Frame =
    /// Axis lines left and below, ticks, tick labels, axis labels.
    | Axes
    /// A thin box, no ticks and no tick labels: for pictures and point clouds.
    | Box
