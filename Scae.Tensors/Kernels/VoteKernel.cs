using System;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace Scae.Tensors.Kernels;

/// <summary>
/// The sizes of capsules' votes. Each capsule has a row of raw numbers: the first 6·votes stand for its parts' poses, and
/// the next six for its own pose.
/// </summary>
internal readonly record struct VoteSizes(int Images, int Capsules, int Votes, int Row, bool IsSimilarity)
{
    /// <summary>Votes of one image.</summary>
    public int All => Capsules * Votes;
}

/// <summary>
/// The poses of capsules' votes, one image at a time, so that its planes stay in the second-level cache. Functions of the
/// raw numbers are kept from the forward pass. Gradients of what images share are summed in blocks of images, whose number
/// depends only on the number of images.
/// </summary>
internal static unsafe class VoteKernel
{
    private const int WorkSlot = 0;
    private const int SumSlot = 2;
    private const int MostBlocks = 16;

    // The six numbers of a pose, most of which go through an elementary function, take as long as some 200 multiply-adds.
    private const long PoseWork = 200;

    /// <summary>How many elements are kept for one image.</summary>
    public static int Kept<T>(in VoteSizes sizes)
        where T : unmanaged => PosePlanes.Functions * (Planes.Pitch<T>(sizes.All) + Planes.Pitch<T>(sizes.Capsules));

