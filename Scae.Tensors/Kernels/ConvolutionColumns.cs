using System;
using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Convolution of images with few channels, one image at a time: Z = W·C, where C holds the image's patches as columns.
/// Backwards, ∂W = Σ ∂Z·Cᵀ, and ∂C = Wᵀ·∂Z is added to the pixels that the patches came from. Where
/// <see cref="ConvolutionLines"/> fits, Z and ∂W are computed without writing out the columns.
/// </summary>
internal static unsafe class ConvolutionColumns
{
    private const int ColumnSlot = 0;
    private const int SlopeSlot = 1;
    private const int SumSlot = 2;

    public static void Forward<T, TActivation>(in ConvolutionProblem<T> problem)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        Making<T, TActivation> job = new() { Problem = problem };
        WorkerPool.Run(ref job, problem.Blocks, problem.Sizes.Work);
    }

    public static void Backward<T, TActivation>(in ConvolutionProblem<T> problem)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        var sizes = problem.Sizes;
        int length = (sizes.Filters * sizes.Seen) + sizes.Filters;
        var sums = Scratch.Take<T>(SumSlot, problem.Blocks * length);
        sums.Clear();
        fixed (T* start = sums)
        {
            Unmaking<T, TActivation> job = new() { Problem = problem, Sums = start, Length = length };
            WorkerPool.Run(ref job, problem.Blocks, problem.Sizes.Work);
            for (int block = 0; block < problem.Blocks; block++)
            {
                T* own = start + (block * length);
                if (problem.ToFilters != null) Add(own, problem.ToFilters, sizes.Filters * sizes.Seen);
                if (problem.ToBias != null) Add(own + (sizes.Filters * sizes.Seen), problem.ToBias, sizes.Filters);
            }
        }
    }

    private static void Add<T>(T* from, T* into, int length)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < length; i++) into[i] += from[i];
    }

    private struct Making<T, TActivation> : IParallelJob
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        public ConvolutionProblem<T> Problem;

        public readonly void Run(int part)
        {
            var sizes = Problem.Sizes;
            int seen = sizes.Seen, places = sizes.Window.Places;
            bool inLines = ConvolutionLines.Fits(sizes);
            var columns = inLines ? default : Scratch.Take<T>(ColumnSlot, seen * places);
            ReadOnlySpan<T> filters = new(Problem.Filters, sizes.Filters * seen);
            var (first, end) = Problem.Block(part);
            for (int b = first; b < end; b++)
            {
                if (inLines)
                {
                    ConvolutionLines.Make(Problem, b);
                    TActivation.Apply(Problem.Made(b));
                    continue;
                }

                Patches.ToColumns(sizes.Window, new ReadOnlySpan<T>(Problem.Images + ((long)b * sizes.Image), sizes.Image), columns, accumulate: false);
                var made = Problem.Made(b);
                bool biased = Problem.Bias != null;
                for (int o = 0; biased && o < sizes.Filters; o++) made.Slice(o * places, places).Fill(Problem.Bias[o]);
                MatMul.Multiply(sizes.Filters, places, seen, filters, seen, 1, columns, places, 1, made, places, accumulate: biased);
                TActivation.Apply(made);
            }
        }
    }

    private struct Unmaking<T, TActivation> : IParallelJob
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        public ConvolutionProblem<T> Problem;
        public T* Sums;
        public int Length;

        public readonly void Run(int part)
        {
            var sizes = Problem.Sizes;
            int seen = sizes.Seen, places = sizes.Window.Places;
            bool inLines = ConvolutionLines.Fits(sizes);
            var columns = Scratch.Take<T>(ColumnSlot, seen * places);
            var dz = Scratch.Take<T>(SlopeSlot, sizes.Made);
            Span<T> sums = new(Sums + (part * Length), Length);
            ReadOnlySpan<T> filters = new(Problem.Filters, sizes.Filters * seen);
            LongSums<T> shared = new(sums, Scratch.TotalSlot, sizes.FewImages);
            var (first, end) = Problem.Block(part);
            for (int b = first; b < end; b++)
            {
                shared.Next();
                TActivation.Slope(Problem.Gradient(b), Problem.Made(b), dz);
                if (Problem.ToBias != null)
                    for (int o = 0; o < sizes.Filters; o++) sums[(sizes.Filters * seen) + o] += Reduce.Sum<T>(dz.Slice(o * places, places));
                ReadOnlySpan<T> image = new(Problem.Images + ((long)b * sizes.Image), sizes.Image);
                if (Problem.ToFilters != null && inLines && ConvolutionLines.AreFinite(image))
                {
                    ConvolutionLines.AddToFilters<T>(Problem, b, dz, sums);
                }
                else if (Problem.ToFilters != null)
                {
                    Patches.ToColumns(sizes.Window, image, columns, accumulate: false);
                    MatMul.Multiply<T>(sizes.Filters, seen, places, dz, places, 1, columns, 1, places, sums, seen, accumulate: true);
                }

                if (Problem.ToImages == null) continue;
                MatMul.Multiply(seen, places, sizes.Filters, filters, 1, seen, dz, places, 1, columns, places, accumulate: false);
                Span<T> into = new(Problem.ToImages + ((long)b * sizes.Image), sizes.Image);
                if (!Problem.Accumulate) into.Clear();
                Patches.AddToImage(sizes.Window, columns, into);
            }

            shared.Finish();
        }
    }
}
