namespace Scae.Core.Experiments

open Scae.Core.Figures

/// How frames lie in memory: channel by channel, side × side pixels each.
type FrameShape = { Channels: int; Side: int }

/// Three rows of frames of one sequence.
type Traversal =
    {
        /// What is seen.
        Input: float32[][]
        /// What is decoded from each frame's own T.
        Reconstruction: float32[][]
        /// What is decoded from T of frame 0, all capsules rolled by 0, 1, … entries.
        Rolled: float32[][]
    }

/// Pictures of frames that topographic autoencoders see and draw.
[<RequireQualifiedAccess>]
module TvaePictures =
    let private row (shape: FrameShape) (frames: float32[][]) : Panel =
        Tiles.panel shape.Channels shape.Side (max 1 frames.Length) frames ""

    // The size of a frame in a picture, in pixels.
    [<Literal>]
    let private FrameSize = 44.0

    let private rowSize (frames: int) (figure: Figure) : Figure =
        Figure.panelSize (FrameSize * float (max 1 frames)) (FrameSize + 6.0) figure

    /// Capsule traversals of some sequences, three rows each.
    let traversals (shape: FrameShape) (name: string) (title: string) (sequences: Traversal list) : Figure =
        let rows (it: Traversal) =
            [ [ row shape it.Input ]; [ row shape it.Reconstruction ]; [ row shape it.Rolled ] ]

        let frames = sequences |> List.map _.Input.Length |> List.fold max 1

        Figure.create name title (List.collect rows sequences)
        |> rowSize frames
        |> Figure.rowLabels (sequences |> List.collect (fun _ -> [ "input"; "drawn"; "rolled" ]))
        |> Figure.note
            "Drawn: decoded from the frame's own T. Rolled: T of the first frame, inferred from the sequence, all capsules rolled by one entry a frame, then decoded."

    /// Sequences frame by frame: input, reconstruction, and what the rolled capsules of frame 0 decode to.
    let rolling (shape: FrameShape) (name: string) (sequences: Traversal list) : Animation =
        let frames = sequences |> List.map _.Input.Length |> List.fold max 0

        let picture (t: int) =
            let single (frames: float32[][]) = Tiles.panel shape.Channels shape.Side 1 [| frames[t] |] ""

            Figure.create
                name
                $"Frame {t + 1} of {frames}"
                [ for it in sequences -> [ single it.Input; single it.Reconstruction; single it.Rolled ] ]
            |> Figure.panelSize 130.0 130.0
            |> Figure.columnLabels [ "input"; "drawn"; "rolled" ]

        Animation.create name 6.0 (Array.init frames picture)

    // Pictures of a grid [rows · columns] in one panel.
    let private grid (shape: FrameShape) (columns: int) (pictures: float32[][]) : Panel =
        Tiles.panel shape.Channels shape.Side columns pictures ""

    let private titled (name: string) (title: string) (panel: Panel) : Figure = Figure.create name title [ [ panel ] ]

    /// What the decoder draws from T of the prior.
    let samples (shape: FrameShape) (pictures: float32[][]) : Figure =
        grid shape 10 pictures |> titled "samples" "Samples of the prior" |> Figure.panelSize 560.0 560.0

    /// For each unit of a square map, row by row, the image that moves it most.
    let maximumActivation (shape: FrameShape) (edge: int) (pictures: float32[][]) : Figure =
        grid shape edge pictures
        |> titled "maximum-activation" "The test image with the largest |T| of each unit"
        |> Figure.panelSize 720.0 720.0

    let private unselective = Colour.white

    // A class has the same colour in every run, whichever of the ten are preferred.
    [<Literal>]
    let private DigitClasses = 10

    /// The class that each unit of a square map prefers, −1 for none, row by row.
    let selectivity (edge: int) (classes: int[]) : Figure =
        let present = classes |> List.ofArray |> List.filter (fun c -> c >= 0) |> List.distinct |> List.sort

        let colour (preferred: int) =
            if preferred < 0 then
                unselective
            else
                Palette.categoryOf (max DigitClasses (1 + List.last present)) preferred

        Panel.create ""
        |> Panel.painted edge edge (fun y x -> colour classes[y * edge + x])
        |> titled "selectivity" "The class that each unit prefers, d′ of at least 0.85"
        |> Figure.panelSize 480.0 480.0
        |> Figure.keys Swatch.Patch [ for c in present -> $"{c}", colour c ]
        |> Figure.key "none" unselective Swatch.Patch

    /// Correlations of T² between units [s, s], the diagonal left out; units lie capsule by capsule.
    let covariance (correlations: float[,]) : Figure =
        let shown = correlations |> Array2D.mapi (fun i j value -> if i = j then 0.0 else value)
        let units = float (max 1 (Array2D.length1 shown))
        // Whole pixels a unit, without empty bands around.
        let side = units * max 1.0 (floor (680.0 / units))

        Panel.create ""
        |> Panel.mapped ColourMap.diverging (-1.0, 1.0) true shown
        |> titled "covariance" "Correlation of T² between units"
        |> Figure.panelSize (side + 70.0) (side + 12.0)
        |> Figure.note "Units lie capsule by capsule; the diagonal is set to 0."
