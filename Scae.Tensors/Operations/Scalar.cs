using System;
using System.Runtime.Intrinsics;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Arithmetic between a tensor and a number, which takes the tensor's dtype.</content>
public sealed partial class Tensor
{
    /// <summary>x + c.</summary>
    public static Tensor operator +(Tensor a, double b) => Affine.Of(a, 1, b);

    /// <summary>c + x.</summary>
    public static Tensor operator +(double a, Tensor b) => Affine.Of(b, 1, a);

    /// <summary>x − c.</summary>
    public static Tensor operator -(Tensor a, double b) => Affine.Of(a, 1, -b);

    /// <summary>c − x.</summary>
    public static Tensor operator -(double a, Tensor b) => Affine.Of(b, -1, a);

    /// <summary>c · x.</summary>
    public static Tensor operator *(Tensor a, double b) => Affine.Of(a, b, 0);

    /// <summary>c · x.</summary>
    public static Tensor operator *(double a, Tensor b) => Affine.Of(b, a, 0);

    /// <summary>x / c.</summary>
    public static Tensor operator /(Tensor a, double b) => Affine.Of(a, b, 0, divides: true);

    /// <summary>c / x.</summary>
    public static Tensor operator /(double a, Tensor b) => scalar(a, b.dtype).div(b);

    /// <summary>−x.</summary>
    public static Tensor operator -(Tensor a) => Affine.Of(a, -1, 0);

    /// <summary>x + c.</summary>
    public Tensor add(double b) => this + b;

    /// <summary>x − c.</summary>
    public Tensor sub(double b) => this - b;

    /// <summary>c · x.</summary>
    public Tensor mul(double b) => this * b;

    /// <summary>x / c.</summary>
    public Tensor div(double b) => this / b;

    /// <summary>The larger of x and c.</summary>
    public Tensor max(double b) => max(scalar(b, dtype));

    /// <summary>The smaller of x and c.</summary>
    public Tensor min(double b) => min(scalar(b, dtype));

    /// <summary>
    /// y = scale · x + shift, or y = x / scale. Division isn't multiplication by the reciprocal: 255 · (1 / 255) isn't 1 in
    /// float32.
    /// </summary>
    private sealed class Affine(Tensor x, double scale, double shift, bool divides) : Operation(x)
    {
        public static Tensor Of(Tensor x, double scale, double shift, bool divides = false)
        {
            RefuseIntegers("arithmetic", x);
            return new Affine(x.contiguous(), scale, shift, divides).Run(x.dtype, x.shape);
        }

        protected override void Forward<T>()
        {
            var y = Output.Data<T>();
            ReadOnlySpan<T> factor = [T.CreateChecked(scale)];
            if (divides) Elementwise.Map2<T, Quotient>(Inputs[0].Data<T>(), 1, factor, 0, y);
            else if (shift == 0) Elementwise.Map2<T, Product>(Inputs[0].Data<T>(), 1, factor, 0, y);
            else Elementwise.Map3<T, ScaleShift>(Inputs[0].Data<T>(), factor, 0, [T.CreateChecked(shift)], 0, y, accumulate: false);
        }

        protected override void Backward<T>()
        {
            if (!Wants(0)) return;
            var into = InputGradient<T>(0, out bool accumulate);
            ReadOnlySpan<T> factor = [T.CreateChecked(scale)];
            if (divides) Elementwise.Map2<T, Quotient>(OutputGradient<T>(), 1, factor, 0, into, accumulate);
            else Elementwise.Map2<T, Product>(OutputGradient<T>(), 1, factor, 0, into, accumulate);
        }
    }

    private readonly struct ScaleShift : IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => (g * x) + y;
    }

    internal static void RefuseIntegers(string operation, Tensor x)
    {
        if (x.dtype == Dtype.Int32) throw ShapeError.Of(operation, "Int32 tensors hold indices, not numbers; cast to Float32 or Float64 first");
    }
}
