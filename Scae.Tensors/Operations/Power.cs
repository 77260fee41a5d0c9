using System;
using System.Numerics.Tensors;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Powers. F#'s ** finds them under the name Pow.</content>
public sealed partial class Tensor
{
    /// <summary>x to the power of a number; NaN where x is negative and the number isn't whole.</summary>
    /// <exception cref="ShapeError">The tensor holds integers.</exception>
    public Tensor pow(double exponent)
    {
        RefuseIntegers("pow", this);
        return new PowerOfNumber(contiguous(), exponent).Run(dtype, shape);
    }

    /// <summary>
    /// xʸ element by element, broadcasting; ∂x = y·xʸ⁻¹ and ∂y = xʸ·log x, which is 0 where x is 0 and y isn't negative.
    /// </summary>
    /// <exception cref="ShapeError">The shapes don't broadcast or the dtypes differ.</exception>
    public Tensor pow(Tensor exponent)
    {
        CheckSameDtype("pow", this, exponent);
        int[] target = Scae.Tensors.Shape.Broadcast("pow", Shape, exponent.Shape);
        return new PowerOfTensor(Spread(target), exponent.Spread(target)).Run(dtype, target);
    }

    /// <summary>x to the power of a number.</summary>
    public static Tensor Pow(Tensor x, double exponent) => x.pow(exponent);

    /// <summary>xʸ element by element, broadcasting.</summary>
    public static Tensor Pow(Tensor x, Tensor exponent) => x.pow(exponent);

    private sealed class PowerOfNumber(Tensor x, double exponent) : Operation(x)
    {
        protected override void Forward<T>()
        {
            ReadOnlySpan<T> x = Inputs[0].Data<T>();
            if (exponent == 2) TensorPrimitives.Multiply(x, x, Output.Data<T>());
            else Scalars.Power(x, [T.CreateChecked(exponent)], Output.Data<T>());
        }

        protected override void Backward<T>()
        {
            // 0 · x⁻¹ would be NaN at 0.
            if (!Wants(0) || exponent == 0) return;
            ReadOnlySpan<T> x = Inputs[0].Data<T>();
            var slope = Scratch.Take<T>(4, x.Length);
            if (exponent == 2) x.CopyTo(slope);
            else Scalars.Power(x, [T.CreateChecked(exponent - 1)], slope);
            TensorPrimitives.Multiply(slope, T.CreateChecked(exponent), slope);
            var into = InputGradient<T>(0, out bool accumulate);
            if (accumulate) TensorPrimitives.MultiplyAdd(OutputGradient<T>(), slope, into, into);
            else TensorPrimitives.Multiply(OutputGradient<T>(), slope, into);
        }
    }

    private sealed class PowerOfTensor(Tensor x, Tensor y) : Operation(x, y)
    {
        protected override void Forward<T>() => Scalars.Power<T>(Inputs[0].Data<T>(), Inputs[1].Data<T>(), Output.Data<T>());

        protected override void Backward<T>()
        {
            ReadOnlySpan<T> x = Inputs[0].Data<T>(), y = Inputs[1].Data<T>(), z = Output.Data<T>(), g = OutputGradient<T>();
            if (Wants(0))
            {
                var into = InputGradientToAdd<T>(0);
                for (int i = 0; i < into.Length; i++) into[i] += y[i] == T.Zero ? T.Zero : g[i] * y[i] * T.Pow(x[i], y[i] - T.One);
            }

            if (Wants(1))
            {
                var into = InputGradientToAdd<T>(1);
                for (int i = 0; i < into.Length; i++) into[i] += x[i] == T.Zero && y[i] >= T.Zero ? T.Zero : g[i] * z[i] * T.Log(x[i]);
            }
        }
    }
}
