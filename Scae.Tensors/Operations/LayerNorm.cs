using System;
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
            throw ShapeError.Of("layerNorm", $"input {Scae.Tensors.Shape.Text(Shape)}, gain {Scae.Tensors.Shape.Text(gain.Shape)}, bias {Scae.Tensors.Shape.Text(bias.Shape)}; needs [.., n], [n] and [n] with n > 0");
        return new LayerNorm(contiguous(), gain.contiguous(), bias.contiguous(), epsilon).Run(dtype, shape);
    }

    /// <summary>
    /// With x̂ = (x − mean)/√(var + ε) and ∂x̂ = gain ∘ g: ∂x = (∂x̂ − mean ∂x̂ − x̂ · mean(∂x̂ ∘ x̂)) / √(var + ε),
    /// ∂gain = Σ g ∘ x̂, ∂bias = Σ g. The rows' means and 1/√(var + ε) are kept from forward.
    /// </summary>
    private sealed class LayerNorm(Tensor x, Tensor gain, Tensor bias, double epsilon) : Operation(x, gain, bias)
    {
        private readonly Tensor _moments = Allocate(x.dtype, [x.nelement / x._shape[^1], 2]);
        private readonly int _n = x._shape[^1];

        protected override void Forward<T>()
        {
            _moments.Storage.AlignLike(Output.Storage);
            var moments = _moments.Data<T>();
            ReadOnlySpan<T> x = Inputs[0].Data<T>(), gain = Inputs[1].Data<T>(), bias = Inputs[2].Data<T>();
            var y = Output.Data<T>();
            T n = T.CreateChecked(_n), eps = T.CreateChecked(epsilon);
            for (int row = 0; row < moments.Length / 2; row++)
            {
                var values = x.Slice(row * _n, _n);
                var target = y.Slice(row * _n, _n);
                T mean = Reduce.Sum(values) / n;
                TensorPrimitives.Subtract(values, mean, target);
                T inverse = T.One / T.Sqrt((Reduce.Dot<T>(target, target) / n) + eps);
                (moments[2 * row], moments[(2 * row) + 1]) = (mean, inverse);
                TensorPrimitives.Multiply(target, inverse, target);
                TensorPrimitives.MultiplyAdd(target, gain, bias, target);
            }
        }

        protected override void Backward<T>()
        {
            var moments = _moments.Data<T>();
            ReadOnlySpan<T> x = Inputs[0].Data<T>(), gain = Inputs[1].Data<T>(), g = OutputGradient<T>();
            if (Wants(2)) Rowwise.AddSum(g, InputGradientToAdd<T>(2));
            if (!Wants(0) && !Wants(1)) return;
            bool accumulate = true;
            var toGain = Wants(1) ? InputGradientToAdd<T>(1) : default;
            var into = Wants(0) ? InputGradient<T>(0, out accumulate) : default;
            Span<T> normal = Scratch.Take<T>(4, _n), slope = Scratch.Take<T>(5, _n);
            T n = T.CreateChecked(_n);
            for (int row = 0; row < moments.Length / 2; row++)
            {
                var gradient = g.Slice(row * _n, _n);
                T inverse = moments[(2 * row) + 1];
                TensorPrimitives.Subtract(x.Slice(row * _n, _n), moments[2 * row], normal);
                TensorPrimitives.Multiply(normal, inverse, normal);
                if (!toGain.IsEmpty) TensorPrimitives.MultiplyAdd(gradient, normal, toGain, toGain);
                if (into.IsEmpty) continue;
                TensorPrimitives.Multiply(gradient, gain, slope);
                T mean = Reduce.Sum<T>(slope) / n, along = Reduce.Dot<T>(slope, normal) / n;
                TensorPrimitives.Subtract(slope, mean, slope);
                TensorPrimitives.MultiplyAdd(normal, -along, slope, slope);
                var target = into.Slice(row * _n, _n);
                if (accumulate) TensorPrimitives.MultiplyAdd(slope, inverse, target, target);
                else TensorPrimitives.Multiply(slope, inverse, target);
            }
        }
    }
}
