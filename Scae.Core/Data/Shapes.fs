namespace Scae.Core

open System
open Scae.Tensors

/// The kinds of shapes; s is a shape's half-size and (dx, dy) the offset from its centre, dy pointing down.
[<RequireQualifiedAccess>]
type ShapeKind =
    /// |dx| ≤ s and |dy| ≤ s.
    | Square
    /// dx² + dy² ≤ s².
    | Disc
    /// The small program's triangle: |dx| ≤ dy + s for |dy| ≤ s. Its base, 4s + 1 wide, is cut at the canvas' edge.
    | WideTriangle
    /// Equilateral, point up: |dx| ≤ (dy + s + 1) / √3 for |dy| ≤ s; 2s + 1 rows.
    | TriangleUp
    /// The same, point down.
    | TriangleDown

/// Kinds of shapes by name.
[<RequireQualifiedAccess>]
module ShapeKind =
    let private names =
        [
            "square", ShapeKind.Square
            "disc", ShapeKind.Disc
            "wide-triangle", ShapeKind.WideTriangle
            "triangle-up", ShapeKind.TriangleUp
            "triangle-down", ShapeKind.TriangleDown
        ]

    /// The kinds of a list such as "square,disc". The error is one line with the nearest name.
    let parse (text: string) : Result<ShapeKind list, string> =
        let find (name: string) =
            match List.tryFind (fun (known, _) -> known = name) names with
            | Some(_, kind) -> Ok kind
            | None -> Error $"--kinds {text}: there is no kind {name}{Spelling.nearest name (List.map fst names)}"

        (text.Split ',', Ok [])
        ||> Array.foldBack (fun name rest ->
            Result.bind (fun kinds -> find (name.Trim()) |> Result.map (fun kind -> kind :: kinds)) rest)

/// How images of shapes are drawn.
type ShapesConfig =
    {
        /// Width and height in pixels.
        Canvas: int
        /// Shapes an image.
        Count: int
        Kinds: ShapeKind list
        /// Half-sizes are uniform in smallest..largest.
        Smallest: int
        Largest: int
        /// A candidate is dropped when a larger share of its bounding square is taken; 1 drops none.
        MostTaken: float
    }

/// Binary images with the truth that training never sees.
type Shapes =
    {
        /// Float32 [b, D], D = canvas²: 1 where a shape is.
        Images: Tensor
        /// For each pixel of each image (b·D) 0 for the background, else 1 + the number of the shape drawn last there.
        Labels: int[]
        /// For each pixel whether two or more shapes cover it.
        Overlap: bool[]
    }

