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
        return new RunningSum(contiguous(), Scae.Tensors.Shape.Axis("cumsum", axis, dim)).Run(dtype, shape);
    }

    /// <summary>y_i = x_0 · … · x_i along an axis; the gradient divides by nothing, so zeros are no special case.</summary>
    /// <exception cref="ShapeError">There is no such axis.</exception>
    public Tensor cumprod(int axis)
    {
        RefuseIntegers("cumprod", this);
        return new RunningProduct(contiguous(), Scae.Tensors.Shape.Axis("cumprod", axis, dim)).Run(dtype, shape);
    }

    /// <summary>∂x_i = Σ_{j ≥ i} ∂y_j.</summary>
    private sealed class RunningSum(Tensor x, int axis) : Operation(x)
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
                for (int at = 0; at < y.Length; at++) y[at] = at % block < _inner ? x[at] : y[at - _inner] + x[at];
                return;
            }

            var sums = Scratch.Take<double>(0, _inner);
            for (int at = 0; at < y.Length; at++)
            {
                int column = at % _inner;
                sums[column] = (at % block < _inner ? 0 : sums[column]) + double.CreateTruncating(x[at]);
                y[at] = T.CreateTruncating(sums[column]);
            }
        }

        protected override void Backward<T>()
        {
            if (!Wants(0)) return;
            var g = OutputGradient<T>();
            var into = InputGradientToAdd<T>(0);
            if (_count <= LongSums<T>.Few) SumBackwards<T, T>(g, into);
            else SumBackwards<T, double>(g, into);
        }

        private void SumBackwards<T, TSum>(ReadOnlySpan<T> g, Span<T> into)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
            where TSum : unmanaged, IBinaryFloatingPointIeee754<TSum>
        {
            int block = _count * _inner;
            for (int start = 0; start < g.Length; start += block)
            {
                for (int i = 0; i < _inner; i++)
                {
                    TSum sum = TSum.Zero;
                    for (int at = start + block - _inner + i; at >= start; at -= _inner)
                    {
                        sum += TSum.CreateTruncating(g[at]);
                        into[at] += T.CreateTruncating(sum);
                    }
                }
            }
        }
    }

    /// <summary>∂x_i = y_{i−1} · s_i with s_i = ∂y_i + x_{i+1} · s_{i+1}.</summary>
    private sealed class RunningProduct(Tensor x, int axis) : Operation(x)
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
                for (int at = 0; at < y.Length; at++) y[at] = at % block < _inner ? x[at] : y[at - _inner] * x[at];
                return;
            }

            var products = Scratch.Take<double>(0, _inner);
            for (int at = 0; at < y.Length; at++)
            {
                int column = at % _inner;
                products[column] = (at % block < _inner ? 1 : products[column]) * double.CreateTruncating(x[at]);
                y[at] = T.CreateTruncating(products[column]);
            }
        }

        protected override void Backward<T>()
        {
            if (!Wants(0)) return;
            ReadOnlySpan<T> x = Inputs[0].Data<T>(), y = Output.Data<T>(), g = OutputGradient<T>();
            var into = InputGradientToAdd<T>(0);
            if (_count <= LongSums<T>.Few) MultiplyBackwards<T, T>(x, y, g, into);
            else MultiplyBackwards<T, double>(x, y, g, into);
        }

        private void MultiplyBackwards<T, TSum>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, ReadOnlySpan<T> g, Span<T> into)
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
                        sum = TSum.CreateTruncating(g[at]) + (at + _inner < start + block ? TSum.CreateTruncating(x[at + _inner]) * sum : TSum.Zero);
                        into[at] += T.CreateTruncating(at == first ? sum : TSum.CreateTruncating(y[at - _inner]) * sum);
                    }
                }
            }
        }
    }
}
