using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <content>
/// Elementary functions of full vectors. A lane's bits depend only on its own value, neither on the other lanes nor on the
/// hardware. Results are off by at most one unit in the last place in float, two in double.
/// </content>
internal static partial class Lanes
{
    /// <summary>log x in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Log<T>(Vector512<T> x)
        where T : unmanaged
    {
        if (typeof(T) == typeof(double)) return Apply<T, LogFunction>(x);
        var single = x.AsSingle();
        return (Vector512.IsHardwareAccelerated
            ? FunctionsForSingle.Log(single)
            : Vector512.Create(NarrowFunctionsForSingle.Log(single.GetLower()), NarrowFunctionsForSingle.Log(single.GetUpper()))).As<float, T>();
    }

    /// <summary>eˣ in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Exp<T>(Vector512<T> x)
        where T : unmanaged => Apply<T, ExpFunction>(x);

    /// <summary>eˣ − 1 in every lane, exact for small x too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> ExpMinusOne<T>(Vector512<T> x)
        where T : unmanaged => Apply<T, ExpMinusOneFunction>(x);

    /// <summary>1 / (1 + e⁻ˣ) in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Sigmoid<T>(Vector512<T> x)
        where T : unmanaged => Apply<T, SigmoidFunction>(x);

    /// <summary>log(1 + eˣ) in every lane; large |x| neither overflows nor vanishes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Softplus<T>(Vector512<T> x)
        where T : unmanaged => Apply<T, SoftplusFunction>(x);

    /// <summary>tanh x in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Tanh<T>(Vector512<T> x)
        where T : unmanaged => Apply<T, TanhFunction>(x);

    /// <summary>log(1 + x) in every lane, exact for small x too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> LogOnePlus<T>(Vector512<T> x)
        where T : unmanaged => Apply<T, LogOnePlusFunction>(x);

    /// <summary>log(1 + x) of one number, with the bits that the number has in a vector, rounded to float or not.</summary>
    public static double LogOnePlus(double x) =>
        Vector512.IsHardwareAccelerated
            ? FunctionsForDouble.LogOnePlus(Vector512.Create(x)).ToScalar()
            : NarrowFunctionsForDouble.LogOnePlus(Vector256.Create(x)).ToScalar();

    /// <summary>sin x in every lane, x in radians.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Sin<T>(Vector512<T> x)
        where T : unmanaged => Apply<T, SinFunction>(x);