    /// <summary>Computes the votes' poses, and the functions to keep.</summary>
    public static void Forward<T>(in VoteSizes sizes, ReadOnlySpan<T> raw, ReadOnlySpan<T> parts, ReadOnlySpan<T> own, Span<T> kept, Span<T> output)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (T* x = raw, p = parts, o = own, k = kept, y = output)
        {
            Voting<T> job = new() { Sizes = sizes, Raw = x, Parts = p, Own = o, Kept = k, Output = y, Blocks = Blocks(sizes) };
            WorkerPool.Run(ref job, job.Blocks, PoseWork * sizes.Images * sizes.All);
        }
    }

    /// <summary>
    /// Adds to the gradients of the raw numbers and of what is added to them. A gradient whose span is empty isn't
    /// computed.
    /// </summary>
    public static void Backward<T>(in VoteSizes sizes, ReadOnlySpan<T> kept, ReadOnlySpan<T> outputGradient, Span<T> toRaw, Span<T> toParts, Span<T> toOwn)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int blocks = Blocks(sizes), length = PosePlanes.Numbers * (sizes.All + sizes.Capsules);
        var sums = Scratch.Take<T>(SumSlot, blocks * length);
        sums.Clear();
        fixed (T* k = kept, g = outputGradient, dx = toRaw, s = sums)
        {
            Unvoting<T> job = new() { Sizes = sizes, Kept = k, Gradient = g, ToRaw = dx, Sums = s, Length = length, Blocks = blocks };
            WorkerPool.Run(ref job, blocks, PoseWork * sizes.Images * sizes.All);
        }

        int shared = PosePlanes.Numbers * sizes.All;
        for (int at = 0; at < sums.Length; at += length)
        {
            if (!toParts.IsEmpty) TensorPrimitives.Add<T>(toParts, sums.Slice(at, shared), toParts);
            if (!toOwn.IsEmpty) TensorPrimitives.Add<T>(toOwn, sums.Slice(at + shared, length - shared), toOwn);
        }
    }

    private static int Blocks(in VoteSizes sizes) => int.Min(MostBlocks, sizes.Images);

    private static T* Take<T>(int length)
        where T : unmanaged =>
        (T*)Unsafe.AsPointer(ref Scratch.Take<T>(WorkSlot, length)[0]);

    private static (int First, int End) Block(int images, int block, int blocks) =>
        ((int)((long)images * block / blocks), (int)((long)images * (block + 1) / blocks));

    private struct Voting<T> : IParallelJob
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public VoteSizes Sizes;
        public T* Raw, Parts, Own, Kept, Output;
        public int Blocks;

        public readonly void Run(int block)
        {
            int n = PosePlanes.Numbers, pitch = Planes.Pitch<T>(Sizes.All), few = Planes.Pitch<T>(Sizes.Capsules);
            T* poses = Take<T>(n * ((2 * pitch) + few + Sizes.All)), left = poses + (n * pitch), own = left + (n * pitch), rows = own + (n * few);
            var (first, end) = Block(Sizes.Images, block, Blocks);
            for (int b = first; b < end; b++)
            {
                T* raw = Raw + ((long)b * Sizes.Capsules * Sizes.Row), kept = Kept + ((long)b * Kept<T>(Sizes));
                Gather(raw, n * Sizes.Votes, Parts, rows);
                Planes.Split(n, Sizes.All, rows, poses, pitch);
                PosePlanes.Evaluate(poses, kept, pitch, Sizes.IsSimilarity);
                PosePlanes.Poses(kept, poses, pitch, Sizes.IsSimilarity);

                kept += PosePlanes.Functions * pitch;
                Gather(raw + (n * Sizes.Votes), n, Own, rows);
                Planes.Split(n, Sizes.Capsules, rows, own, few);
                PosePlanes.Evaluate(own, kept, few, Sizes.IsSimilarity);
                PosePlanes.Poses(kept, own, few, Sizes.IsSimilarity);

                Planes.Repeat(n, Sizes.Capsules, Sizes.Votes, own, few, left, pitch);
                PosePlanes.Compose(left, poses, pitch);
                Planes.Join(n, Sizes.All, poses, pitch, Output + ((long)b * n * Sizes.All));
            }
        }

        /// <summary>Copies the same stretch of every capsule's row, one after the other, and adds what belongs to it.</summary>
        private readonly void Gather(T* raw, int length, T* added, T* into)
        {
            for (int k = 0; k < Sizes.Capsules; k++, raw += Sizes.Row, added += length, into += length)
                TensorPrimitives.Add(new ReadOnlySpan<T>(raw, length), new ReadOnlySpan<T>(added, length), new Span<T>(into, length));
        }
    }

    private struct Unvoting<T> : IParallelJob
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public VoteSizes Sizes;
        public T* Kept, Gradient, ToRaw, Sums;
        public int Blocks, Length;

        public readonly void Run(int block)
        {
            int n = PosePlanes.Numbers, pitch = Planes.Pitch<T>(Sizes.All), few = Planes.Pitch<T>(Sizes.Capsules);
            T* slopes = Take<T>(n * ((3 * pitch) + few + Sizes.All)), poses = slopes + (n * pitch), left = poses + (n * pitch);
            T* own = left + (n * pitch), rows = own + (n * few), toParts = Sums + ((long)block * Length), toOwn = toParts + (n * Sizes.All);
            var (first, end) = Block(Sizes.Images, block, Blocks);
            LongSums<T> shared = new(new Span<T>(toParts, Length), Scratch.TotalSlot);
            for (int b = first; b < end; b++)
            {
                shared.Next();
                T* parts = Kept + ((long)b * Kept<T>(Sizes)), self = parts + (PosePlanes.Functions * pitch);
                T* raw = ToRaw == null ? null : ToRaw + ((long)b * Sizes.Capsules * Sizes.Row);
                Planes.Split(n, Sizes.All, Gradient + ((long)b * n * Sizes.All), slopes, pitch);
                PosePlanes.Poses(parts, poses, pitch, Sizes.IsSimilarity);
                PosePlanes.Poses(self, own, few, Sizes.IsSimilarity);
                Planes.Repeat(n, Sizes.Capsules, Sizes.Votes, own, few, left, pitch);
                PosePlanes.Decompose(left, poses, slopes, pitch);
                PosePlanes.ToRaw(parts, slopes, pitch, Sizes.IsSimilarity);
                Planes.Join(n, Sizes.All, slopes, pitch, rows);
                Scatter(rows, n * Sizes.Votes, raw, toParts);

                for (int p = 0; p < n; p++)
                    for (int k = 0; k < Sizes.Capsules; k++)
                        own[(p * few) + k] = Reduce.Sum(new ReadOnlySpan<T>(poses + (p * pitch) + (k * Sizes.Votes), Sizes.Votes));
                PosePlanes.ToRaw(self, own, few, Sizes.IsSimilarity);
                Planes.Join(n, Sizes.Capsules, own, few, rows);
                Scatter(rows, n, raw == null ? null : raw + (n * Sizes.Votes), toOwn);
            }

            shared.Finish();
        }

        /// <summary>Adds gradients to the same stretch of every capsule's row, and to the sums for what was added there.</summary>
        private readonly void Scatter(T* rows, int length, T* raw, T* sums)
        {
            int all = Sizes.Capsules * length;
            TensorPrimitives.Add<T>(new(sums, all), new ReadOnlySpan<T>(rows, all), new(sums, all));
            if (raw == null) return;
            for (int k = 0; k < Sizes.Capsules; k++, raw += Sizes.Row, rows += length)
                TensorPrimitives.Add<T>(new(raw, length), new ReadOnlySpan<T>(rows, length), new(raw, length));
        }
    }
}
