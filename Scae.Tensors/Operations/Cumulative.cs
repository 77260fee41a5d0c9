using System;
using System.Numerics;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Running sums and products along an axis.</content>
public sealed partial class Tensor
{
    /// <summary>y_i = x_0 + … + x_i along an axis.</summary>
    /// <exception cref="ShapeError">There is no such axis.</exception>
    public Tensor cumsum(int axis)
    {
        RefuseIntegers("cumsum", this);
        return new Running<RunningSum>(contiguous(), Shape.Axis("cumsum", axis, dim)).Run(dtype, shape);
    }

    /// <summary>y_i = x_0 · … · x_i along an axis; the gradient divides by nothing, so zeros are no special case.</summary>
    /// <exception cref="ShapeError">There is no such axis.</exception>
    public Tensor cumprod(int axis)
    {
        RefuseIntegers("cumprod", this);
        return new Running<RunningProduct>(contiguous(), Shape.Axis("cumprod", axis, dim)).Run(dtype, shape);
    }

    /// <summary>How a running value takes in the next element.</summary>
    private interface IRunning
    {
        /// <summary>The value before the first element.</summary>
        static abstract double Start { get; }

        static abstract T Join<T>(T before, T x)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>;

        /// <summary>∂Join(before, joined)/∂before: 1 for a sum, joined itself for a product.</summary>
        static abstract T Factor<T>(T joined)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>;
    }

    private readonly struct RunningSum : IRunning
    {
        public static double Start => 0;

        public static T Join<T>(T before, T x)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => before + x;

        public static T Factor<T>(T joined)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => T.One;
    }

    private readonly struct RunningProduct : IRunning
    {
        public static double Start => 1;

        public static T Join<T>(T before, T x)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => before * x;

        public static T Factor<T>(T joined)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => joined;
    }

    /// <summary>
    /// ∂x_i = f(y_{i−1}) · s_i with s_i = ∂y_i + f(x_{i+1}) · s_{i+1}, where f is 1 for a sum, and its argument for a
    /// product.
    /// </summary>
    private sealed class Running<TRule>(Tensor x, int axis) : Operation(x)
        where TRule : IRunning
    {
        private readonly int _count = x._shape[axis];
        private readonly int _inner = Around(x, axis).Inner;

        protected override void Forward<T>()
        {
            ReadOnlySpan<T> x = Inputs[0].Data<T>();
            var y = Output.Data<T>();
            int block = _count * _inner;
            if (_count <= LongSums<T>.Few)
            {
                for (int at = 0; at < y.Length; at++) y[at] = at % block < _inner ? x[at] : TRule.Join(y[at - _inner], x[at]);
                return;
            }

            var running = Scratch.Take<double>(0, _inner);
            for (int at = 0; at < y.Length; at++)
            {
                int column = at % _inner;
                running[column] = TRule.Join(at % block < _inner ? TRule.Start : running[column], double.CreateTruncating(x[at]));
                y[at] = T.CreateTruncating(running[column]);
            }
        }

        protected override void Backward<T>()
        {
            if (!Wants(0)) return;
            ReadOnlySpan<T> x = Inputs[0].Data<T>(), y = Output.Data<T>(), g = OutputGradient<T>();
            var into = InputGradientToAdd<T>(0);
            if (_count <= LongSums<T>.Few) RunBackwards<T, T>(x, y, g, into);
            else RunBackwards<T, double>(x, y, g, into);
        }

        private void RunBackwards<T, TSum>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, ReadOnlySpan<T> g, Span<T> into)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
            where TSum : unmanaged, IBinaryFloatingPointIeee754<TSum>
        {
            int block = _count * _inner;
            for (int start = 0; start < g.Length; start += block)
            {
                for (int i = 0; i < _inner; i++)
                {
                    TSum sum = TSum.Zero;
                    int first = start + i;
                    for (int at = start + block - _inner + i; at >= start; at -= _inner)
                    {
                        sum = TSum.CreateTruncating(g[at]) + (at + _inner < start + block ? TRule.Factor(TSum.CreateTruncating(x[at + _inner])) * sum : TSum.Zero);
                        into[at] += T.CreateTruncating(at == first ? sum : TRule.Factor(TSum.CreateTruncating(y[at - _inner])) * sum);
                    }
                }
            }
        }
    }
}
