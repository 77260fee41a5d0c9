namespace Scae.Core.Metrics

open System
open System.Numerics.Tensors
open Scae.Tensors
open Scae.Core.Data

/// The layout of planes that hold an image with margins on all sides. A margin has room for the displacement of a
/// pixel, up to `reach` pixels each way, and for its context, which is as wide.
type private Planes(reach: int) =
    let stride = Digits.Side + 4 * reach

    member _.Reach: int = reach

    /// The width of the margin: what a displacement and a context together may reach beyond the image.
    member _.Margin: int = 2 * reach

    /// The distance of a pixel from the one below it, in numbers.
    member _.Stride: int = stride

    /// The distance of a pixel from the one diagonally below it to the right.
    member _.Diagonal: int = stride + 1

    /// How many numbers at a plane's start and end belong neither to a pixel nor to a context.
    member _.Rim: int = reach * (stride + 1)

    /// A plane of zeros.
    member _.Empty() : float32[] = Array.zeroCreate (stride * stride)

    /// The distances to all places to which a pixel may be displaced.
    member val Displacements: int[] =
        [| for down in -reach .. reach -> [| for right in -reach .. reach -> down * stride + right |] |]
        |> Array.concat

/// The slopes of an image's ink to the right and downwards, in planes with margins.
type private Slopes = { Right: float32[]; Down: float32[] }

/// Planes for intermediate results.
type private Room =
    {
        Padded: float32[]
        Smoothed: float32[]
        Difference: float32[]
        Squares: float32[]
        Best: float32[]
        Other: Slopes
    }

/// How different two images are when each pixel may be displaced by some pixels: slopes are compared within a pixel's
/// context, at the best of all displacements (the image distortion model, Keysers et al. 2007, "Deformation models
/// for image recognition").
[<RequireQualifiedAccess>]
module ImageDistortion =
    /// A plane without its first and last `skipped` numbers, moved by `step`.
    let private inner (skipped: int) (step: int) (x: float32[]) : ReadOnlySpan<float32> =
        ReadOnlySpan(x, skipped + step, x.Length - 2 * skipped)

    let private into (skipped: int) (x: float32[]) : Span<float32> = Span(x, skipped, x.Length - 2 * skipped)

    let private slopes (planes: Planes) : Slopes = { Right = planes.Empty(); Down = planes.Empty() }

    let private room (planes: Planes) : Room =
        {
            Padded = planes.Empty()
            Smoothed = planes.Empty()
            Difference = planes.Empty()
            Squares = planes.Empty()
            Best = planes.Empty()
            Other = slopes planes
        }

    /// Computes Sobel's slopes of an image of 28 × 28 numbers.
    let private find (planes: Planes) (room: Room) (image: float32[]) (slopes: Slopes) : unit =
        let margin, stride, diagonal = planes.Margin, planes.Stride, planes.Diagonal

        // x[−step] + 2·x + x[step].
        let smooth (step: int) (x: float32[]) (y: float32[]) =
            TensorPrimitives.Add(inner diagonal -step x, inner diagonal step x, into diagonal y)
            TensorPrimitives.MultiplyAdd(inner diagonal 0 x, 2f, inner diagonal 0 y, into diagonal y)

        let difference (step: int) (x: float32[]) (y: float32[]) =
            TensorPrimitives.Subtract(inner stride step x, inner stride -step x, into stride y)

        for row in 0 .. Digits.Side - 1 do
            Array.blit image (row * Digits.Side) room.Padded ((row + margin) * stride + margin) Digits.Side

        smooth stride room.Padded room.Smoothed
        difference 1 room.Smoothed slopes.Right
        smooth 1 room.Padded room.Smoothed
        difference stride room.Smoothed slopes.Down

    /// Sums the numbers at an image's pixels, in an order that doesn't depend on the width of vectors.
    let private sum (planes: Planes) (x: float32[]) : float32 =
        let columns = Array.zeroCreate<float32> Digits.Side

        for row in planes.Margin .. planes.Margin + Digits.Side - 1 do
            let pixels = ReadOnlySpan(x, row * planes.Stride + planes.Margin, Digits.Side)
            TensorPrimitives.Add(ReadOnlySpan columns, pixels, Span columns)

        Array.sum columns

    /// Adds to each square those before and after it, as far as the context goes; `step` is the distance between
    /// neighbours.
    let private spread (planes: Planes) (room: Room) (step: int) : unit =
        let rim, squares, others = planes.Rim, room.Squares, room.Difference
        TensorPrimitives.Add(inner rim -step squares, inner rim step squares, into rim others)

        for steps in 2 .. planes.Reach do
            TensorPrimitives.Add(inner rim 0 others, inner rim (-steps * step) squares, into rim others)
            TensorPrimitives.Add(inner rim 0 others, inner rim (steps * step) squares, into rim others)

        TensorPrimitives.Add(inner rim 0 squares, inner rim 0 others, into rim squares)

    /// Σ over pixels of min over displacements of Σ over the context of (a − b displaced)², of both slopes.
    let private compare (planes: Planes) (room: Room) (a: Slopes) (b: Slopes) : float32 =
        let rim, x = planes.Rim, room.Difference
        Array.Fill(room.Best, infinityf)

        for displaced in planes.Displacements do
            TensorPrimitives.Subtract(inner rim 0 a.Right, inner rim displaced b.Right, into rim x)
            TensorPrimitives.Multiply(inner rim 0 x, inner rim 0 x, into rim room.Squares)
            TensorPrimitives.Subtract(inner rim 0 a.Down, inner rim displaced b.Down, into rim x)
            let squares = inner rim 0 room.Squares
            TensorPrimitives.MultiplyAdd(inner rim 0 x, inner rim 0 x, squares, into rim room.Squares)
            spread planes room 1
            spread planes room planes.Stride
            TensorPrimitives.Min(inner rim 0 room.Best, squares, into rim room.Best)

        sum planes room.Best

    // How many images one part of the work compares.
    [<Literal>]
    let private AtOnce = 64

    /// For each image, the k of its candidates with the least distortion, least first. The candidates' pixels may be
    /// displaced by up to `reach` pixels, and the context reaches as far each way. Images are 28 × 28 numbers each.
    /// Raises ArgumentException if an image has fewer than k candidates, or if `reach` is below 1.
    let nearest (reach: int) (k: int) (candidates: int[][]) (images: float32[][]) : int[][] =
        if reach < 1 then
            invalidArg (nameof reach) $"distortion: a reach of {reach}; must be at least a pixel"

        for row in candidates do
            if k > row.Length then
                invalidArg
                    (nameof k)
                    $"distortion: {k} of {row.Length} candidates; must be at most as many as there are"

        let planes = Planes reach
        let found = Array.zeroCreate images.Length

        let part number =
            let room = room planes
            let own = slopes planes

            for i in number * AtOnce .. min images.Length ((number + 1) * AtOnce) - 1 do
                find planes room images[i] own

                let distortion other =
                    find planes room images[other] room.Other
                    compare planes room own room.Other

                found[i] <-
                    candidates[i]
                    |> Array.map (fun other -> struct (distortion other, other))
                    |> Array.sort
                    |> Array.truncate k
                    |> Array.map (fun struct (_, other) -> other)

        Parallelism.Run((images.Length + AtOnce - 1) / AtOnce, part)
        found
