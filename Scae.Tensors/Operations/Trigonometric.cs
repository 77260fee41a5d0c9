using System;
using System.Numerics;
using System.Runtime.Intrinsics;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Trigonometric and hyperbolic functions; angles are in radians.</content>
public sealed partial class Tensor
{
    /// <summary>sin x, x in radians.</summary>
    public Tensor sin() => Unary<Sin>.Of("sin", this);

    /// <summary>cos x, x in radians.</summary>
    public Tensor cos() => Unary<Cos>.Of("cos", this);

    /// <summary>tan x, x in radians.</summary>
    public Tensor tan() => Unary<Tan>.Of("tan", this);

    /// <summary>sinh x.</summary>
    public Tensor sinh() => Unary<Sinh>.Of("sinh", this);

    /// <summary>cosh x.</summary>
    public Tensor cosh() => Unary<Cosh>.Of("cosh", this);

    /// <summary>tanh x.</summary>
    public Tensor tanh() => Unary<Tanh>.Of("tanh", this);

    /// <summary>arcsin x, in radians.</summary>
    public Tensor asin() => Unary<Asin>.Of("asin", this);

    /// <summary>arccos x, in radians.</summary>
    public Tensor acos() => Unary<Acos>.Of("acos", this);

    /// <summary>arctan x, in radians.</summary>
    public Tensor atan() => Unary<Atan>.Of("atan", this);

    private readonly struct Sin : IUnary, IMap1
    {
        public static void Value<T>(ReadOnlySpan<T> x, Span<T> y)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => Elementwise.Map1<T, Sin>(x, y);

        public static Vector512<T> Apply<T>(Vector512<T> x)
            where T : unmanaged => Lanes.Sin(x);

        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g * Lanes.Cos(x);
    }

    private readonly struct Cos : IUnary, IMap1
    {
        public static void Value<T>(ReadOnlySpan<T> x, Span<T> y)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => Elementwise.Map1<T, Cos>(x, y);

        public static Vector512<T> Apply<T>(Vector512<T> x)
            where T : unmanaged => Lanes.Cos(x);

        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => -g * Lanes.Sin(x);
    }

    private readonly struct Tan : IUnary
    {
        public static void Value<T>(ReadOnlySpan<T> x, Span<T> y)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => Scalars.Map(x, y, Math.Tan);

        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g * (Vector512<T>.One + (y * y));
    }

    private readonly struct Sinh : IUnary, IMap1
    {
        public static void Value<T>(ReadOnlySpan<T> x, Span<T> y)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => Elementwise.Map1<T, Sinh>(x, y);

        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g * Lanes.Cosh(x);

        public static Vector512<T> Apply<T>(Vector512<T> x)
            where T : unmanaged => Lanes.Sinh(x);
    }

    private readonly struct Cosh : IUnary, IMap1
    {
        public static void Value<T>(ReadOnlySpan<T> x, Span<T> y)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => Elementwise.Map1<T, Cosh>(x, y);

        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g * Lanes.Sinh(x);

        public static Vector512<T> Apply<T>(Vector512<T> x)
            where T : unmanaged => Lanes.Cosh(x);
    }

    private readonly struct Tanh : IUnary, IMap1
    {
        public static void Value<T>(ReadOnlySpan<T> x, Span<T> y)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => Elementwise.Map1<T, Tanh>(x, y);

        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g * (Vector512<T>.One - (y * y));

        public static Vector512<T> Apply<T>(Vector512<T> x)
            where T : unmanaged => Lanes.Tanh(x);
    }

    private readonly struct Asin : IUnary
    {
        public static void Value<T>(ReadOnlySpan<T> x, Span<T> y)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => Scalars.Map(x, y, Math.Asin);

        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g / Vector512.Sqrt(Vector512<T>.One - (x * x));
    }

    private readonly struct Acos : IUnary
    {
        public static void Value<T>(ReadOnlySpan<T> x, Span<T> y)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => Scalars.Map(x, y, Math.Acos);

        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => -g / Vector512.Sqrt(Vector512<T>.One - (x * x));
    }

    private readonly struct Atan : IUnary
    {
        public static void Value<T>(ReadOnlySpan<T> x, Span<T> y)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => Scalars.Map(x, y, Math.Atan);

        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g / (Vector512<T>.One + (x * x));
    }
}
