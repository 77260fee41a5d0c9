using System;
using System.Numerics;
using System.Numerics.Tensors;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>A linear layer in one operation.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// activation(x·W + b) over the last axis: [.., in] with W [in, out] and b [out] or null → [.., out]. One pass over
    /// the output instead of three.
    /// </summary>
    /// <exception cref="ShapeError">The sizes or dtypes don't fit.</exception>
    public Tensor linear(Tensor weight, Tensor? bias = null, Activation activation = Activation.None)
    {
        CheckSameDtype("linear", this, weight);
        if (bias is not null) CheckSameDtype("linear", this, bias);
        CheckActivation("linear", activation);
        if (dim == 0 || weight.dim != 2 || _shape[^1] != weight._shape[0] || (bias is not null && (bias.dim != 1 || bias._shape[0] != weight._shape[1])))
            throw ShapeError.Of("linear", $"input {Shape.Text(Sizes)}, weight {Shape.Text(weight.Sizes)}, bias {(bias is null ? "none" : Shape.Text(bias.Sizes))}; needs [.., in], [in, out] and [out]");
        Tensor[] inputs = bias is null ? [contiguous(), weight] : [contiguous(), weight, bias.contiguous()];
        return new LinearOperation(inputs, activation).Run(dtype, [.. _shape[..^1], weight._shape[1]]);
    }

    /// <summary>
    /// Y = f(X·W + b). A product starts from the bias where f costs next to nothing. Where f is an elementary function, the
    /// bias is added and f applied row by row afterwards, while a row is still in the cache.
    /// </summary>
    private sealed class LinearOperation(Tensor[] inputs, Activation activation) : ActivatedOperation(inputs, activation)
    {
        private const int SlopeSlot = 1;

        private readonly int _in = inputs[1]._shape[0];
        private readonly int _out = inputs[1]._shape[1];
        private readonly bool _isSmooth = activation is Activation.Sigmoid or Activation.Tanh;

        private int Rows => Inputs[0].Packed?.Count ?? Output.nelement / Math.Max(1, _out);

        protected override PackedRows? Keep(PackedRows rows) => rows == Inputs[0].Packed && Inputs[1].Packed is null ? rows : base.Keep(rows);

        protected override void Forward<T, TActivation>()
        {
            var y = Output.Data<T>()[..(Rows * _out)];
            bool biased = Inputs.Length > 2 && !_isSmooth;
            if (biased) Rowwise.Repeat<T>(Inputs[2].Data<T>(), y);
            var w = Inputs[1];
            MatMul.Multiply<T>(Rows, _out, _in, Inputs[0].Data<T>(), _in, 1, w.FromFirst<T>(), w._strides[0], w._strides[1], y, _out, accumulate: biased);
            if (_isSmooth) Sharing.Run(new SmoothRows<T, TActivation>(this), Rows, y.Length >= Sharing.ManyFunctions);
            else TActivation.Apply(y);
        }

        private void Smooth<T, TActivation>(int from, int to)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
            where TActivation : struct, IActivation
        {
            var y = Output.Data<T>();
            ReadOnlySpan<T> bias = Inputs.Length > 2 ? Inputs[2].Data<T>() : [];
            for (int at = from * _out; at < to * _out; at += _out)
            {
                var row = y.Slice(at, _out);
                if (bias.Length > 0) TensorPrimitives.Add(row, bias, row);
                TActivation.Apply(row);
            }
        }

        private readonly struct SmoothRows<T, TActivation>(LinearOperation operation) : IRange
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
            where TActivation : struct, IActivation
        {
            public void Run(int from, int to) => operation.Smooth<T, TActivation>(from, to);
        }

        protected override void Backward<T, TActivation>()
        {
            int counted = Rows * _out;
            var dz = OutputGradient<T>()[..counted];
            if (typeof(TActivation) != typeof(Plain))
            {
                var slope = Scratch.Take<T>(SlopeSlot, counted);
                TActivation.Slope(dz, Output.Data<T>()[..counted], slope);
                dz = slope;
            }

            if (Inputs.Length > 2 && Wants(2)) Rowwise.AddSum(dz, InputGradientToAdd<T>(2));
            if (Wants(1))
            {
                var into = InputGradient<T>(1, out bool accumulate);
                MatMul.Multiply<T>(_in, _out, Rows, Inputs[0].Data<T>(), 1, _in, dz, _out, 1, into, _out, accumulate);
            }

            if (Wants(0))
            {
                var w = Inputs[1];
                var into = InputGradient<T>(0, out bool accumulate);
                MatMul.Multiply<T>(Rows, _in, _out, dz, _out, 1, w.FromFirst<T>(), w._strides[1], w._strides[0], into, _in, accumulate);
            }
        }
    }
}
