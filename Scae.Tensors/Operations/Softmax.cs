using System;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.Intrinsics;
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
        int at = Scae.Tensors.Shape.Axis("logsumexp", axis, dim);
        if (_shape[at] == 0) throw ShapeError.Of("logsumexp", $"axis {axis} of {Scae.Tensors.Shape.Text(Shape)} is empty");
        RefuseIntegers("logsumexp", this);
        var last = at == dim - 1 ? contiguous() : transpose(at, -1).contiguous();
        var result = new LogSumExpRows(last).Run(dtype, [.. last._shape[..^1], 1]);
        if (at != dim - 1) result = result.transpose(at, -1);
        return keepDim ? result : result.squeeze(at);
    }

    private Tensor AlongLast(string operation, int axis, Func<Tensor, Tensor> rows)
    {
        RefuseIntegers(operation, this);
        int at = Scae.Tensors.Shape.Axis(operation, axis, dim);
        return at == dim - 1 ? rows(contiguous()) : rows(transpose(at, -1).contiguous()).transpose(at, -1);
    }

    /// <summary>
    /// log Σ e^x for values whose largest is 0: log(1 + the rest), which keeps terms far below it. Writes over the row.
    /// </summary>
    private static T LogSumExpShifted<T>(ReadOnlySpan<T> x, Span<T> row)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int largest = x.IndexOf(T.Zero);
        Elementwise.Map1<T, Exp>(x, row);
        if (largest < 0) return T.Log(Reduce.Sum<T>(row));
        row[largest] = T.Zero;
        return Lanes.LogOnePlus(Vector512.Create(Reduce.Sum<T>(row)))[0];
    }

    private sealed class SoftmaxRows(Tensor x) : Operation(x)
    {
        protected override void Forward<T>() => SoftmaxKernel.Forward(Inputs[0].Data<T>(), Inputs[0].Shape[^1], T.One, Output.Data<T>());

        protected override void Backward<T>()
        {
            if (!Wants(0)) return;
            var into = InputGradient<T>(0, out bool accumulate);
            SoftmaxKernel.Backward(OutputGradient<T>(), Output.Data<T>(), Output.Shape[^1], T.One, into, accumulate);
        }
    }

    /// <summary>y = (x − max) − log Σ e^(x − max): shifted first, since x − logsumexp(x) would cancel for large x; ∂x = g − e^y Σ g.</summary>
    private sealed class LogSoftmaxRows(Tensor x) : Operation(x)
    {
        protected override void Forward<T>()
        {
            var x = Inputs[0].Data<T>();
            var y = Output.Data<T>();
            int n = Inputs[0].Shape[^1];
            var row = Scratch.Take<T>(0, n);
            for (int start = 0; start < y.Length; start += n)
            {
                var target = y.Slice(start, n);
                TensorPrimitives.Subtract(x.Slice(start, n), TensorPrimitives.Max<T>(x.Slice(start, n)), target);
                TensorPrimitives.Subtract(target, LogSumExpShifted(target, row), target);
            }
        }

        protected override void Backward<T>()
        {
            if (!Wants(0)) return;
            var y = Output.Data<T>();
            var g = OutputGradient<T>();
            int n = Output.Shape[^1];
            var into = InputGradient<T>(0, out bool accumulate);
            var row = Scratch.Take<T>(0, n);
            for (int start = 0; start < y.Length; start += n)
            {
                var gradient = g.Slice(start, n);
                var target = into.Slice(start, n);
                Elementwise.Map1<T, Exp>(y.Slice(start, n), row);
                TensorPrimitives.Multiply(row, -Reduce.Sum(gradient), row);
                TensorPrimitives.Add(row, gradient, row);
                if (accumulate) TensorPrimitives.Add(target, row, target);
                else row.CopyTo(target);
            }
        }
    }

    private sealed class LogSumExpRows(Tensor x) : Operation(x)
    {
        protected override void Forward<T>()
        {
            var x = Inputs[0].Data<T>();
            var y = Output.Data<T>();
            int n = Inputs[0].Shape[^1];
            var row = Scratch.Take<T>(0, n);
            for (int i = 0; i < y.Length; i++)
            {
                var values = x.Slice(i * n, n);
                T most = TensorPrimitives.Max<T>(values);
                if (!T.IsFinite(most))
                {
                    y[i] = most;
                    continue;
                }

                TensorPrimitives.Subtract(values, most, row);
                y[i] = most + LogSumExpShifted<T>(row, row);
            }
        }

        protected override void Backward<T>()
        {
            if (!Wants(0)) return;
            var x = Inputs[0].Data<T>();
            var y = Output.Data<T>();
            var g = OutputGradient<T>();
            int n = Inputs[0].Shape[^1];
            var into = InputGradient<T>(0, out bool accumulate);
            var row = Scratch.Take<T>(0, n);
            for (int i = 0; i < y.Length; i++)
            {
                var target = into.Slice(i * n, n);
                if (T.IsNegativeInfinity(y[i]))
                {
                    if (!accumulate) target.Clear();
                    continue;
                }

                TensorPrimitives.Subtract(x.Slice(i * n, n), y[i], row);
                Elementwise.Map1<T, Exp>(row, row);
                if (accumulate) TensorPrimitives.MultiplyAdd(row, g[i], target, target);
                else TensorPrimitives.Multiply(row, g[i], target);
            }
        }
    }
}
