namespace Scae.Core.Figures

/// The shape of a point.
[<RequireQualifiedAccess>]
type Marker =
    /// A disc.
    | Circle
    /// Two diagonal strokes, ×.
    | Cross
    /// Two straight strokes, +.
    | Plus
    /// A filled square.
    | Square

/// Points joined by a solid line. A point with a NaN or infinite coordinate leaves a gap.
[<RequireQualifiedAccess>]
type LineMark =
    {
        /// Positions.
        X: float[]
        /// Values at these positions, as many.
        Y: float[]
        /// Its colour.
        Colour: Colour
        /// The entry in the legend; "" for none.
        Label: string
    }

/// Points. Those with a NaN or infinite coordinate are left out.
[<RequireQualifiedAccess>]
type ScatterMark =
    {
        /// Positions.
        X: float[]
        /// Values at these positions, as many.
        Y: float[]
        /// The shape of every point.
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
        /// What it shows.
        Pixels: Pixels
        /// x of the left edge; like the others an outer edge of the image, in data coordinates.
        Left: float
        /// x of the right edge.
        Right: float
        /// y of the upper edge; smaller than that of the lower one where the axis points down.
        Top: float
        /// y of the lower edge.
        Bottom: float
        /// Whether a bar beside the panel explains the colours; ignored for RGB.
        ColourBar: bool
    }

/// A matrix as coloured cells, which a bar beside the panel explains. Cell (i, j) covers x in [j, j + 1] and y in
/// [i, i + 1] of an axis pointing down.
[<RequireQualifiedAccess>]
type HeatmapMark =
    {
        /// [rows, columns].
        Values: float[,]
        /// Names of the rows; [] for none.
        Rows: string list
        /// Names of the columns; [] for none.
        Columns: string list
        /// The value of the first colour.
        Low: float
        /// The value of the last colour.
        High: float
        /// Values to colours.
        Map: ColourMap
        /// A .NET number format for the value printed in each cell, such as "0.0" or "P0"; "" prints none.
        Format: string
    }

/// The outline of a rectangle between two opposite corners, in data coordinates.
[<RequireQualifiedAccess>]
type BoxMark =
    {
        /// x of one corner.
        X0: float
        /// y of that corner.
        Y0: float
        /// x of the opposite corner.
        X1: float
        /// y of that corner.
        Y1: float
        /// Its colour.
        Colour: Colour
        /// Whether the stroke is dashed.
        Dashed: bool
    }

/// A closed polygon with a fill and an outline.
[<RequireQualifiedAccess>]
type PolygonMark =
    {
        /// Positions.
        X: float[]
        /// Values at these positions, as many.
        Y: float[]
        /// The colour inside.
        Fill: Colour
        /// The colour of the outline.
        Stroke: Colour
    }

/// Vertical bars from zero.
[<RequireQualifiedAccess>]
type BarMark =
    {
        /// Positions.
        X: float[]
        /// The height of each bar, as many.
        Heights: float[]
        /// Width of a bar in data coordinates.
        Width: float
        /// Half the length of each bar's error line; [||] for none.
        Errors: float[]
        /// One colour for all bars, or one per bar.
        Colours: Colour[]
    }

/// A text whose middle is at a point in data coordinates.
[<RequireQualifiedAccess>]
type TextMark =
    {
        /// x of the point.
        X: float
        /// y of the point.
        Y: float
        /// What is written.
        Text: string
        /// Its colour.
        Colour: Colour
        /// Font size in pixels.
        Size: float
        /// The colour behind the text.
        Background: Colour
    }

/// The direction of a reference line.
[<RequireQualifiedAccess>]
type Orientation =
    /// At one y.
    | Horizontal
    /// At one x.
    | Vertical

/// A dashed straight line across the whole panel, such as a chance level.
[<RequireQualifiedAccess>]
type RuleMark =
    {
        /// Its direction.
        Orientation: Orientation
        /// The y of a horizontal line, the x of a vertical one.
        At: float
        /// Its colour.
        Colour: Colour
        /// The entry in the legend; "" for none.
        Label: string
    }

/// Something drawn inside a panel. Later marks cover earlier ones.
[<RequireQualifiedAccess>]
type Mark =
    /// A curve.
    | Line of LineMark
    /// Points.
    | Scatter of ScatterMark
    /// A picture.
    | Image of ImageMark
    /// A matrix.
    | Heatmap of HeatmapMark
    /// A rectangle.
    | Box of BoxMark
    /// A closed shape.
    | Polygon of PolygonMark
    /// Bars.
    | Bars of BarMark
    /// A text.
    | Text of TextMark
    /// A line across the panel.
    | Rule of RuleMark
