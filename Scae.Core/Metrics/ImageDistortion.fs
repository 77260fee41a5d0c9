namespace Scae.Core.Metrics

open System
open System.Numerics.Tensors
open Scae.Tensors
open Scae.Core.Data

/// How fast an image's ink grows, to the right and down, in planes with margins.
type private Slopes = { Right: float32[]; Down: float32[] }

/// Planes for what comes up on the way.
type private Room =
    {
        Padded: float32[]
        Smoothed: float32[]
        Difference: float32[]
        Squares: float32[]
        Best: float32[]
        Other: Slopes
    }

/// How unlike two images are if each pixel may be sought one pixel farther: slopes are compared in 3 × 3 pixels, at the best of
/// nine shifts (the image distortion model, Keysers et al. 2007, "Deformation models for image recognition").
[<RequireQualifiedAccess>]
module ImageDistortion =
    // How far around a pixel is looked: a shift of one and a context of one.
    [<Literal>]
    let private Margin = 2

    // A plane holds an image of 28 × 28 and its margins.
    [<Literal>]
    let private Stride = 32

    [<Literal>]
    let private Plane = 1024

    // To the right and down.
    [<Literal>]
    let private Diagonal = 33

    let private plane () : float32[] = Array.zeroCreate Plane

    let private shifts: int[] =
        [| for down in -1 .. 1 -> [| for right in -1 .. 1 -> down * Stride + right |] |] |> Array.concat

    /// All of a plane but so many numbers at its start and end, moved by a step.
    let private inner (skipped: int) (step: int) (x: float32[]) : ReadOnlySpan<float32> =
        ReadOnlySpan(x, skipped + step, Plane - 2 * skipped)

    let private into (skipped: int) (x: float32[]) : Span<float32> = Span(x, skipped, Plane - 2 * skipped)

    /// x[−step] + 2·x + x[step].
    let private smooth (step: int) (x: float32[]) (y: float32[]) : unit =
        TensorPrimitives.Add(inner Diagonal -step x, inner Diagonal step x, into Diagonal y)
        TensorPrimitives.MultiplyAdd(inner Diagonal 0 x, 2f, inner Diagonal 0 y, into Diagonal y)

    let private difference (step: int) (x: float32[]) (y: float32[]) : unit =
        TensorPrimitives.Subtract(inner Stride step x, inner Stride -step x, into Stride y)

    let private room () : Room =
        {
            Padded = plane ()
            Smoothed = plane ()
            Difference = plane ()
            Squares = plane ()
            Best = plane ()
            Other = { Right = plane (); Down = plane () }
        }

    /// Sobel's slopes of an image of 28 × 28 numbers.
    let private find (room: Room) (image: float32[]) (slopes: Slopes) : unit =
        for row in 0 .. Digits.Side - 1 do
            Array.blit image (row * Digits.Side) room.Padded ((row + Margin) * Stride + Margin) Digits.Side

        smooth Stride room.Padded room.Smoothed
        difference 1 room.Smoothed slopes.Right
        smooth 1 room.Padded room.Smoothed
        difference Stride room.Smoothed slopes.Down

    /// Numbers at an image's pixels, summed in an order that no width of vectors changes.
    let private sum (x: float32[]) : float32 =
        let columns = Array.zeroCreate<float32> Digits.Side

        for row in Margin .. Margin + Digits.Side - 1 do
            TensorPrimitives.Add(
                ReadOnlySpan columns,
                ReadOnlySpan(x, row * Stride + Margin, Digits.Side),
                Span columns
            )

        Array.sum columns

    /// To each number those before and after it, so many steps away.
    let private spread (room: Room) (step: int) : unit =
        let x = room.Squares
        TensorPrimitives.Add(inner Diagonal -step x, inner Diagonal step x, into Diagonal room.Difference)
        TensorPrimitives.Add(inner Diagonal 0 x, inner Diagonal 0 room.Difference, into Diagonal x)

    /// Σ over pixels of min over shifts of Σ over 3 × 3 pixels of (a − b shifted)², of both slopes.
    let private compare (room: Room) (a: Slopes) (b: Slopes) : float32 =
        let x = room.Difference
        Array.Fill(room.Best, infinityf)

        for shift in shifts do
            TensorPrimitives.Subtract(inner Diagonal 0 a.Right, inner Diagonal shift b.Right, into Diagonal x)
            TensorPrimitives.Multiply(inner Diagonal 0 x, inner Diagonal 0 x, into Diagonal room.Squares)
            TensorPrimitives.Subtract(inner Diagonal 0 a.Down, inner Diagonal shift b.Down, into Diagonal x)
            let squares = inner Diagonal 0 room.Squares
            TensorPrimitives.MultiplyAdd(inner Diagonal 0 x, inner Diagonal 0 x, squares, into Diagonal room.Squares)
            spread room 1
            spread room Stride
            TensorPrimitives.Min(inner Diagonal 0 room.Best, squares, into Diagonal room.Best)

        sum room.Best

    // Images that one part of the work looks at.
    [<Literal>]
    let private AtOnce = 64

    /// Of each image's candidates the k least distorted, least first: seen from the image, whose candidates' pixels are sought.
    /// Images are 28 × 28 numbers each. Raises ArgumentException where there are fewer candidates.
    let nearest (k: int) (candidates: int[][]) (images: float32[][]) : int[][] =
        for row in candidates do
            if k > row.Length then
                invalidArg
                    (nameof k)
                    $"distortion: {k} of {row.Length} candidates; must be at most as many as there are"

        let found = Array.zeroCreate images.Length

        let part number =
            let room = room ()
            let own = { Right = plane (); Down = plane () }

            for i in number * AtOnce .. min images.Length ((number + 1) * AtOnce) - 1 do
                find room images[i] own

                let distortion other =
                    find room images[other] room.Other
                    compare room own room.Other

                found[i] <-
                    candidates[i]
                    |> Array.map (fun other -> struct (distortion other, other))
                    |> Array.sort
                    |> Array.truncate k
                    |> Array.map (fun struct (_, other) -> other)

        Parallelism.Run((images.Length + AtOnce - 1) / AtOnce, part)
        found
