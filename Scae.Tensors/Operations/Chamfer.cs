using System;
using System.Numerics;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>The Chamfer distance between point sets in one operation.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// The symmetric Chamfer distance of each pair of point sets, (1/m)·Σ_i min_j |y_i − x_j|² + (1/n)·Σ_j min_i |y_i −
    /// x_j|²: points y [b, m, d] and x [b, n, d] → [b]. The gradient flows only along the nearest pairs, to the first of
    /// equally near points. A point with NaN makes the distance infinite or NaN.
    /// </summary>
    /// <exception cref="ShapeError">The shapes aren't of that form, or a set is empty.</exception>
    public Tensor chamfer(Tensor x)
    {
        CheckSameDtype("chamfer", this, x);
        if (dim != 3 || x.dim != 3 || _shape[0] != x._shape[0] || _shape[2] != x._shape[2] || _shape[1] == 0 || x._shape[1] == 0 || _shape[2] == 0)
            throw ShapeError.Of("chamfer", $"{Shape.Text(Sizes)} and {Shape.Text(x.Sizes)}; needs [b, m, d] and [b, n, d] with m, n, d > 0");
        CheckPositions("chamfer", this);
        CheckPositions("chamfer", x);
        return new ChamferOperation(contiguous(), x.contiguous()).Run(dtype, [_shape[0]]);
    }

    /// <summary>
    /// For each point y [b, m, d], the position of the nearest point of x [b, n, d], the first of equally near ones → Int32
    /// [b, m].
    /// </summary>
    /// <exception cref="ShapeError">The shapes aren't of that form, or x is empty.</exception>
    public Tensor nearest(Tensor x)
    {
        CheckSameDtype("nearest", this, x);
        if (dim != 3 || x.dim != 3 || _shape[0] != x._shape[0] || _shape[2] != x._shape[2] || x._shape[1] == 0 || _shape[2] == 0)
            throw ShapeError.Of("nearest", $"{Shape.Text(Sizes)} and {Shape.Text(x.Sizes)}; needs [b, m, d] and [b, n, d] with n, d > 0");
        CheckPositions("nearest", x);
        return new NearestOperation(contiguous(), x.contiguous()).Run(Dtype.Int32, [_shape[0], _shape[1]]);
    }

    /// <summary>The positions of points are found as numbers of their dtype, which must hold each exactly.</summary>
    private static void CheckPositions(string operation, Tensor points)
    {
        if (points.dtype == Dtype.Float32 && points._shape[1] > 1 << 24)
            throw ShapeError.Of(operation, $"{points._shape[1]} points; float32 numbers at most {1 << 24}");
    }

    private sealed class NearestOperation(Tensor y, Tensor x) : CutOperation(y, x)
    {
        protected override Dtype ComputeDtype => Inputs[0].dtype;

        protected override void Forward<T>()
        {
            var (b, m, n, d) = (Inputs[0]._shape[0], Inputs[0]._shape[1], Inputs[1]._shape[1], Inputs[0]._shape[2]);
            var distance = Scratch.Take<T>(2, m);
            for (int i = 0; i < b; i++)
            {
                Nearest.Find<T>(
                    Inputs[0].Data<T>().Slice(i * m * d, m * d), Inputs[1].Data<T>().Slice(i * n * d, n * d), d, distance, Output.Data<int>().Slice(i * m, m));
            }
        }
    }

    private sealed class ChamferOperation(Tensor y, Tensor x) : Operation(y, x)
    {
        private readonly int _b = y._shape[0];
        private readonly int _m = y._shape[1];
        private readonly int _n = x._shape[1];
        private readonly int _d = y._shape[2];
        private readonly int[] _nearestX = new int[y._shape[0] * y._shape[1]];
        private readonly int[] _nearestY = new int[x._shape[0] * x._shape[1]];

        protected override void Forward<T>()
        {
            ReadOnlySpan<T> y = Inputs[0].Data<T>(), x = Inputs[1].Data<T>();
            var loss = Output.Data<T>();
            var distance = Scratch.Take<T>(2, Math.Max(_m, _n));
            for (int i = 0; i < _b; i++)
            {
                ReadOnlySpan<T> ys = y.Slice(i * _m * _d, _m * _d), xs = x.Slice(i * _n * _d, _n * _d);
                Nearest.Find(ys, xs, _d, distance[.._m], _nearestX.AsSpan(i * _m, _m));
                T sum = Reduce.Sum<T>(distance[.._m]) / T.CreateChecked(_m);
                Nearest.Find(xs, ys, _d, distance[.._n], _nearestY.AsSpan(i * _n, _n));
                loss[i] = sum + (Reduce.Sum<T>(distance[.._n]) / T.CreateChecked(_n));
            }
        }

        protected override void Backward<T>()
        {
            // Both sums give a pair (i, j) the gradient ±2·(y_i − x_j)/count.
            if (Wants(0)) Pull<T>(0, Inputs[0].Data<T>(), Inputs[1].Data<T>(), _m, _n, _nearestX, _nearestY);
            if (Wants(1)) Pull<T>(1, Inputs[1].Data<T>(), Inputs[0].Data<T>(), _n, _m, _nearestY, _nearestX);
        }

        private void Pull<T>(int input, ReadOnlySpan<T> own, ReadOnlySpan<T> other, int ownCount, int otherCount, int[] nearestOther, int[] nearestOwn)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            var into = InputGradientToAdd<T>(input);
            if (otherCount <= LongSums<T>.Few)
            {
                Pull(into, own, other, ownCount, otherCount, nearestOther, nearestOwn);
                return;
            }

            // Many points may share one neighbour, so their terms are added up in double.
            var totals = WideTotals.Take(into.Length);
            Pull(totals, own, other, ownCount, otherCount, nearestOther, nearestOwn);
            WideTotals.AddTo(totals, into);
        }

        private void Pull<T, TSum>(Span<TSum> into, ReadOnlySpan<T> own, ReadOnlySpan<T> other, int ownCount, int otherCount, int[] nearestOther, int[] nearestOwn)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
            where TSum : unmanaged, IBinaryFloatingPointIeee754<TSum>
        {
            var g = OutputGradient<T>();
            T two = T.One + T.One, perOwn = two / T.CreateChecked(ownCount), perOther = two / T.CreateChecked(otherCount);
            for (int b = 0; b < _b; b++)
            {
                T toOwn = g[b] * perOwn, toOther = g[b] * perOther;
                for (int i = 0; i < ownCount; i++)
                {
                    int at = ((b * ownCount) + i) * _d, from = ((b * otherCount) + nearestOther[(b * ownCount) + i]) * _d;
                    for (int c = 0; c < _d; c++) into[at + c] += TSum.CreateTruncating(toOwn * (own[at + c] - other[from + c]));
                }

                for (int j = 0; j < otherCount; j++)
                {
                    int from = ((b * otherCount) + j) * _d, at = ((b * ownCount) + nearestOwn[(b * otherCount) + j]) * _d;
                    for (int c = 0; c < _d; c++) into[at + c] += TSum.CreateTruncating(toOther * (own[at + c] - other[from + c]));
                }
            }
        }
    }
}
