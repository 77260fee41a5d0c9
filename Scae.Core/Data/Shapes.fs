namespace Scae.Core.Data

open System
open Scae.Tensors
open Scae.Core.Configuration

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
    /// The outline of a square, two pixels thick.
    | OutlinedSquare
    /// The outline of a triangle, point up, with 2s + 1 rows. The first row is 2 pixels wide, and each row is 2 wider
    /// than the one above, except that the last is as wide as the one before, 4s. The base is two rows thick, and
    /// each side three pixels of a row.
    | OutlinedTriangleUp
    /// The same, point down.
    | OutlinedTriangleDown

/// How images of shapes are drawn.
type ShapesConfig =
    {
        [<Setting("width and height of an image in pixels", Min = 8.0, Max = 256.0)>]
        Canvas: int
        [<Setting("shapes an image", Name = "shapes", Min = 1.0, Max = 64.0)>]
        Count: int
        [<Setting("fewest shapes of a training image, whose number is then uniform from here to the most; 0 for always as many",
                  Name = "fewest-shapes",
                  Min = 0.0,
                  Max = 64.0)>]
        Fewest: int
        [<Setting("of square, disc, wide-triangle, triangle-up, triangle-down, and the last two and square with outlined- before, separated by commas")>]
        Kinds: ShapeKind list
        [<Setting("least half-size of a shape in pixels", Min = 1.0)>]
        Smallest: int
        [<Setting("largest half-size of a shape in pixels", Min = 1.0, Max = 128.0)>]
        Largest: int
        // The square's side is 2s + 1 for half-size s; outlined and wide triangles reach beyond it. 1 allows any.
        [<Setting("largest share of the square around a shape's centre that others may take", Min = 0.0, Max = 1.0)>]
        MostTaken: float
        // A shape's grey level is uniform in darkest..1.
        [<Setting("least grey level of a shape, 1 for binary images", Min = 0.05, Max = 1.0)>]
        Darkest: float
    }

/// Images with the truth that training never sees.
type Shapes =
    {
        /// Float32 [b, D], D = canvas²: the grey level of the shape drawn last at a pixel, 0 where there is none.
        Images: Tensor
        /// For each pixel of each image (b·D): 0 for the background, else 1 + the number of the shape drawn last there.
        Labels: int[]
        /// For each pixel whether two or more shapes cover it.
        Overlap: bool[]
    }

