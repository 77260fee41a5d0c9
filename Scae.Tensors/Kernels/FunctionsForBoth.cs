using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Elementary functions of vectors of floats, which are widened to doubles and narrowed again, or of doubles.
/// </summary>
internal static class FunctionsForBoth
{
    /// <summary>log x in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Log<T>(Vector512<T> x)
        where T : unmanaged =>
        typeof(T) == typeof(double)
            ? FunctionsForDouble.Log(x.AsDouble()).As<double, T>()
            : FunctionsForSingle.Log(x.AsSingle()).As<float, T>();

    /// <summary>eˣ in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Exp<T>(Vector512<T> x)
        where T : unmanaged
    {
        if (typeof(T) == typeof(double)) return FunctionsForDouble.Exp(x.AsDouble()).As<double, T>();
        var (lower, upper) = Vector512.Widen(x.AsSingle());
        return Vector512.Narrow(FunctionsForSingle.Exp(lower), FunctionsForSingle.Exp(upper)).As<float, T>();
    }

    /// <summary>eˣ − 1 in every lane, exact for small x too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> ExpMinusOne<T>(Vector512<T> x)
        where T : unmanaged
    {
        if (typeof(T) == typeof(double)) return FunctionsForDouble.ExpMinusOne(x.AsDouble()).As<double, T>();
        var (lower, upper) = Vector512.Widen(x.AsSingle());
        return Vector512.Narrow(FunctionsForSingle.ExpMinusOne(lower), FunctionsForSingle.ExpMinusOne(upper)).As<float, T>();
    }

    /// <summary>1 / (1 + e⁻ˣ) in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Sigmoid<T>(Vector512<T> x)
        where T : unmanaged
    {
        if (typeof(T) == typeof(double)) return FunctionsForDouble.Sigmoid(x.AsDouble()).As<double, T>();
        var (lower, upper) = Vector512.Widen(x.AsSingle());
        return Vector512.Narrow(FunctionsForSingle.Sigmoid(lower), FunctionsForSingle.Sigmoid(upper)).As<float, T>();
    }

    /// <summary>log(1 + eˣ) in every lane; large |x| neither overflows nor vanishes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Softplus<T>(Vector512<T> x)
        where T : unmanaged
    {
        if (typeof(T) == typeof(double)) return FunctionsForDouble.Softplus(x.AsDouble()).As<double, T>();
        var (lower, upper) = Vector512.Widen(x.AsSingle());
        return Vector512.Narrow(FunctionsForSingle.Softplus(lower), FunctionsForSingle.Softplus(upper)).As<float, T>();
    }

    /// <summary>tanh x in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Tanh<T>(Vector512<T> x)
        where T : unmanaged
    {
        if (typeof(T) == typeof(double)) return FunctionsForDouble.Tanh(x.AsDouble()).As<double, T>();
        var (lower, upper) = Vector512.Widen(x.AsSingle());
        return Vector512.Narrow(FunctionsForSingle.Tanh(lower), FunctionsForSingle.Tanh(upper)).As<float, T>();
    }

    /// <summary>log(1 + x) in every lane, exact for small x too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> LogOnePlus<T>(Vector512<T> x)
        where T : unmanaged
    {
        if (typeof(T) == typeof(double)) return FunctionsForDouble.LogOnePlus(x.AsDouble()).As<double, T>();
        var (lower, upper) = Vector512.Widen(x.AsSingle());
        return Vector512.Narrow(FunctionsForDouble.LogOnePlus(lower), FunctionsForDouble.LogOnePlus(upper)).As<float, T>();
    }

    /// <summary>sin x in every lane, x in radians.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Sin<T>(Vector512<T> x)
        where T : unmanaged
    {
        if (typeof(T) == typeof(double)) return FunctionsForDouble.Sin(x.AsDouble()).As<double, T>();
        var (lower, upper) = Vector512.Widen(x.AsSingle());
        return Vector512.Narrow(FunctionsForDouble.Sin(lower), FunctionsForDouble.Sin(upper)).As<float, T>();
    }

    /// <summary>cos x in every lane, x in radians.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Cos<T>(Vector512<T> x)
        where T : unmanaged
    {
        if (typeof(T) == typeof(double)) return FunctionsForDouble.Cos(x.AsDouble()).As<double, T>();
        var (lower, upper) = Vector512.Widen(x.AsSingle());
        return Vector512.Narrow(FunctionsForDouble.Cos(lower), FunctionsForDouble.Cos(upper)).As<float, T>();
    }
}
