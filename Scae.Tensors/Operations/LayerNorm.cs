using System;
using System.Numerics;
using System.Numerics.Tensors;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Layer normalisation in one operation.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// gain ∘ (x − mean) / √(var + epsilon) + bias over the last axis, biased variance (Ba et al. 2016): [.., n] with gain
    /// and bias [n] → [.., n].
    /// </summary>
    /// <exception cref="ShapeError">The sizes or dtypes don't fit, or the last axis is empty.</exception>
    public Tensor layerNorm(Tensor gain, Tensor bias, double epsilon = 1e-5)
    {
        CheckSameDtype("layerNorm", this, gain);
        CheckSameDtype("layerNorm", this, bias);
        if (dim == 0 || _shape[^1] == 0 || gain.dim != 1 || bias.dim != 1 || gain._shape[0] != _shape[^1] || bias._shape[0] != _shape[^1])
            throw ShapeError.Of("layerNorm", $"input {Shape.Text(Sizes)}, gain {Shape.Text(gain.Sizes)}, bias {Shape.Text(bias.Sizes)}; needs [.., n], [n] and [n] with n > 0");
        return new LayerNorm(contiguous(), gain.contiguous(), bias.contiguous(), epsilon).Run(dtype, shape);
    }

    /// <summary>
    /// With x̂ = (x − mean)/√(var + ε) and ∂x̂ = gain ∘ g: ∂x = (∂x̂ − mean ∂x̂ − x̂ · mean(∂x̂ ∘ x̂)) / √(var + ε),
    /// ∂gain = Σ g ∘ x̂, ∂bias = Σ g. The rows' means and 1/√(var + ε) are kept from forward.
    /// </summary>
    private sealed class LayerNorm(Tensor x, Tensor gain, Tensor bias, double epsilon) : SharedOperation(x, gain, bias)
    {
        private readonly Tensor _moments = Allocate(x.dtype, [x.nelement / x._shape[^1], 2]);
        private readonly int _n = x._shape[^1];

        protected override int Items => Inputs[0].Packed?.Count ?? Inputs[0].nelement / _n;

        protected override PackedRows? Keep(PackedRows rows) => rows == Inputs[0].Packed ? rows : base.Keep(rows);

        protected override void Forward<T>()
        {
            _moments.Storage.AlignLike(Output.Storage);
            base.Forward<T>();
        }

        protected override void Backward<T>()
        {
            var g = OutputGradient<T>()[..(Items * _n)];
            if (Wants(2)) Rowwise.AddSum(g, InputGradientToAdd<T>(2));
            if (Wants(1))
            {
                // The terms of all rows are written out first and then summed pairwise: adding them row by row would drift.
                var terms = Scratch.Take<T>(6, g.Length);
                Normalise(terms);
                Elementwise.Map2<T, Product>(terms, 1, g, 1, terms);
                Rowwise.AddSum<T>(terms, InputGradientToAdd<T>(1));
            }

            base.Backward<T>();
        }

        protected override void Forward<T>(int from, int to)
        {
            var moments = _moments.Data<T>();
            ReadOnlySpan<T> x = Inputs[0].Data<T>(), gain = Inputs[1].Data<T>(), bias = Inputs[2].Data<T>();
            var y = Output.Data<T>();
            T n = T.CreateChecked(_n), eps = T.CreateChecked(epsilon);
            for (int row = from; row < to; row++)
            {
                var target = y.Slice(row * _n, _n);
                T mean = Reduce.Mean(x.Slice(row * _n, _n));
                TensorPrimitives.Subtract(x.Slice(row * _n, _n), mean, target);
                T inverse = T.One / T.Sqrt((Reduce.Dot<T>(target, target) / n) + eps);
                (moments[2 * row], moments[(2 * row) + 1]) = (mean, inverse);
                TensorPrimitives.Multiply(target, inverse, target);
                TensorPrimitives.MultiplyAdd(target, gain, bias, target);
            }
        }

        protected override void Backward<T>(int from, int to, bool accumulate)
        {
            var moments = _moments.Data<T>();
            ReadOnlySpan<T> x = Inputs[0].Data<T>(), gain = Inputs[1].Data<T>(), g = OutputGradient<T>();
            var into = Inputs[0].Gradient!.Span<T>();
            Span<T> normal = Scratch.Take<T>(4, _n), slope = Scratch.Take<T>(5, _n);
            T n = T.CreateChecked(_n);
            for (int row = from; row < to; row++)
            {
                T inverse = moments[(2 * row) + 1];
                TensorPrimitives.Subtract(x.Slice(row * _n, _n), moments[2 * row], normal);
                TensorPrimitives.Multiply(normal, inverse, normal);
                TensorPrimitives.Multiply(g.Slice(row * _n, _n), gain, slope);
                T mean = Reduce.Sum<T>(slope) / n, along = Reduce.Dot<T>(slope, normal) / n;
                TensorPrimitives.Subtract(slope, mean, slope);
                TensorPrimitives.MultiplyAdd(normal, -along, slope, slope);
                var target = into.Slice(row * _n, _n);
                if (accumulate) TensorPrimitives.MultiplyAdd(slope, inverse, target, target);
                else TensorPrimitives.Multiply(slope, inverse, target);
            }
        }

        /// <summary>x̂ of all rows.</summary>
        private void Normalise<T>(Span<T> into)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            var moments = _moments.Data<T>();
            var x = Inputs[0].Data<T>();
            for (int row = 0; row < Items; row++)
            {
                var target = into.Slice(row * _n, _n);
                TensorPrimitives.Subtract(x.Slice(row * _n, _n), moments[2 * row], target);
                TensorPrimitives.Multiply(target, moments[(2 * row) + 1], target);
            }
        }
    }
}
