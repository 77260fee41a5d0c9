using System;
using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>Images as mixtures of parts, shared among threads in blocks of images that don't depend on their number.</summary>
internal static unsafe class PartMixtureKernel
{
    // Twice as many blocks as a small machine has threads; each has sums of its own for what images share.
    private const int MostBlocks = 16;
    private const int SumSlot = 2;

    /// <summary>The log-likelihoods of all images, into a span of one an image.</summary>
    public static void Forward<T>(in PartSizes sizes, PartSpans<T> values, Span<T> likelihoods)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Run(sizes, values, likelihoods, default, backward: false);

    /// <summary>Adds the gradients of everything that wants one; sums over images run in a fixed order.</summary>
    public static void Backward<T>(in PartSizes sizes, PartSpans<T> values, ReadOnlySpan<T> gradient, PartSpans<T> gradients)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Run(sizes, values, gradient, gradients, backward: true);

    private static void Run<T>(in PartSizes sizes, PartSpans<T> values, ReadOnlySpan<T> output, PartSpans<T> gradients, bool backward)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (T* images = values.Images, templates = values.Templates, poses = values.Poses, presences = values.LogPresence, background = values.Background)
        fixed (T* alpha = values.Alpha, logit = values.BackgroundLogit, temperature = values.Temperature, colour = values.Colour, scale = values.Scale)
        fixed (T* toTemplates = gradients.Templates, toPoses = gradients.Poses, toPresences = gradients.LogPresence, toBackground = gradients.Background)
        fixed (T* toAlpha = gradients.Alpha, toLogit = gradients.BackgroundLogit, toTemperature = gradients.Temperature, toColour = gradients.Colour, toScale = gradients.Scale)
        fixed (T* result = output)
        {
            PartProblem<T> problem = new()
            {
                Sizes = sizes,
                Images = images,
                Templates = templates,
                TemplatesBatch = Batch(values.Templates.Length, sizes.Parts * sizes.Channels * sizes.Texels, sizes),
                Poses = poses,
                LogPresence = presences,
                Background = background,
                BackgroundBatch = Batch(values.Background.Length, sizes.Channels, sizes),
                Alpha = alpha,
                AlphaBatch = Batch(values.Alpha.Length, sizes.Parts * sizes.Texels, sizes),
                BackgroundLogit = logit,
                Temperature = temperature,
                Colour = colour,
                Scale = scale,
                IsCoupled = values.IsCoupled,
                Output = result,
                ToTemplates = toTemplates,
                ToPoses = toPoses,
                ToLogPresence = toPresences,
                ToBackground = toBackground,
                ToAlpha = toAlpha,
                ToBackgroundLogit = toLogit,
                ToTemperature = toTemperature,
                ToColour = toColour,
                ToScale = toScale,
            };
            if (backward) Backward(problem);
            else Forward(problem);
        }
    }

    /// <summary>Elements from one image's to the next's; 0 where the given length is that of one for all.</summary>
    private static int Batch(int length, int one, in PartSizes sizes) => length > one ? one : 0;

    private static void Forward<T>(in PartProblem<T> problem)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Explaining<T> job = new() { Problem = problem, Blocks = int.Min(MostBlocks, problem.Sizes.Images) };
        WorkerPool.Run(ref job, job.Blocks, Work(problem.Sizes));
    }

    private static void Backward<T>(in PartProblem<T> problem)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int length = SumLength(problem), blocks = int.Min(MostBlocks, problem.Sizes.Images);
        var sums = Scratch.Take<T>(SumSlot, blocks * length);
        sums.Clear();
        fixed (T* start = sums)
        {
            Differentiating<T> job = new() { Problem = problem, Blocks = blocks, Sums = start, Length = length };
            WorkerPool.Run(ref job, blocks, Work(problem.Sizes));
            for (int block = 0; block < blocks; block++) Add(problem, start + ((long)block * length));
        }
    }

    // A pixel of a part takes as long as some fifty multiply-adds.
    private static long Work(in PartSizes sizes) => 50L * sizes.Images * sizes.Parts * sizes.Pixels;

    private static int SumLength<T>(in PartProblem<T> problem)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        (problem.Sizes.Parts * (problem.Sizes.Channels + 1) * problem.Sizes.Texels) + problem.Sizes.Channels + 3;

    private static PartSums<T> SumsIn<T>(in PartProblem<T> problem, T* start)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int templates = problem.Sizes.Parts * problem.Sizes.Channels * problem.Sizes.Texels, alpha = problem.Sizes.Parts * problem.Sizes.Texels;
        T* background = start + templates + alpha, logit = background + problem.Sizes.Channels;
        return new()
        {
            Templates = problem.TemplatesBatch == 0 && problem.ToTemplates != null ? start : null,
            Alpha = problem.AlphaBatch == 0 && problem.ToAlpha != null ? start + templates : null,
            Background = problem.BackgroundBatch == 0 && problem.ToBackground != null ? background : null,
            BackgroundLogit = logit,
            Temperature = logit + 1,
            Scale = logit + 2,
        };
    }

    private static void Add<T>(in PartProblem<T> problem, T* start)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var sums = SumsIn(problem, start);
        var sizes = problem.Sizes;
        Add(sums.Templates, problem.ToTemplates, sizes.Parts * sizes.Channels * sizes.Texels);
        Add(sums.Alpha, problem.ToAlpha, sizes.Parts * sizes.Texels);
        Add(sums.Background, problem.ToBackground, sizes.Channels);
        Add(sums.BackgroundLogit, problem.ToBackgroundLogit, 1);
        Add(sums.Temperature, problem.ToTemperature, 1);
        Add(sums.Scale, problem.ToScale, 1);
    }

    private static void Add<T>(T* from, T* into, int length)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (from == null || into == null) return;
        for (int i = 0; i < length; i++) into[i] += from[i];
    }

    private struct Explaining<T> : IParallelJob
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public PartProblem<T> Problem;
        public int Blocks;

        public readonly void Run(int part)
        {
            int images = Problem.Sizes.Images;
            var image = PartImage<T>.Open(Problem);
            for (int b = (int)((long)images * part / Blocks); b < (int)((long)images * (part + 1) / Blocks); b++)
                Problem.Output[b] = image.Explain(b);
        }
    }

    private struct Differentiating<T> : IParallelJob
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public PartProblem<T> Problem;
        public int Blocks, Length;
        public T* Sums;

        public readonly void Run(int part)
        {
            int images = Problem.Sizes.Images;
            var image = PartImage<T>.Open(Problem);
            T* start = Sums + ((long)part * Length);
            var sums = SumsIn(Problem, start);
            LongSums<T> shared = new(new Span<T>(start, Length), Scratch.TotalSlot);
            for (int b = (int)((long)images * part / Blocks); b < (int)((long)images * (part + 1) / Blocks); b++)
            {
                shared.Next();
                if (T.IsNaN(image.Explain(b))) Undefine(b);
                else image.Differentiate(b, Problem.Output[b], sums);
            }

            shared.Finish();
        }

        // A likelihood that isn't a number has no slope; its poses say so.
        private readonly void Undefine(int b)
        {
            if (Problem.ToPoses != null) new Span<T>(Problem.ToPoses + ((long)b * Problem.Sizes.Parts * 6), Problem.Sizes.Parts * 6).Fill(T.NaN);
        }
    }
}
