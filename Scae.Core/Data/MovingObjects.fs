namespace Scae.Core.Data

open System
open Scae.Tensors
open Scae.Core.Configuration

/// What moves.
[<RequireQualifiedAccess>]
type MovingSource =
    /// The kinds of shapes of a configuration.
    | Shapes
    /// Digits at half size, black and white.
    | Digits

/// How sequences of moving objects are drawn.
type MovingObjectsConfig =
    {
        [<Setting("what moves: shapes, or digits of 14×14 pixels")>]
        Source: MovingSource
        [<Setting("width and height of a frame in pixels", Min = 8.0, Max = 256.0)>]
        Canvas: int
        [<Setting("objects a sequence", Name = "objects", Min = 1.0, Max = 64.0)>]
        Count: int
        [<Setting("of square, disc, wide-triangle, triangle-up, triangle-down, and the last two and square with outlined- before, separated by commas")>]
        Kinds: ShapeKind list
        [<Setting("half-size of a shape in pixels", Min = 1.0, Max = 64.0)>]
        HalfSize: int
        [<Setting("frames of a measured sequence", Min = 2.0, Max = 1000.0)>]
        Frames: int
        [<Setting("least speed of an object in pixels a frame", Min = 0.0, Max = 64.0)>]
        Slowest: float
        [<Setting("largest speed of an object in pixels a frame", Min = 0.0, Max = 64.0)>]
        Fastest: float
    }

/// The pixels of an object within the least rectangle around them, row by row.
type ObjectMask = { Width: int; Height: int; Lit: bool[] }

/// The course of one coordinate: constant velocity between two walls, off which it bounces.
[<Struct>]
type Bounce =
    {
        /// Its value in frame 0, between 0 and Room.
        Start: float
        /// Pixels a frame.
        Velocity: float
        /// The largest value it may have; the least is 0.
        Room: float
    }

