namespace Scae.Core.Figures

open System

/// One drawing of a figure.
[<RequireQualifiedAccess>]
type Panel =
    {
        /// Text above the drawing; "" for none.
        Title: string
        /// The horizontal axis.
        X: Axis
        /// The vertical axis.
        Y: Axis
        /// What surrounds the drawing area.
        Frame: Frame
        /// Whether a unit of x is as long as a unit of y. Automatic limits then grow to fill the panel, while fixed
        /// ones make the drawing area smaller.
        EqualAspect: bool
        /// In drawing order.
        Marks: Mark list
    }

/// Building panels from pipelines: Panel.create "Chamfer" |> Panel.axes "epoch" "loss" |> Panel.line "train" blue x y.
[<RequireQualifiedAccess>]
module Panel =

    let private axis: Axis =
        {
            Axis.Label = ""
            Axis.Limits = Limits.Automatic
            Axis.Scale = Scale.Linear
            Axis.Ticks = Ticks.Automatic
            Axis.Reversed = false
        }

    /// An empty panel with a title, automatic limits and both axes drawn.
    let create (title: string) : Panel =
        {
            Panel.Title = title
            Panel.X = axis
            Panel.Y = axis
            Panel.Frame = Frame.Axes
            Panel.EqualAspect = false
            Panel.Marks = []
        }

    /// Adds a mark over those already there.
    let add (mark: Mark) (panel: Panel) : Panel = { panel with Panel.Marks = panel.Marks @ [ mark ] }

    /// Adds what a function draws for each item, in their order.
    let each (items: 'item seq) (draw: 'item -> Panel -> Panel) (panel: Panel) : Panel =
        Seq.fold (fun panel item -> draw item panel) panel items

    /// Names both axes.
    let axes (x: string) (y: string) (panel: Panel) : Panel =
        { panel with
            Panel.X = { panel.X with Axis.Label = x }
            Panel.Y = { panel.Y with Axis.Label = y }
        }

    /// Fixes the range of x.
    let xLimits (low: float) (high: float) (panel: Panel) : Panel =
        { panel with Panel.X = { panel.X with Axis.Limits = Limits.Fixed(low, high) } }

    /// Fixes the range of y.
    let yLimits (low: float) (high: float) (panel: Panel) : Panel =
        { panel with Panel.Y = { panel.Y with Axis.Limits = Limits.Fixed(low, high) } }

    /// Fixes y to the range of these values, a twentieth wider. The frames of an animation, each of which shows a
    /// part of the values, then have the same axis. Values that aren't finite don't count; without any, y stays as it
    /// is.
    let yRangeOf (values: float list) (panel: Panel) : Panel =
        match values |> List.filter Double.IsFinite with
        | [] -> panel
        | values ->
            let low, high = List.min values, List.max values
            let room = if high > low then high - low else max 1e-5 (abs high)
            yLimits (low - 0.05 * room) (high + 0.05 * room) panel

    /// Narrows the fixed range of y to values that can be, such as 0 to 1 for a share.
    let yWithin (low: float) (high: float) (panel: Panel) : Panel =
        match panel.Y.Limits with
        | Limits.Fixed(bottom, top) -> yLimits (max low bottom) (min high top) panel
        | _ -> panel

    /// Makes y logarithmic.
    let logY (panel: Panel) : Panel = { panel with Panel.Y = { panel.Y with Axis.Scale = Scale.Log } }

    /// Puts named ticks on x, such as categories below bars.
    let xTicks (ticks: (float * string) list) (panel: Panel) : Panel =
        { panel with Panel.X = { panel.X with Axis.Ticks = Ticks.At ticks } }

    /// Makes a unit of x as long as a unit of y.
    let equalAspect (panel: Panel) : Panel = { panel with Panel.EqualAspect = true }

    /// Chooses what surrounds the drawing area.
    let frame (frame: Frame) (panel: Panel) : Panel = { panel with Panel.Frame = frame }

    /// A solid line, two pixels wide, through (x, y); label "" keeps it out of the legend.
    let line (label: string) (colour: Colour) (x: float[]) (y: float[]) (panel: Panel) : Panel =
        let mark: LineMark =
            {
                LineMark.X = x
                LineMark.Y = y
                LineMark.Colour = colour
                LineMark.Label = label
            }

        add (Mark.Line mark) panel

    let private scatter label shape size colours x y : Panel -> Panel =
        let mark: ScatterMark =
            {
                ScatterMark.X = x
                ScatterMark.Y = y
                ScatterMark.Shape = shape
                ScatterMark.Size = size
                ScatterMark.Colours = colours
                ScatterMark.Label = label
            }

        add (Mark.Scatter mark)

    /// Points of one shape, diameter in pixels and colour; label "" keeps them out of the legend.
    let points
        (label: string)
        (shape: Marker)
        (size: float)
        (colour: Colour)
        (x: float[])
        (y: float[])
        (panel: Panel)
        : Panel =
        scatter label shape size [| colour |] x y panel

    /// Points with a colour each: colours is as long as x and y.
    let colouredPoints
        (shape: Marker)
        (size: float)
        (colours: Colour[])
        (x: float[])
        (y: float[])
        (panel: Panel)
        : Panel =
        scatter "" shape size colours x y panel

    /// A closed polygon, outlined in a colour and filled with it at an opacity in [0, 1].
    let polygon (colour: Colour) (opacity: float) (x: float[]) (y: float[]) (panel: Panel) : Panel =
        let mark: PolygonMark =
            {
                PolygonMark.X = x
                PolygonMark.Y = y
                PolygonMark.Fill = Colour.withOpacity opacity colour
                PolygonMark.Stroke = colour
            }

        add (Mark.Polygon mark) panel

    /// A bar per category, named below the axis.
    let bars (colour: Colour) (categories: string list) (heights: float[]) (panel: Panel) : Panel =
        let mark: BarMark =
            {
                BarMark.X = Array.init heights.Length float
                BarMark.Heights = heights
                BarMark.Width = 0.7
                BarMark.Errors = [||]
                BarMark.Colours = [| colour |]
            }

        panel |> xTicks (categories |> List.mapi (fun i name -> float i, name)) |> add (Mark.Bars mark)

    let private rule orientation label colour at panel =
        let mark: RuleMark =
            {
                RuleMark.Orientation = orientation
                RuleMark.At = at
                RuleMark.Colour = colour
                RuleMark.Label = label
            }

        add (Mark.Rule mark) panel

    /// A dashed horizontal line across the panel at y, such as a chance level.
    let horizontal (label: string) (colour: Colour) (y: float) (panel: Panel) : Panel =
        rule Orientation.Horizontal label colour y panel

    /// A dashed vertical line across the panel at x.
    let vertical (label: string) (colour: Colour) (x: float) (panel: Panel) : Panel =
        rule Orientation.Vertical label colour x panel

    /// The outline of the rectangle from (x0, y0) to (x1, y1), two pixels wide.
    let box (colour: Colour) (dashed: bool) (x0: float, y0: float) (x1: float, y1: float) (panel: Panel) : Panel =
        let mark: BoxMark =
            {
                BoxMark.X0 = x0
                BoxMark.Y0 = y0
                BoxMark.X1 = x1
                BoxMark.Y1 = y1
                BoxMark.Colour = colour
                BoxMark.Dashed = dashed
            }

        add (Mark.Box mark) panel

    /// Makes the panel a picture of height × width pixels, with square pixels and no axes. x runs to the right over
    /// [0, width] and y down over [0, height], so that marks can be given in pixel coordinates.
    let private picture (height: int) (width: int) (panel: Panel) : Panel =
        { panel with
            Panel.X = { panel.X with Axis.Limits = Limits.Fixed(0.0, float (max 1 width)) }
            Panel.Y =
                { panel.Y with
                    Axis.Limits = Limits.Fixed(0.0, float (max 1 height))
                    Axis.Reversed = true
                }
            Panel.Frame = Frame.Box
            Panel.EqualAspect = true
        }

    let private imageMark (pixels: Pixels) (height: int) (width: int) (bar: bool) : Mark =
        Mark.Image
            {
                ImageMark.Pixels = pixels
                ImageMark.Left = 0.0
                ImageMark.Right = float width
                ImageMark.Top = 0.0
                ImageMark.Bottom = float height
                ImageMark.ColourBar = bar
            }

    /// Shows values [H, W] between two limits through a colour map, with a colour bar if wanted. Pixel (i, j)
    /// covers x in [j, j + 1] and y in [i, i + 1], y pointing down.
    let mapped (map: ColourMap) (low: float, high: float) (bar: bool) (values: float[,]) (panel: Panel) : Panel =
        let height, width = Array2D.length1 values, Array2D.length2 values

        panel
        |> picture height width
        |> add (imageMark (Pixels.Mapped(values, low, high, map)) height width bar)

    /// Shows values [H, W] as grey, black at low and white at high; pixel coordinates as in mapped.
    let grey (low: float, high: float) (values: float[,]) (panel: Panel) : Panel =
        mapped ColourMap.grey (low, high) false values panel

    /// A panel that shows grey values [side²] of a square image, black at 0 and white at 1.
    let ofGrey (values: float32[]) (title: string) : Panel =
        let side = int (sqrt (float values.Length))
        create title |> grey (0.0, 1.0) (Array2D.init side side (fun y x -> float values[y * side + x]))

    /// Shows colours [H, W, 3] with channels in [0, 1]; pixel coordinates as in mapped.
    let rgb (values: float[,,]) (panel: Panel) : Panel =
        let height, width = Array3D.length1 values, Array3D.length2 values

        panel |> picture height width |> add (imageMark (Pixels.Rgb values) height width false)

    /// Shows height × width pixels, whose colours a function gives by row and column; pixel coordinates as in mapped.
    let painted (height: int) (width: int) (colour: int -> int -> Colour) (panel: Panel) : Panel =
        let values = Array3D.zeroCreate height width 3

        for y in 0 .. height - 1 do
            for x in 0 .. width - 1 do
                let c = colour y x
                values[y, x, 0] <- float c.R / 255.0
                values[y, x, 1] <- float c.G / 255.0
                values[y, x, 2] <- float c.B / 255.0

        rgb values panel

    /// The smallest and the largest finite value; (0, 1) where there is none.
    let range (values: float[,]) : float * float =
        let finite = values |> Seq.cast<float> |> Seq.filter Double.IsFinite |> Array.ofSeq

        if finite.Length = 0 then
            0.0, 1.0
        else
            Array.min finite, Array.max finite

    /// Shows a matrix [rows, columns] as coloured cells with a colour bar. format is a .NET number format for the
    /// values in the cells ("P0" for whole percentages); "" leaves them out.
    let heatmap
        (map: ColourMap)
        (low: float, high: float)
        (rows: string list)
        (columns: string list)
        (format: string)
        (values: float[,])
        (panel: Panel)
        : Panel =
        let mark: HeatmapMark =
            {
                HeatmapMark.Values = values
                HeatmapMark.Rows = rows
                HeatmapMark.Columns = columns
                HeatmapMark.Low = low
                HeatmapMark.High = high
                HeatmapMark.Map = map
                HeatmapMark.Format = format
            }

        let ticks names = names |> List.mapi (fun i name -> float i + 0.5, name)

        { panel with
            Panel.X =
                { panel.X with
                    Axis.Limits = Limits.Fixed(0.0, float (max 1 (Array2D.length2 values)))
                    Axis.Ticks = Ticks.At(ticks columns)
                }
            Panel.Y =
                { panel.Y with
                    Axis.Limits = Limits.Fixed(0.0, float (max 1 (Array2D.length1 values)))
                    Axis.Ticks = Ticks.At(ticks rows)
                    Axis.Reversed = true
                }
        }
        |> add (Mark.Heatmap mark)

    /// Shows counts [rows, columns] as a heatmap of each row's shares, `whole` times, as texts in a format.
    let confusion
        (whole: float)
        (format: string)
        (rows: string list)
        (columns: string list)
        (counts: int[,])
        (panel: Panel)
        : Panel =
        let ofRow i = max 1 (Array.sum counts[i, *])
        let shares = counts |> Array2D.mapi (fun i _ count -> whole * float count / float (ofRow i))
        heatmap ColourMap.blues (0.0, whole) rows columns format shares panel
