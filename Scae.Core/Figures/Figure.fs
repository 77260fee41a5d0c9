namespace Scae.Core.Figures

/// What stands beside a label in a key.
[<RequireQualifiedAccess>]
type Swatch =
    /// A stroke.
    | Line of dashed: bool
    /// A point of this shape.
    | Point of Marker
    /// A filled rectangle.
    | Patch
    /// An empty rectangle.
    | Outline of dashed: bool

/// An entry of a key.
[<RequireQualifiedAccess>]
type KeyEntry = { Label: string; Colour: Colour; Swatch: Swatch }

/// A picture as data: a grid of panels. Nothing here draws or writes; a renderer turns it into PNG or SVG.
[<RequireQualifiedAccess>]
type Figure =
    {
        /// The stem of the file name, such as "training-curves".
        Name: string
        /// Text above everything; "" for none.
        Title: string
        /// Rows of panels from the top. Rows may differ in length; missing panels stay empty.
        Panels: Panel list list
        /// Texts left of the rows; [] for none.
        RowLabels: string list
        /// Texts above the columns; [] for none.
        ColumnLabels: string list
        /// The wanted width of a panel with its labels, in pixels.
        PanelWidth: float
        /// The wanted height of a panel with its labels, in pixels.
        PanelHeight: float
        /// A legend for all panels, below the grid; [] for none.
        Key: KeyEntry list
        /// A small text at the bottom; "" for none.
        Note: string
    }

/// A sequence of figures of the same size.
[<RequireQualifiedAccess>]
type Animation =
    {
        /// The stem of the file name.
        Name: string
        /// The pictures in order; drawn at the size of the largest.
        Frames: Figure[]
        /// Seconds a frame is shown.
        Delay: float
        /// Seconds the last frame is shown before the animation starts again.
        Hold: float
    }

/// Putting panels together.
[<RequireQualifiedAccess>]
module Figure =

    /// A figure of rows of panels, 320 × 240 pixels each, without labels.
    let create (name: string) (title: string) (panels: Panel list list) : Figure =
        {
            Figure.Name = name
            Figure.Title = title
            Figure.Panels = panels
            Figure.RowLabels = []
            Figure.ColumnLabels = []
            Figure.PanelWidth = 320.0
            Figure.PanelHeight = 240.0
            Figure.Key = []
            Figure.Note = ""
        }

    /// A figure of one panel, 480 × 360 pixels.
    let single (name: string) (panel: Panel) : Figure =
        { create name "" [ [ panel ] ] with
            Figure.PanelWidth = 480.0
            Figure.PanelHeight = 360.0
        }

    /// Wanted size of each panel in pixels.
    let panelSize (width: float) (height: float) (figure: Figure) : Figure =
        { figure with Figure.PanelWidth = width; Figure.PanelHeight = height }

    /// Texts left of the rows.
    let rowLabels (labels: string list) (figure: Figure) : Figure = { figure with Figure.RowLabels = labels }

    /// Texts above the columns.
    let columnLabels (labels: string list) (figure: Figure) : Figure = { figure with Figure.ColumnLabels = labels }

    /// Adds an entry to the key below the panels.
    let key (label: string) (colour: Colour) (swatch: Swatch) (figure: Figure) : Figure =
        let entry: KeyEntry = { KeyEntry.Label = label; KeyEntry.Colour = colour; KeyEntry.Swatch = swatch }

        { figure with Figure.Key = figure.Key @ [ entry ] }

    /// Adds entries with labels and colours of their own, all with one swatch.
    let keys (swatch: Swatch) (entries: (string * Colour) list) (figure: Figure) : Figure =
        (figure, entries) ||> List.fold (fun figure (label, colour) -> key label colour swatch figure)

    /// A small text at the bottom.
    let note (note: string) (figure: Figure) : Figure = { figure with Figure.Note = note }

/// Putting figures in sequence.
[<RequireQualifiedAccess>]
module Animation =

    /// An animation at so many frames a second, which holds the last frame for two seconds.
    let create (name: string) (framesPerSecond: float) (frames: Figure[]) : Animation =
        {
            Animation.Name = name
            Animation.Frames = frames
            Animation.Delay = 1.0 / framesPerSecond
            Animation.Hold = 2.0
        }
