namespace Scae.Core

/// The shape of a point.
[<RequireQualifiedAccess>]
type Marker =
    | Circle
    | Cross
    | Plus
    | Square
    | Triangle

/// Points joined by straight lines. A point with a NaN or infinite coordinate leaves a gap.
[<RequireQualifiedAccess>]
type LineMark =
    {
        X: float[]
        Y: float[]
        Colour: Colour
        /// Stroke width in pixels.
        Width: float
        Dashed: bool
        /// The entry in the legend; "" for none.
        Label: string
    }

/// Points. Those with a NaN or infinite coordinate are left out.
[<RequireQualifiedAccess>]
type ScatterMark =
    {
        X: float[]
        Y: float[]
        Shape: Marker
        /// Diameter in pixels.
        Size: float
        /// One colour for all points, or one per point.
        Colours: Colour[]
        /// The entry in the legend; "" for none. It takes the first colour.
        Label: string
    }

/// What an image shows. The first index is the row, from the top; the second the column, from the left.
[<RequireQualifiedAccess>]
type Pixels =
    /// One value per pixel, [H, W], through a colour map between two limits.
    | Mapped of values: float[,] * low: float * high: float * map: ColourMap
    /// Red, green and blue in [0, 1], [H, W, 3]; clamped, NaN counts as 0.
    | Rgb of float[,,]

/// An image, drawn with nearest neighbours so that every pixel stays visible as a square.
[<RequireQualifiedAccess>]
type ImageMark =
    {
        Pixels: Pixels
        /// Data coordinates of the outer edges of the image: the top edge may be smaller than the bottom one where
        /// the axis points down.
        Left: float
        Right: float
        Top: float
        Bottom: float
        /// Whether a bar beside the panel explains the colours; ignored for RGB.
        ColourBar: bool
    }

/// A matrix as coloured cells. Cell (i, j) covers x in [j, j + 1] and y in [i, i + 1] of an axis pointing down.
[<RequireQualifiedAccess>]
type HeatmapMark =
    {
        /// [rows, columns].
        Values: float[,]
        /// Names of the rows; [] for none.
        Rows: string list
        /// Names of the columns; [] for none.
        Columns: string list
        Low: float
        High: float
        Map: ColourMap
        /// A .NET number format for the value printed in each cell, such as "0.0" or "P0"; "" prints none.
        Format: string
        ColourBar: bool
    }

/// The outline of a rectangle between two opposite corners, in data coordinates.
[<RequireQualifiedAccess>]
type BoxMark =
    {
        X0: float
        Y0: float
        X1: float
        Y1: float
        Colour: Colour
        Width: float
        Dashed: bool
        Label: string
    }

/// A closed polygon with a fill and an outline; either may be transparent.
[<RequireQualifiedAccess>]
type PolygonMark =
    {
        X: float[]
        Y: float[]
        Fill: Colour
        Stroke: Colour
        Width: float
        Label: string
    }

/// The area between two curves over the same x, such as mean − sd and mean + sd.
[<RequireQualifiedAccess>]
type BandMark = { X: float[]; Low: float[]; High: float[]; Fill: Colour; Label: string }

/// Vertical bars from zero.
[<RequireQualifiedAccess>]
type BarMark =
    {
        X: float[]
        Heights: float[]
        /// Width of a bar in data coordinates.
        Width: float
        /// Half the length of each bar's error line; [||] for none.
        Errors: float[]
        /// One colour for all bars, or one per bar.
        Colours: Colour[]
        Label: string
    }

/// Where a text stands relative to its point.
[<RequireQualifiedAccess>]
type Anchor =
    | Centre
    | Above
    | Below
    | LeftOf
    | RightOf

/// A text at a point in data coordinates.
[<RequireQualifiedAccess>]
type TextMark =
    {
        X: float
        Y: float
        Text: string
        Colour: Colour
        /// Font size in pixels.
        Size: float
        Anchor: Anchor
        /// The colour behind the text; transparent for none.
        Background: Colour
    }

/// The direction of a reference line.
[<RequireQualifiedAccess>]
type Orientation =
    | Horizontal
    | Vertical

/// A straight line across the whole panel, such as a chance level.
[<RequireQualifiedAccess>]
type RuleMark =
    {
        Orientation: Orientation
        /// The y of a horizontal line, the x of a vertical one.
        At: float
        Colour: Colour
        Width: float
        Dashed: bool
        Label: string
    }

/// Something drawn inside a panel. Later marks cover earlier ones.
[<RequireQualifiedAccess>]
type Mark =
    | Line of LineMark
    | Scatter of ScatterMark
    | Image of ImageMark
    | Heatmap of HeatmapMark
    | Box of BoxMark
    | Polygon of PolygonMark
    | Band of BandMark
    | Bars of BarMark
    | Text of TextMark
    | Rule of RuleMark