/// Objects that fly at constant velocity in straight lines and bounce off the canvas' sides (the flying shapes and flying
/// MNIST of Greff, van Steenkiste & Schmidhuber 2017, §5.2 and §5.3). Objects pass through one another; where they
/// overlap, the later one is drawn on top.
[<RequireQualifiedAccess>]
module MovingObjects =
    // Width and height of a digit: half of the original's.
    [<Literal>]
    let private DigitSide = 14

    /// The paper's flying shapes: three of its static shapes on 28×28, 20 frames. The speeds are ours, since the
    /// authors' data isn't available.
    let paper: MovingObjectsConfig =
        {
            Source = MovingSource.Shapes
            Canvas = Shapes.paper.Canvas
            Count = 3
            Kinds = Shapes.paper.Kinds
            HalfSize = Shapes.paper.Largest
            Frames = 20
            Slowest = 0.5
            Fastest = 1.5
        }

    /// The mask within the least rectangle around lit pixels, which are given as (x, y); one dark pixel if there are
    /// none.
    let private maskOf (pixels: struct (int * int) list) : ObjectMask =
        match pixels with
        | [] -> { Width = 1; Height = 1; Lit = [| false |] }
        | pixels ->
            let xs = pixels |> List.map (fun struct (x, _) -> x)
            let ys = pixels |> List.map (fun struct (_, y) -> y)
            let left, top = List.min xs, List.min ys
            let width, height = List.max xs - left + 1, List.max ys - top + 1
            let lit = Array.zeroCreate (width * height)

            for struct (x, y) in pixels do
                lit[(y - top) * width + x - left] <- true

            { Width = width; Height = height; Lit = lit }

    /// The mask of each kind of shape.
    let masksOfShapes (config: MovingObjectsConfig) : ObjectMask[] =
        [| for kind in config.Kinds -> maskOf (Shapes.pixels kind config.HalfSize) |]

    /// The mask of each digit at half size: a pixel is lit if the mean of the four pixels that it stands for is at
    /// least half of white.
    let masksOfDigits (digits: Digits) : ObjectMask[] =
        let at i x y = int digits.Pixels[i * Digits.Pixels + y * Digits.Side + x]

        let isLit i x y =
            let x, y = 2 * x, 2 * y
            at i x y + at i (x + 1) y + at i x (y + 1) + at i (x + 1) (y + 1) >= 510

        Array.init (Digits.count digits) (fun i ->
            maskOf
                [
                    for y in 0 .. DigitSide - 1 do
                        for x in 0 .. DigitSide - 1 do
                            if isLit i x y then
                                struct (x, y)
                ])

    /// The least canvas on which every object of a configuration fits.
    let leastCanvas (config: MovingObjectsConfig) : int =
        match config.Source with
        | MovingSource.Digits -> DigitSide
        | MovingSource.Shapes -> masksOfShapes config |> Array.map (fun mask -> max mask.Width mask.Height) |> Array.max

    /// The value of a coordinate in a frame, in 0..Room: start + velocity·t, folded at the walls.
    let position (bounce: Bounce) (frame: int) : float =
        if bounce.Room <= 0.0 then
            0.0
        else
            let period = 2.0 * bounce.Room
            let way = bounce.Start + bounce.Velocity * float frame
            let within = way - period * floor (way / period)
            Math.Clamp(min within (period - within), 0.0, bounce.Room)

    /// Draws the courses of an object's left and top: start and direction are uniform, the speed is uniform in
    /// slowest..fastest.
    let fly (config: MovingObjectsConfig) (mask: ObjectMask) (random: KeyStream) : struct (Bounce * Bounce) =
        let across, down = float (config.Canvas - mask.Width), float (config.Canvas - mask.Height)
        let x = random.NextDouble() * across
        let y = random.NextDouble() * down
        let angle = 2.0 * Math.PI * random.NextDouble()
        let speed = config.Slowest + (config.Fastest - config.Slowest) * random.NextDouble()

        struct ({ Start = x; Velocity = speed * cos angle; Room = across },
                { Start = y; Velocity = speed * sin angle; Room = down })

    /// Draws object number 1, 2, … over those in a frame that begins at a given pixel of the batch.
    let private drawOne canvas (mask: ObjectMask) left top first number (images: Span<float32>) (batch: Shapes) =
        for y in 0 .. mask.Height - 1 do
            for x in 0 .. mask.Width - 1 do
                if mask.Lit[y * mask.Width + x] then
                    let at = first + (top + y) * canvas + left + x
                    batch.Overlap[at] <- batch.Labels[at] > 0
                    batch.Labels[at] <- number
                    images[at] <- 1.0f

    /// Draws sequences of `frames` frames, with objects whose masks are chosen at random, one sequence after the
    /// other: images [b, frames, D], or any other shape with as many elements. A pure function of the key.
    let fill (config: MovingObjectsConfig) (frames: int) (masks: ObjectMask[]) (key: Key) (batch: Shapes) : unit =
        let pixels = config.Canvas * config.Canvas
        let images = batch.Images.Elements<float32>()
        let random = key.Stream()
        images.Clear()
        Array.Clear batch.Labels
        Array.Clear batch.Overlap

        for sequence in 0 .. images.Length / (frames * pixels) - 1 do
            for number in 1 .. config.Count do
                let mask = masks[random.NextInt masks.Length]
                let struct (x, y) = fly config mask random

                for frame in 0 .. frames - 1 do
                    let left, top = int (position x frame + 0.5), int (position y frame + 0.5)
                    drawOne config.Canvas mask left top ((sequence * frames + frame) * pixels) number images batch

    /// Room for frames [count · frames, D], all zeros.
    let allocate (config: MovingObjectsConfig) (frames: int) (count: int) : Shapes =
        Shapes.room config.Canvas (count * frames)

    /// New sequences of config.Frames frames; a pure function of the key.
    let sample (config: MovingObjectsConfig) (masks: ObjectMask[]) (count: int) (key: Key) : Shapes =
        let batch = allocate config config.Frames count
        fill config config.Frames masks key batch
        batch