/// Images of shapes at random places (the static shapes of Greff, van Steenkiste & Schmidhuber 2017, §5.1, and the
/// published small program's variant of them).
[<RequireQualifiedAccess>]
module Shapes =
    [<Literal>]
    let private MostTries = 20

    /// The small program's task: three of square, disc and wide triangle with s in 2..4 on 24×24.
    let published: ShapesConfig =
        {
            Canvas = 24
            Count = 3
            Kinds = [ ShapeKind.Square; ShapeKind.Disc; ShapeKind.WideTriangle ]
            Smallest = 2
            Largest = 4
            MostTaken = 0.6
        }

    /// The paper's static shapes: three of square, upward and downward triangle on 28×28, overlap allowed. The original
    /// sizes are unknown; here every shape is seven rows high: squares 7 wide, triangles 9.
    let paper: ShapesConfig =
        {
            Canvas = 28
            Count = 3
            Kinds = [ ShapeKind.Square; ShapeKind.TriangleUp; ShapeKind.TriangleDown ]
            Smallest = 3
            Largest = 3
            MostTaken = 1.0
        }

    /// How far left and right of the centre a row of a shape reaches; −1 where it has no pixel.
    let private halfWidth (kind: ShapeKind) (s: int) (dy: int) : int =
        match kind with
        | ShapeKind.Square -> s
        | ShapeKind.Disc -> int (sqrt (float (s * s - dy * dy)))
        | ShapeKind.WideTriangle -> dy + s
        | ShapeKind.TriangleUp -> int (float (dy + s + 1) / sqrt 3.0)
        | ShapeKind.TriangleDown -> int (float (s - dy + 1) / sqrt 3.0)

    /// How far a shape must stay from the canvas' sides. The small program only asks for s, so that the base of its
    /// triangle can leave the canvas.
    let private reach (kind: ShapeKind) (s: int) : int =
        match kind with
        | ShapeKind.TriangleUp
        | ShapeKind.TriangleDown -> max s (halfWidth ShapeKind.TriangleUp s s)
        | _ -> s

    /// The least canvas on which every shape of a configuration fits.
    let leastCanvas (config: ShapesConfig) : int =
        2 * (config.Kinds |> List.map (fun kind -> reach kind config.Largest) |> List.max) + 1

    /// Room for a batch, all zeros.
    let allocate (config: ShapesConfig) (count: int) : Shapes =
        let pixels = config.Canvas * config.Canvas

        {
            Images = Tensor.zeros [| count; pixels |]
            Labels = Array.zeroCreate (count * pixels)
            Overlap = Array.zeroCreate (count * pixels)
        }

    /// The share of the square around a centre that is taken.
    let private taken (canvas: int) (labels: ReadOnlySpan<int>) (s: int) (cx: int) (cy: int) : float =
        let mutable count = 0

        for y in cy - s .. cy + s do
            for x in cx - s .. cx + s do
                if labels[y * canvas + x] > 0 then
                    count <- count + 1

        float count / float ((2 * s + 1) * (2 * s + 1))

    /// Draws every image of a batch anew, in place. Where shapes overlap the later one owns the pixel. A pure function
    /// of the key.
    let fill (config: ShapesConfig) (key: Key) (batch: Shapes) : unit =
        let canvas = config.Canvas
        let pixels = canvas * canvas
        let kinds = Array.ofList config.Kinds
        let images = batch.Images.Elements<float32>()
        let mutable random = key.Stream()
        images.Clear()
        Array.Clear batch.Labels
        Array.Clear batch.Overlap

        for image in 0 .. batch.Images.shape[0] - 1 do
            let first = image * pixels
            let mutable placed = 0
            let mutable tries = 0

            while placed < config.Count && tries < MostTries do
                tries <- tries + 1
                let s = random.NextInt(config.Smallest, config.Largest + 1)
                let kind = kinds[random.NextInt kinds.Length]
                let margin = reach kind s
                let cx = random.NextInt(margin, canvas - margin)
                let cy = random.NextInt(s, canvas - s)

                let crowded =
                    config.MostTaken < 1.0
                    && taken canvas (ReadOnlySpan(batch.Labels, first, pixels)) s cx cy > config.MostTaken

                if not crowded then
                    placed <- placed + 1

                    for y in cy - s .. cy + s do
                        let half = halfWidth kind s (y - cy)

                        for x in max 0 (cx - half) .. min (canvas - 1) (cx + half) do
                            let at = first + y * canvas + x
                            batch.Overlap[at] <- batch.Labels[at] > 0
                            batch.Labels[at] <- placed
                            images[at] <- 1.0f

    /// A new batch; a pure function of the key.
    let sample (config: ShapesConfig) (count: int) (key: Key) : Shapes =
        let batch = allocate config count
        fill config key batch
        batch

    /// The images from first to first + count − 1, with their truth; fewer where there aren't as many.
    let range (first: int) (count: int) (batch: Shapes) : Shapes =
        let count = min count (batch.Images.shape[0] - first)
        let pixels = batch.Images.shape[1]

        {
            Images = (batch.Images.slice (0, first, first + count)).clone()
            Labels = Array.sub batch.Labels (first * pixels) (count * pixels)
            Overlap = Array.sub batch.Overlap (first * pixels) (count * pixels)
        }