/// Images of shapes at random places (the static shapes of Greff, van Steenkiste & Schmidhuber 2017, §5.1, and the
/// published small program's variant of them).
[<RequireQualifiedAccess>]
module Shapes =
    // Candidates per image: 20, as in the small program for its three shapes, or more for more shapes.
    let private mostTries (config: ShapesConfig) = max 20 (7 * config.Count)

    /// The small program's task: three of square, disc and wide triangle with s in 2..4 on 24×24.
    let published: ShapesConfig =
        {
            Canvas = 24
            Count = 3
            Fewest = 0
            Kinds = [ ShapeKind.Square; ShapeKind.Disc; ShapeKind.WideTriangle ]
            Smallest = 2
            Largest = 4
            MostTaken = 0.6
            Darkest = 1.0
        }

    /// The paper's static shapes: three of square, upward and downward triangle on 28×28, overlap allowed. They are
    /// outlines seven rows high, as in the notebook that drew them for Greff, Srivastava & Schmidhuber 2015, "Binding via
    /// Reconstruction Clustering": squares 7 wide, triangles 12.
    let paper: ShapesConfig =
        {
            Canvas = 28
            Count = 3
            Fewest = 0
            Kinds = [ ShapeKind.OutlinedSquare; ShapeKind.OutlinedTriangleUp; ShapeKind.OutlinedTriangleDown ]
            Smallest = 3
            Largest = 3
            MostTaken = 1.0
            Darkest = 1.0
        }

    // The thickness of outlines: of a square's sides and a triangle's base, and, in pixels of a row, of slanted sides.
    [<Literal>]
    let private Thickness = 2

    [<Literal>]
    let private SlantedThickness = 3

    /// Row r of an outlined triangle, counted from its point, covers pixels −half .. half − 1 without −hole .. hole − 1.
    let private outlinedTriangle (s: int) (r: int) : struct (int * int) =
        let half = min (r + 1) (2 * s)
        let inBase = r > 2 * s - Thickness
        struct (half, (if inBase then 0 else max 0 (half - SlantedThickness)))

    /// Whether a shape with its centre at (0, 0) covers the pixel (dx, dy), for |dy| ≤ s.
    let private covers (kind: ShapeKind) (s: int) (dx: int) (dy: int) : bool =
        let outlined r =
            let struct (half, hole) = outlinedTriangle s r
            dx >= -half && dx < half && not (dx >= -hole && dx < hole)

        match kind with
        | ShapeKind.Square -> abs dx <= s
        | ShapeKind.Disc -> dx * dx + dy * dy <= s * s
        | ShapeKind.WideTriangle -> abs dx <= dy + s
        | ShapeKind.TriangleUp -> abs dx <= int (float (dy + s + 1) / sqrt 3.0)
        | ShapeKind.TriangleDown -> abs dx <= int (float (s - dy + 1) / sqrt 3.0)
        | ShapeKind.OutlinedSquare -> abs dx <= s && max (abs dx) (abs dy) > s - Thickness
        | ShapeKind.OutlinedTriangleUp -> outlined (dy + s)
        | ShapeKind.OutlinedTriangleDown -> outlined (s - dy)

    /// The columns that a shape may cover, left and right of its centre.
    let private width (kind: ShapeKind) (s: int) : struct (int * int) =
        match kind with
        | ShapeKind.Square
        | ShapeKind.Disc
        | ShapeKind.OutlinedSquare -> struct (s, s)
        | ShapeKind.WideTriangle -> struct (2 * s, 2 * s)
        | ShapeKind.TriangleUp
        | ShapeKind.TriangleDown ->
            let half = int (float (2 * s + 1) / sqrt 3.0)
            struct (half, half)
        | ShapeKind.OutlinedTriangleUp
        | ShapeKind.OutlinedTriangleDown -> struct (2 * s, 2 * s - 1)

    /// How far a shape's centre must stay from the canvas' left and right sides. The small program asks only for s,
    /// so the base of its triangle can leave the canvas.
    let private reach (kind: ShapeKind) (s: int) : struct (int * int) =
        match kind with
        | ShapeKind.WideTriangle -> struct (s, s)
        | ShapeKind.TriangleUp
        | ShapeKind.TriangleDown ->
            let struct (half, _) = width kind s
            struct (max s half, max s half)
        | _ -> width kind s

    /// The pixels that a shape of half-size s covers, as offsets (dx, dy) from its centre.
    let pixels (kind: ShapeKind) (s: int) : struct (int * int) list =
        let struct (left, right) = width kind s

        [
            for dy in -s .. s do
                for dx in -left .. right do
                    if covers kind s dx dy then
                        struct (dx, dy)
        ]

    /// The least canvas on which every shape of a configuration fits.
    let leastCanvas (config: ShapesConfig) : int =
        let needed kind =
            let struct (left, right) = reach kind config.Largest
            left + right + 1

        config.Kinds |> List.map needed |> List.max |> max (2 * config.Largest + 1)

    /// Room for images of canvas × canvas pixels, all zeros.
    let room (canvas: int) (count: int) : Shapes =
        let pixels = canvas * canvas

        {
            Images = Tensor.zeros [| count; pixels |]
            Labels = Array.zeroCreate (count * pixels)
            Overlap = Array.zeroCreate (count * pixels)
        }

    /// Room for a batch.
    let allocate (config: ShapesConfig) (count: int) : Shapes = room config.Canvas count

    /// The share of the square around a centre that is already taken.
    let private taken (canvas: int) (labels: ReadOnlySpan<int>) (s: int) (cx: int) (cy: int) : float =
        let mutable count = 0

        for y in cy - s .. cy + s do
            for x in cx - s .. cx + s do
                if labels[y * canvas + x] > 0 then
                    count <- count + 1

        float count / float ((2 * s + 1) * (2 * s + 1))

    /// Draws how many shapes an image should have. If the number is fixed, nothing is drawn.
    let private wanted (config: ShapesConfig) (random: KeyStream) : int =
        if config.Fewest > 0 && config.Fewest < config.Count then
            random.NextInt(config.Fewest, config.Count + 1)
        else
            config.Count

    /// Draws a shape's grey level. For binary images nothing is drawn.
    let private greyLevel (config: ShapesConfig) (random: KeyStream) : float32 =
        if config.Darkest < 1.0 then
            float32 (config.Darkest + (1.0 - config.Darkest) * random.NextDouble())
        else
            1.0f

    /// Draws shape number 1, 2, … over those of an image whose pixels begin at `first`.
    let private drawOne canvas kind s (cx: int) (cy: int) (number: int) (level: float32) first (batch: Shapes) : unit =
        let images = batch.Images.Elements<float32>()
        let struct (left, right) = width kind s

        for y in cy - s .. cy + s do
            for x in max 0 (cx - left) .. min (canvas - 1) (cx + right) do
                if covers kind s (x - cx) (y - cy) then
                    let at = first + y * canvas + x
                    batch.Overlap[at] <- batch.Labels[at] > 0
                    batch.Labels[at] <- number
                    images[at] <- level

    /// Draws shape number 1, 2, … of an image at a random place, unless too much is taken there; returns whether it
    /// was drawn.
    let private tryDraw
        (config: ShapesConfig)
        (kinds: ShapeKind[])
        (random: KeyStream)
        (number: int)
        (first: int)
        (batch: Shapes)
        : bool =
        let canvas = config.Canvas
        let s = random.NextInt(config.Smallest, config.Largest + 1)
        let kind = kinds[random.NextInt kinds.Length]
        let struct (left, right) = reach kind s
        let cx = random.NextInt(left, canvas - right)
        let cy = random.NextInt(s, canvas - s)

        let crowded =
            config.MostTaken < 1.0
            && taken canvas (ReadOnlySpan(batch.Labels, first, canvas * canvas)) s cx cy > config.MostTaken

        if not crowded then
            drawOne canvas kind s cx cy number (greyLevel config random) first batch

        not crowded

    /// Draws every image of a batch anew, in place. Where shapes overlap, the later one gets the pixel. A pure
    /// function of the key.
    let fill (config: ShapesConfig) (key: Key) (batch: Shapes) : unit =
        let pixels = config.Canvas * config.Canvas
        let most = mostTries config
        let kinds = Array.ofList config.Kinds
        let random = key.Stream()
        batch.Images.Elements<float32>().Clear()
        Array.Clear batch.Labels
        Array.Clear batch.Overlap

        for image in 0 .. batch.Images.shape[0] - 1 do
            let wanted = wanted config random
            let mutable placed = 0
            let mutable tries = 0

            while placed < wanted && tries < most do
                tries <- tries + 1

                if tryDraw config kinds random (placed + 1) (image * pixels) batch then
                    placed <- placed + 1

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
