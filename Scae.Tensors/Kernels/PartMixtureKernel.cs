using System;
using System.Numerics;
using System.Numerics.Tensors;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Images as mixtures of parts. Threads share the work in blocks of images, which don't depend on the number of threads.
/// </summary>
internal static unsafe class PartMixtureKernel
{
    // Twice as many blocks as a small machine has threads.
    private const int MostBlocks = 16;
    private const int SumSlot = 2;

    /// <summary>How many elements the record of one image's slopes has.</summary>
    public static int SlopesLength(in PartSizes sizes) => PartSlopes<float>.Length(sizes);

    /// <summary>
    /// The log-likelihood of each image and, unless their span is empty, the slopes. Computed here, while an image's
    /// components are in the cache, slopes cost half of what they would later.
    /// </summary>
    public static void Forward<T>(in PartSizes sizes, PartSpans<T> values, Span<T> likelihoods, Span<T> slopes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (T* images = values.Images, templates = values.Templates, poses = values.Poses, presences = values.LogPresence, background = values.Background)
        fixed (T* alpha = values.Alpha, logit = values.BackgroundLogit, temperature = values.Temperature, colour = values.Colour, scale = values.Scale)
        fixed (T* output = likelihoods, records = slopes)
        {
            Explaining<T> job = new()
            {
                Blocks = int.Min(MostBlocks, sizes.Images),
                Problem = new()
                {
                    Sizes = sizes,
                    Images = images,
                    Templates = templates,
                    TemplatesBatch = Batch(values.Templates.Length, sizes.Parts * sizes.Channels * sizes.Texels),
                    Poses = poses,
                    LogPresence = presences,
                    Background = background,
                    BackgroundBatch = Batch(values.Background.Length, sizes.Channels),
                    Alpha = alpha,
                    AlphaBatch = Batch(values.Alpha.Length, sizes.Parts * sizes.Texels),
                    BackgroundLogit = logit,
                    Temperature = temperature,
                    Colour = colour,
                    Scale = scale,
                    IsCoupled = values.IsCoupled,
                    Output = output,
                    Slopes = records,
                },
            };
            WorkerPool.Run(ref job, job.Blocks, Work(sizes));
        }
    }

    /// <summary>
    /// Adds to the gradients of everything that wants one. The slopes are multiplied in place by the gradients of the
    /// likelihoods. Sums over images are made as in <see cref="Rowwise"/>.
    /// </summary>
    public static void Backward<T>(in PartSizes sizes, ReadOnlySpan<T> gradient, Span<T> slopes, PartSpans<T> into)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int length = SlopesLength(sizes);
        var sums = Scratch.Take<T>(SumSlot, length);
        fixed (T* g = gradient, records = slopes) Sharing.Run(new Scaling<T>(g, records, length), sizes.Images, slopes.Length >= Sharing.ManyElements);
        Rowwise.Sum<T>(slopes, 1, sums, accumulate: false);
        int at = 0;
        Add(sizes, slopes, sums, ref at, 6 * sizes.Parts, into.Poses);
        Add(sizes, slopes, sums, ref at, sizes.Parts, into.LogPresence);
        Add(sizes, slopes, sums, ref at, sizes.Parts * sizes.Channels, into.Colour);
        Add(sizes, slopes, sums, ref at, sizes.Parts * sizes.Channels * sizes.Texels, into.Templates);
        Add(sizes, slopes, sums, ref at, sizes.Parts * sizes.Texels, into.Alpha);
        Add(sizes, slopes, sums, ref at, sizes.Channels, into.Background);
        Add(sizes, slopes, sums, ref at, 1, into.BackgroundLogit);
        Add(sizes, slopes, sums, ref at, 1, into.Temperature);
        Add(sizes, slopes, sums, ref at, 1, into.Scale);
    }

    /// <summary>
    /// Elements from one image's argument to the next image's; 0 where the length is that of one argument for all images.
    /// </summary>
    private static int Batch(int length, int one) => length > one ? one : 0;

    /// <summary>
    /// Adds a stretch of the slopes to a gradient: the sums where images share the argument, otherwise each image's own.
    /// </summary>
    private static void Add<T>(in PartSizes sizes, ReadOnlySpan<T> slopes, ReadOnlySpan<T> sums, ref int at, int length, Span<T> into)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int start = at;
        at += length;
        if (into.IsEmpty) return;
        if (into.Length == length)
        {
            TensorPrimitives.Add(into, sums.Slice(start, length), into);
            return;
        }

        for (int b = 0; b < sizes.Images; b++)
        {
            var own = into.Slice(b * length, length);
            TensorPrimitives.Add(own, slopes.Slice((b * sums.Length) + start, length), own);
        }
    }

    // A pixel of a part takes as long as some fifty multiply-adds.
    private static long Work(in PartSizes sizes) => 50L * sizes.Images * sizes.Parts * sizes.Pixels;

    private struct Explaining<T> : IParallelJob
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public PartProblem<T> Problem;
        public int Blocks;

        public readonly void Run(int part)
        {
            int images = Problem.Sizes.Images, length = SlopesLength(Problem.Sizes);
            var image = PartImage<T>.Open(Problem);
            for (int b = (int)((long)images * part / Blocks); b < (int)((long)images * (part + 1) / Blocks); b++)
            {
                T likelihood = Problem.Output[b] = image.Explain(b);
                if (Problem.Slopes == null) continue;
                T* record = Problem.Slopes + ((long)b * length);
                new Span<T>(record, length).Clear();
                var slopes = PartSlopes<T>.In(record, Problem.Sizes);

                // A likelihood that is NaN has no slopes; NaN in those of the poses makes that visible.
                if (T.IsNaN(likelihood)) new Span<T>(slopes.Poses, Problem.Sizes.Parts * 6).Fill(T.NaN);
                else image.Differentiate(b, slopes);
            }
        }
    }

    private readonly struct Scaling<T>(T* gradient, T* records, int length) : IRange
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run(int from, int to)
        {
            for (int b = from; b < to; b++)
            {
                Span<T> record = new(records + ((nint)b * length), length);
                TensorPrimitives.Multiply(record, gradient[b], record);
            }
        }
    }
}
