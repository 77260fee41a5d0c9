using System;
using System.Numerics;
using System.Numerics.Tensors;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Softmax and its relatives along one axis, all of them shift-stable.</content>
public sealed partial class Tensor
{
    /// <summary>e^(x_i − max) / Σ_j e^(x_j − max) along an axis.</summary>
    /// <exception cref="ShapeError">There is no such axis.</exception>
    public Tensor softmax(int axis) => AlongLast("softmax", axis, x => new SoftmaxRows(x).Run(x.dtype, x.shape));

    /// <summary>x_i − logsumexp(x) along an axis.</summary>
    /// <exception cref="ShapeError">There is no such axis.</exception>
    public Tensor logsoftmax(int axis) => AlongLast("logsoftmax", axis, x => new LogSoftmaxRows(x).Run(x.dtype, x.shape));

    /// <summary>max + log Σ_i e^(x_i − max) along an axis; −∞ where every element is −∞.</summary>
    /// <exception cref="ShapeError">There is no such axis or it is empty.</exception>
    public Tensor logsumexp(int axis, bool keepDim = false)
    {
        int at = Shape.Axis("logsumexp", axis, dim);
        if (_shape[at] == 0) throw ShapeError.Of("logsumexp", $"axis {axis} of {Shape.Text(Sizes)} is empty");
        RefuseIntegers("logsumexp", this);
        var last = at == dim - 1 ? contiguous() : transpose(at, -1).contiguous();
        var result = new LogSumExpRows(last).Run(dtype, [.. last._shape[..^1], 1]);
        if (at != dim - 1) result = result.transpose(at, -1);
        return keepDim ? result : result.squeeze(at);
    }

    private Tensor AlongLast(string operation, int axis, Func<Tensor, Tensor> rows)
    {
        RefuseIntegers(operation, this);
        int at = Shape.Axis(operation, axis, dim);
        return at == dim - 1 ? rows(contiguous()) : rows(transpose(at, -1).contiguous()).transpose(at, -1);
    }

    /// <summary>
    /// log Σ e^x for values whose largest is 0, as log(1 + the rest), which keeps terms far below 1. Overwrites the row.
    /// </summary>
    private static T LogSumExpShifted<T>(ReadOnlySpan<T> x, Span<T> row)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int largest = x.IndexOf(T.Zero);
        Elementwise.Map1<T, Exp>(x, row);
        if (largest < 0) return T.Log(Reduce.Sum<T>(row));
        row[largest] = T.Zero;
        return T.CreateTruncating(Lanes.LogOnePlus(double.CreateTruncating(Reduce.Sum<T>(row))));
    }

    private sealed class SoftmaxRows(Tensor x) : Operation(x)
    {
        protected override void Forward<T>() => SoftmaxKernel.Forward(Inputs[0].Data<T>(), Inputs[0].Sizes[^1], T.One, Output.Data<T>());

        protected override void Backward<T>()
        {
            if (!Wants(0)) return;
            var into = InputGradient<T>(0, out bool accumulate);
            SoftmaxKernel.Backward(OutputGradient<T>(), Output.Data<T>(), Output.Sizes[^1], T.One, into, accumulate);
        }
    }

    /// <summary>An operation on rows: each row's result depends on that row alone.</summary>
    private abstract class RowsOperation(Tensor x) : SharedOperation(x)
    {
        private readonly int _n = x._shape[^1];

        protected sealed override int Items => _n == 0 ? 0 : Inputs[0].nelement / _n;

        protected sealed override bool IsLong => Inputs[0].nelement >= Sharing.ManyFunctions;

        /// <summary>Computes a row's values y; intermediate results can be written to the scratch row.</summary>
        protected abstract void Row<T>(ReadOnlySpan<T> x, Span<T> y, Span<T> scratch)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>;

        /// <summary>Writes a row's gradient to slope, from its values and their gradient.</summary>
        protected abstract void Slope<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, ReadOnlySpan<T> g, Span<T> slope)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>;

        protected sealed override void Forward<T>(int from, int to)
        {
            var x = Inputs[0].Data<T>();
            var y = Output.Data<T>();
            int made = Output._shape[^1];
            var scratch = Scratch.Take<T>(0, _n);
            for (int row = from; row < to; row++) Row<T>(x.Slice(row * _n, _n), y.Slice(row * made, made), scratch);
        }

        protected sealed override void Backward<T>(int from, int to, bool accumulate)
        {
            ReadOnlySpan<T> x = Inputs[0].Data<T>(), y = Output.Data<T>(), g = OutputGradient<T>();
            var into = Inputs[0].Gradient!.Span<T>();
            int made = Output._shape[^1];
            var slope = Scratch.Take<T>(0, _n);
            for (int row = from; row < to; row++)
            {
                Slope(x.Slice(row * _n, _n), y.Slice(row * made, made), g.Slice(row * made, made), slope);
                var target = into.Slice(row * _n, _n);
                if (accumulate) TensorPrimitives.Add(target, slope, target);
                else slope.CopyTo(target);
            }
        }
    }

    /// <summary>
    /// y = (x − max) − log Σ e^(x − max), ∂x = g − e^y Σ g. The maximum is subtracted first, since x − logsumexp(x) would
    /// cancel for large x.
    /// </summary>
    private sealed class LogSoftmaxRows(Tensor x) : RowsOperation(x)
    {
        protected override void Row<T>(ReadOnlySpan<T> x, Span<T> y, Span<T> scratch)
        {
            TensorPrimitives.Subtract(x, TensorPrimitives.Max<T>(x), y);
            TensorPrimitives.Subtract(y, LogSumExpShifted(y, scratch), y);
        }

        protected override void Slope<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, ReadOnlySpan<T> g, Span<T> slope)
        {
            Elementwise.Map1<T, Exp>(y, slope);
            TensorPrimitives.Multiply(slope, -Reduce.Sum(g), slope);
            TensorPrimitives.Add(slope, g, slope);
        }
    }

    /// <summary>∂x = e^(x − y) ∘ g; a row of −∞ has no slope.</summary>
    /// <remarks>
    /// The sum of the slopes is off 1 by as much as y was rounded. Where |y| is so large that this would show, the slopes
    /// are computed as e^(x − max) / Σ e^(x − max) ∘ g instead. Rows nearer to 0 keep the first formula, because the second
    /// one changes the last bits, and existing trainings would take another course.
    /// </remarks>
    private sealed class LogSumExpRows(Tensor x) : RowsOperation(x)
    {
        private const double FarForSingle = 1e4;
        private const double FarForDouble = 1e12;

        protected override void Row<T>(ReadOnlySpan<T> x, Span<T> y, Span<T> scratch)
        {
            T most = TensorPrimitives.Max<T>(x);
            if (!T.IsFinite(most))
            {
                y[0] = most;
                return;
            }

            TensorPrimitives.Subtract(x, most, scratch);
            y[0] = most + LogSumExpShifted<T>(scratch, scratch);
        }

        protected override void Slope<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, ReadOnlySpan<T> g, Span<T> slope)
        {
            if (T.IsNegativeInfinity(y[0]))
            {
                slope.Clear();
                return;
            }

            bool isFar = T.IsFinite(y[0]) && T.Abs(y[0]) > T.CreateTruncating(typeof(T) == typeof(double) ? FarForDouble : FarForSingle);
            TensorPrimitives.Subtract(x, isFar ? TensorPrimitives.Max(x) : y[0], slope);
            Elementwise.Map1<T, Exp>(slope, slope);
            TensorPrimitives.Multiply(slope, isFar ? g[0] / Reduce.Sum<T>(slope) : g[0], slope);
        }
    }
}
