using System;
using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// The sizes of a layer in which each capsule has weights of its own: inputs [rows, capsules, in] → [rows, capsules, out].
/// </summary>
internal readonly record struct CapsuleSizes(int Rows, int Capsules, int In, int Out)
{
    /// <summary>Multiply-adds of one product.</summary>
    public long Work => (long)Rows * Capsules * In * Out;
}

/// <summary>
/// A linear layer for each capsule, computed one capsule at a time; threads share the capsules. The rows of all capsules
/// are interleaved: those of one capsule are capsules · in (or out) elements apart.
/// </summary>
internal static unsafe class CapsuleLayer
{
    private const int SlopeSlot = 0;

    /// <summary>Y_k = f(X_k·W_k + b_k).</summary>
    public static void Forward<T, TActivation>(in CapsuleSizes sizes, ReadOnlySpan<T> x, ReadOnlySpan<T> w, ReadOnlySpan<T> b, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        fixed (T* inputs = x, weights = w, biases = b, outputs = y)
        {
            Making<T, TActivation> job = new() { Sizes = sizes, Inputs = inputs, Weights = weights, Biases = biases, Outputs = outputs };
            WorkerPool.Run(ref job, sizes.Capsules, sizes.Work);
        }
    }

    /// <summary>∂b_k += Σ ∂Z_k; ∂W_k (+)= X_kᵀ·∂Z_k; ∂X_k (+)= ∂Z_k·W_kᵀ. A gradient whose span is empty isn't computed.</summary>
    public static void Backward<T, TActivation>(
        in CapsuleSizes sizes, ReadOnlySpan<T> x, ReadOnlySpan<T> w, ReadOnlySpan<T> y, ReadOnlySpan<T> g,
        Span<T> dx, bool addToInputs, Span<T> dw, bool addToWeights, Span<T> db)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        fixed (T* inputs = x, weights = w, outputs = y, gradient = g, toInputs = dx, toWeights = dw, toBiases = db)
        {
            Unmaking<T, TActivation> job = new()
            {
                Sizes = sizes,
                Inputs = inputs,
                Weights = weights,
                Outputs = outputs,
                Gradient = gradient,
                ToInputs = toInputs,
                ToWeights = toWeights,
                ToBiases = toBiases,
                AddToInputs = addToInputs,
                AddToWeights = addToWeights,
            };
            WorkerPool.Run(ref job, sizes.Capsules, 2 * sizes.Work);
        }
    }

    private struct Making<T, TActivation> : IParallelJob
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        public CapsuleSizes Sizes;
        public T* Inputs, Weights, Biases, Outputs;

        public readonly void Run(int capsule)
        {
            var (rows, capsules, from, to) = Sizes;
            int inputs = capsules * from, outputs = capsules * to;
            Span<T> y = new(Outputs + ((long)capsule * to), ((rows - 1) * outputs) + to);
            ReadOnlySpan<T> bias = Biases == null ? default : new(Biases + ((long)capsule * to), to);
            for (int row = 0; row < rows && !bias.IsEmpty; row++) bias.CopyTo(y[(row * outputs)..]);
            MatMul.Multiply(
                rows, to, from, new ReadOnlySpan<T>(Inputs + ((long)capsule * from), ((rows - 1) * inputs) + from), inputs, 1,
                new ReadOnlySpan<T>(Weights + ((long)capsule * from * to), from * to), to, 1, y, outputs, accumulate: !bias.IsEmpty);
            for (int row = 0; row < rows; row++) TActivation.Apply(y.Slice(row * outputs, to));
        }
    }

    private struct Unmaking<T, TActivation> : IParallelJob
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        public CapsuleSizes Sizes;
        public T* Inputs, Weights, Outputs, Gradient, ToInputs, ToWeights, ToBiases;
        public bool AddToInputs, AddToWeights;

        public readonly void Run(int capsule)
        {
            var (rows, capsules, from, to) = Sizes;
            int inputs = capsules * from, outputs = capsules * to;
            var dz = Scratch.Take<T>(SlopeSlot, rows * to);
            for (int row = 0; row < rows; row++)
            {
                long at = ((long)row * outputs) + ((long)capsule * to);
                TActivation.Slope(new ReadOnlySpan<T>(Gradient + at, to), new ReadOnlySpan<T>(Outputs + at, to), dz.Slice(row * to, to));
            }

            if (ToBiases != null) Rowwise.AddSum<T>(dz, new Span<T>(ToBiases + ((long)capsule * to), to));
            int stretch = ((rows - 1) * inputs) + from;
            if (ToWeights != null)
                MatMul.Multiply(
                    from, to, rows, new ReadOnlySpan<T>(Inputs + ((long)capsule * from), stretch), 1, inputs, dz, to, 1,
                    new Span<T>(ToWeights + ((long)capsule * from * to), from * to), to, AddToWeights);
            if (ToInputs != null)
                MatMul.Multiply(
                    rows, from, to, dz, to, 1, new ReadOnlySpan<T>(Weights + ((long)capsule * from * to), from * to), 1, to,
                    new Span<T>(ToInputs + ((long)capsule * from), stretch), inputs, AddToInputs);
        }
    }
}