    /// <summary>cos x in every lane, x in radians.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Cos<T>(Vector512<T> x)
        where T : unmanaged => Apply<T, CosFunction>(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<T> Apply<T, TFunction>(Vector512<T> x)
        where T : unmanaged
        where TFunction : IFunction
    {
        if (typeof(T) == typeof(double))
        {
            var wide = x.AsDouble();
            return (Vector512.IsHardwareAccelerated
                ? TFunction.ForDouble(wide)
                : Vector512.Create(TFunction.ForDouble(wide.GetLower()), TFunction.ForDouble(wide.GetUpper()))).As<double, T>();
        }

        if (Vector512.IsHardwareAccelerated)
        {
            var (lower, upper) = Vector512.Widen(x.AsSingle());
            return Vector512.Narrow(TFunction.ForSingle(lower), TFunction.ForSingle(upper)).As<float, T>();
        }

        var single = x.AsSingle();
        return Vector512.Create(ApplyNarrow<TFunction>(single.GetLower()), ApplyNarrow<TFunction>(single.GetUpper())).As<float, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> ApplyNarrow<TFunction>(Vector256<float> x)
        where TFunction : IFunction
    {
        var (lower, upper) = Vector256.Widen(x);
        return Vector256.Narrow(TFunction.ForSingle(lower), TFunction.ForSingle(upper));
    }

    /// <summary>A function of doubles, exact to the digits of double or of float, for either width of vectors.</summary>
    private interface IFunction
    {
        static abstract Vector512<double> ForDouble(Vector512<double> x);

        static abstract Vector256<double> ForDouble(Vector256<double> x);

        static abstract Vector512<double> ForSingle(Vector512<double> x);

        static abstract Vector256<double> ForSingle(Vector256<double> x);
    }

    private readonly struct LogFunction : IFunction
    {
        public static Vector512<double> ForDouble(Vector512<double> x) => FunctionsForDouble.Log(x);

        public static Vector256<double> ForDouble(Vector256<double> x) => NarrowFunctionsForDouble.Log(x);

        public static Vector512<double> ForSingle(Vector512<double> x) => FunctionsForDouble.Log(x);

        public static Vector256<double> ForSingle(Vector256<double> x) => NarrowFunctionsForDouble.Log(x);
    }

    private readonly struct ExpFunction : IFunction
    {
        public static Vector512<double> ForDouble(Vector512<double> x) => FunctionsForDouble.Exp(x);

        public static Vector256<double> ForDouble(Vector256<double> x) => NarrowFunctionsForDouble.Exp(x);

        public static Vector512<double> ForSingle(Vector512<double> x) => FunctionsForSingle.Exp(x);

        public static Vector256<double> ForSingle(Vector256<double> x) => NarrowFunctionsForSingle.Exp(x);
    }

    private readonly struct ExpMinusOneFunction : IFunction
    {
        public static Vector512<double> ForDouble(Vector512<double> x) => FunctionsForDouble.ExpMinusOne(x);

        public static Vector256<double> ForDouble(Vector256<double> x) => NarrowFunctionsForDouble.ExpMinusOne(x);

        public static Vector512<double> ForSingle(Vector512<double> x) => FunctionsForSingle.ExpMinusOne(x);

        public static Vector256<double> ForSingle(Vector256<double> x) => NarrowFunctionsForSingle.ExpMinusOne(x);
    }

    private readonly struct SigmoidFunction : IFunction
    {
        public static Vector512<double> ForDouble(Vector512<double> x) => FunctionsForDouble.Sigmoid(x);

        public static Vector256<double> ForDouble(Vector256<double> x) => NarrowFunctionsForDouble.Sigmoid(x);

        public static Vector512<double> ForSingle(Vector512<double> x) => FunctionsForSingle.Sigmoid(x);

        public static Vector256<double> ForSingle(Vector256<double> x) => NarrowFunctionsForSingle.Sigmoid(x);
    }

    private readonly struct SoftplusFunction : IFunction
    {
        public static Vector512<double> ForDouble(Vector512<double> x) => FunctionsForDouble.Softplus(x);

        public static Vector256<double> ForDouble(Vector256<double> x) => NarrowFunctionsForDouble.Softplus(x);

        public static Vector512<double> ForSingle(Vector512<double> x) => FunctionsForSingle.Softplus(x);

        public static Vector256<double> ForSingle(Vector256<double> x) => NarrowFunctionsForSingle.Softplus(x);
    }

    private readonly struct TanhFunction : IFunction
    {
        public static Vector512<double> ForDouble(Vector512<double> x) => FunctionsForDouble.Tanh(x);

        public static Vector256<double> ForDouble(Vector256<double> x) => NarrowFunctionsForDouble.Tanh(x);

        public static Vector512<double> ForSingle(Vector512<double> x) => FunctionsForSingle.Tanh(x);

        public static Vector256<double> ForSingle(Vector256<double> x) => NarrowFunctionsForSingle.Tanh(x);
    }

    private readonly struct LogOnePlusFunction : IFunction
    {
        public static Vector512<double> ForDouble(Vector512<double> x) => FunctionsForDouble.LogOnePlus(x);

        public static Vector256<double> ForDouble(Vector256<double> x) => NarrowFunctionsForDouble.LogOnePlus(x);

        public static Vector512<double> ForSingle(Vector512<double> x) => FunctionsForDouble.LogOnePlus(x);

        public static Vector256<double> ForSingle(Vector256<double> x) => NarrowFunctionsForDouble.LogOnePlus(x);
    }

    private readonly struct SinFunction : IFunction
    {
        public static Vector512<double> ForDouble(Vector512<double> x) => FunctionsForDouble.Sin(x);

        public static Vector256<double> ForDouble(Vector256<double> x) => NarrowFunctionsForDouble.Sin(x);

        public static Vector512<double> ForSingle(Vector512<double> x) => FunctionsForDouble.Sin(x);

        public static Vector256<double> ForSingle(Vector256<double> x) => NarrowFunctionsForDouble.Sin(x);
    }

    private readonly struct CosFunction : IFunction
    {
        public static Vector512<double> ForDouble(Vector512<double> x) => FunctionsForDouble.Cos(x);

        public static Vector256<double> ForDouble(Vector256<double> x) => NarrowFunctionsForDouble.Cos(x);

        public static Vector512<double> ForSingle(Vector512<double> x) => FunctionsForDouble.Cos(x);

        public static Vector256<double> ForSingle(Vector256<double> x) => NarrowFunctionsForDouble.Cos(x);
    }
}
