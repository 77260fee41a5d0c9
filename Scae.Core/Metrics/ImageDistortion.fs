namespace Scae.Core.Metrics

open System
open System.Numerics.Tensors
open Scae.Tensors
open Scae.Core.Data

/// Planes that hold an image and margins around it, in which so many pixels each way are looked at: for a pixel's displacement,
/// and again for its context.
type private Planes(reach: int) =
    let stride = Digits.Side + 4 * reach

    member _.Reach: int = reach

    /// What a displacement and a context may reach of what isn't the image.
    member _.Margin: int = 2 * reach

    /// Numbers from a pixel to the one below it.
    member _.Stride: int = stride

    /// Numbers from a pixel to the one to the right of that.
    member _.Diagonal: int = stride + 1

    /// Numbers at a plane's start and end that are no pixel's and in no context.
    member _.Rim: int = reach * (stride + 1)

    /// A plane of zeros.
    member _.Empty() : float32[] = Array.zeroCreate (stride * stride)

    /// Steps to all places to which a pixel may be displaced.
    member val Displacements: int[] =
        [| for down in -reach .. reach -> [| for right in -reach .. reach -> down * stride + right |] |]
        |> Array.concat

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

/// How unlike two images are if each pixel may be sought some pixels farther: slopes are compared in a pixel's context, at the
/// best of all displacements (the image distortion model, Keysers et al. 2007, "Deformation models for image recognition").
[<RequireQualifiedAccess>]
module ImageDistortion =
    /// All of a plane but so many numbers at its start and end, moved by a step.
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

    /// Sobel's slopes of an image of 28 × 28 numbers.
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

    /// Numbers at an image's pixels, summed in an order that no width of vectors changes.
    let private sum (planes: Planes) (x: float32[]) : float32 =
        let columns = Array.zeroCreate<float32> Digits.Side

        for row in planes.Margin .. planes.Margin + Digits.Side - 1 do
            let pixels = ReadOnlySpan(x, row * planes.Stride + planes.Margin, Digits.Side)
            TensorPrimitives.Add(ReadOnlySpan columns, pixels, Span columns)

        Array.sum columns

    /// To each square those before and after it, up to the context's end in steps of so many numbers.
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

    // Images that one part of the work looks at.
    [<Literal>]
    let private AtOnce = 64

    /// Of each image's candidates the k least distorted, least first: seen from the image, whose candidates' pixels are sought up
    /// to `reach` pixels farther, in a context of as many each way. Images are 28 × 28 numbers each. Raises ArgumentException
    /// where there are fewer candidates, or nothing is in reach.
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
