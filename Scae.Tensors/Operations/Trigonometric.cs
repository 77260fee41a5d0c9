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

    /// <summary>tanh x.</summary>
    public Tensor tanh() => Unary<Tanh>.Of("tanh", this);

    private readonly struct Sin : IMap1, IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> x)
            where T : unmanaged => Lanes.Sin(x);

        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g * Lanes.Cos(x);
    }

    private readonly struct Cos : IMap1, IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> x)
            where T : unmanaged => Lanes.Cos(x);

        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => -g * Lanes.Sin(x);
    }

    private readonly struct Tanh : IMap1, IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g * (Vector512<T>.One - (y * y));

        public static Vector512<T> Apply<T>(Vector512<T> x)
            where T : unmanaged => Lanes.Tanh(x);
    }
}
