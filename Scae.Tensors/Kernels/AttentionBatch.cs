using System;
using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Attention over many sets and heads. Threads share the work in blocks of sets. The number of blocks depends only on the
/// number of sets.
/// </summary>
/// <param name="Shape">The sizes of one head.</param>
/// <param name="Sets">How many sets.</param>
/// <param name="Heads">Heads, consecutive blocks of the last axis.</param>
/// <param name="QueryBatch">Elements from one set's queries to the next set's; 0 when all sets share the same queries.</param>
/// <param name="Padded">The length of a padded row of attention weights.</param>
/// <param name="Scale">What scores are multiplied by.</param>
/// <param name="Mask">How the keys' presences enter the scores; null without presences.</param>
/// <param name="Packed">Where the rows of each set are, when sets differ in size. Queries and keys then have the same rows.</param>
internal readonly unsafe record struct AttentionBatch(AttentionShape Shape, int Sets, int Heads, int QueryBatch, int Padded, double Scale, PresenceMask? Mask, PackedRows? Packed = null)
{
    private const int MostBlocks = 16;
    private const int QuerySlot = 5;

    private int Blocks => int.Min(MostBlocks, Sets);

    private long Work => (long)Sets * Heads * Shape.Queries * Shape.Keys * (Shape.Width + Shape.Values);

    /// <summary>Computes the attention weights p and the outputs y.</summary>
    public void Forward<T>(ReadOnlySpan<T> q, ReadOnlySpan<T> k, ReadOnlySpan<T> v, ReadOnlySpan<T> presence, Span<T> p, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (T* queries = q, keys = k, values = v, presences = presence, weights = p, outputs = y)
        {
            Attending<T> job = new() { Batch = this, Queries = queries, Keys = keys, Values = values, Presences = presences, Weights = weights, Outputs = outputs };
            WorkerPool.Run(ref job, Blocks, Work);
        }
    }

    /// <summary>
    /// Computes the gradients of values, queries, keys and presences. Each set's are computed in this order, because
    /// several inputs may be the same tensor. An input whose span is empty gets no gradient. When sets share queries, each
    /// block sums their gradient by itself.
    /// </summary>
    public void Backward<T>(
        ReadOnlySpan<T> q, ReadOnlySpan<T> k, ReadOnlySpan<T> v, ReadOnlySpan<T> presence, ReadOnlySpan<T> p, ReadOnlySpan<T> g,
        Span<T> dq, bool addToQueries, Span<T> dk, bool addToKeys, Span<T> dv, bool addToValues, Span<T> dd)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        bool shared = QueryBatch == 0 && !dq.IsEmpty;
        var sums = shared ? Scratch.Take<T>(QuerySlot, Blocks * dq.Length) : dq;
        if (shared) sums.Clear();
        fixed (T* queries = q, keys = k, values = v, presences = presence, weights = p, gradient = g)
        fixed (T* toQueries = sums, toKeys = dk, toValues = dv, toPresences = dd)
        {
            Returning<T> job = new()
            {
                Batch = this,
                Queries = queries,
                Keys = keys,
                Values = values,
                Presences = presences,
                Weights = weights,
                Gradient = gradient,
                ToQueries = toQueries,
                ToKeys = toKeys,
                ToValues = toValues,
                ToPresences = toPresences,
                QuerySums = shared ? dq.Length : 0,
                AddToQueries = addToQueries,
                AddToKeys = addToKeys,
                AddToValues = addToValues,
            };
            WorkerPool.Run(ref job, Blocks, 2 * Work);
        }

        for (int at = 0; shared && at < sums.Length; at += dq.Length)
            for (int i = 0; i < dq.Length; i++) dq[i] += sums[at + i];
    }

    private (int First, int End) Block(int block) => ((int)((long)Sets * block / Blocks), (int)((long)Sets * (block + 1) / Blocks));

    /// <summary>The sizes of set b's heads, its first row, and the padded length of its rows of weights.</summary>
    private (AttentionShape Shape, int First, int Padded) Set<T>(int b)
        where T : unmanaged
    {
        if (Packed is null) return (Shape, b * Shape.Keys, Padded);
        int count = Packed.Starts[b + 1] - Packed.Starts[b];
        return (Shape with { Queries = count, Keys = count }, Packed.Starts[b], Planes.Pitch<T>(count));
    }

    private int QueryAt(int b, int first, int h) => (Packed is null ? b * QueryBatch : first * Shape.KeyStride) + (h * Shape.Width);

    private int KeyAt(int first, int h) => (first * Shape.KeyStride) + (h * Shape.Width);

    private int ValueAt(int first, int h) => (first * Shape.ValueStride) + (h * Shape.Values);

    private int OutputAt(int b, int first, int h) => ((Packed is null ? b * Shape.Queries : first) * Shape.ValueStride) + (h * Shape.Values);

    private int WeightAt(int b, int h) => ((b * Heads) + h) * Shape.Queries * Padded;

    /// <summary>The elements of one head from its first row to the end of its last; empty without rows.</summary>
    private static Span<T> Rows<T>(T* start, int at, int rows, int stride, int width)
        where T : unmanaged => rows == 0 || width == 0 ? default : new(start + at, ((rows - 1) * stride) + width);

    /// <summary>What the presences of one set add to the scaled scores of its keys; empty without presences.</summary>
    private ReadOnlySpan<T> Bias<T>(T* presences, int b)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (Mask is null) return [];
        ReadOnlySpan<T> presence = new(presences + (b * Shape.Keys), Shape.Keys);
        return Mask == PresenceMask.Hard ? AttentionKernel.HardBias(presence, T.CreateChecked(Scale)) : AttentionKernel.LogBias(presence);
    }

    private struct Attending<T> : IParallelJob
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public AttentionBatch Batch;
        public T* Queries, Keys, Values, Presences, Weights, Outputs;

        public readonly void Run(int block)
        {
            T scale = T.CreateChecked(Batch.Scale);
            var (first, end) = Batch.Block(block);
            for (int b = first; b < end; b++)
            {
                var (shape, row, padded) = Batch.Set<T>(b);
                var (n, m, d, e, keyStride, valueStride) = shape;
                var bias = Batch.Bias(Presences, b);
                for (int h = 0; h < Batch.Heads && m > 0; h++)
                {
                    AttentionKernel.Forward(
                        shape, Rows(Queries, Batch.QueryAt(b, row, h), n, keyStride, d), Rows(Keys, Batch.KeyAt(row, h), m, keyStride, d),
                        Rows(Values, Batch.ValueAt(row, h), m, valueStride, e), scale, bias,
                        Rows(Weights, Batch.WeightAt(b, h), n, padded, padded), Rows(Outputs, Batch.OutputAt(b, row, h), n, valueStride, e));
                }
            }
        }
    }

    private struct Returning<T> : IParallelJob
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public AttentionBatch Batch;
        public T* Queries, Keys, Values, Presences, Weights, Gradient, ToQueries, ToKeys, ToValues, ToPresences;
        public int QuerySums;
        public bool AddToQueries, AddToKeys, AddToValues;

        public readonly void Run(int block)
        {
            var (first, end) = Batch.Block(block);
            LongSums<T> queries = new(new Span<T>(ToQueries + ((long)block * QuerySums), QuerySums), Scratch.TotalSlot);
            for (int b = first; b < end; b++)
            {
                queries.Next();
                for (int h = 0; h < Batch.Heads; h++) Head(block, b, h);
            }

            queries.Finish();
        }

        private readonly void Head(int block, int b, int h)
        {
            var (shape, row, padded) = Batch.Set<T>(b);
            var (n, m, d, e, keyStride, valueStride) = shape;
            if (m == 0) return;
            T scale = T.CreateChecked(Batch.Scale);
            ReadOnlySpan<T> p = Rows(Weights, Batch.WeightAt(b, h), n, padded, padded), g = Rows(Gradient, Batch.OutputAt(b, row, h), n, valueStride, e);
            if (ToValues != null)
                MatMul.Multiply<T>(m, e, n, p, 1, padded, g, valueStride, 1, Rows(ToValues, Batch.ValueAt(row, h), m, valueStride, e), valueStride, AddToValues);
            if (ToQueries == null && ToKeys == null && ToPresences == null) return;
            var ds = AttentionKernel.ScoreGradient(shape, g, Rows(Values, Batch.ValueAt(row, h), m, valueStride, e), p, scale);
            if (ToQueries != null)
                MatMul.Multiply(
                    n, d, m, ds, padded, 1, Rows(Keys, Batch.KeyAt(row, h), m, keyStride, d), keyStride, 1,
                    Rows(ToQueries + ((long)block * QuerySums), Batch.QueryAt(b, row, h), n, keyStride, d), keyStride, AddToQueries);
            if (ToKeys != null)
                MatMul.Multiply(
                    m, d, n, ds, 1, padded, Rows(Queries, Batch.QueryAt(b, row, h), n, keyStride, d), keyStride, 1,
                    Rows(ToKeys, Batch.KeyAt(row, h), m, keyStride, d), keyStride, AddToKeys);
            if (ToPresences != null)
                AttentionKernel.AddLogBiasGradient(ds, padded, new ReadOnlySpan<T>(Presences + (b * m), m), scale, new Span<T>(ToPresences + (b * m), m));
        }
    }
}
