using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <content>
/// Elementary functions of full vectors. A lane's bits depend only on its own value, neither on the other lanes nor on the
/// hardware. Results are off by at most one unit in the last place in float, two in double.
/// </content>
/// <remarks>
/// Where the hardware's vectors are narrower, both halves are computed by the same formulas in 256 bits. The build makes
/// <c>NarrowFunctionsFor…</c> from the text of <c>FunctionsFor…</c> (see the project file).
/// </remarks>
internal static partial class Lanes
{
    /// <summary>log x in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Log<T>(Vector512<T> x)
        where T : unmanaged =>
        Vector512.IsHardwareAccelerated ? FunctionsForBoth.Log(x)
            : Vector512.Create(NarrowFunctionsForBoth.Log(x.GetLower()), NarrowFunctionsForBoth.Log(x.GetUpper()));

    /// <summary>eˣ in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Exp<T>(Vector512<T> x)
        where T : unmanaged =>
        Vector512.IsHardwareAccelerated ? FunctionsForBoth.Exp(x)
            : Vector512.Create(NarrowFunctionsForBoth.Exp(x.GetLower()), NarrowFunctionsForBoth.Exp(x.GetUpper()));

    /// <summary>eˣ − 1 in every lane, exact for small x too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> ExpMinusOne<T>(Vector512<T> x)
        where T : unmanaged =>
        Vector512.IsHardwareAccelerated ? FunctionsForBoth.ExpMinusOne(x)
            : Vector512.Create(NarrowFunctionsForBoth.ExpMinusOne(x.GetLower()), NarrowFunctionsForBoth.ExpMinusOne(x.GetUpper()));

    /// <summary>1 / (1 + e⁻ˣ) in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Sigmoid<T>(Vector512<T> x)
        where T : unmanaged =>
        Vector512.IsHardwareAccelerated ? FunctionsForBoth.Sigmoid(x)
            : Vector512.Create(NarrowFunctionsForBoth.Sigmoid(x.GetLower()), NarrowFunctionsForBoth.Sigmoid(x.GetUpper()));

    /// <summary>log(1 + eˣ) in every lane; large |x| neither overflows nor vanishes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Softplus<T>(Vector512<T> x)
        where T : unmanaged =>
        Vector512.IsHardwareAccelerated ? FunctionsForBoth.Softplus(x)
            : Vector512.Create(NarrowFunctionsForBoth.Softplus(x.GetLower()), NarrowFunctionsForBoth.Softplus(x.GetUpper()));

    /// <summary>tanh x in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Tanh<T>(Vector512<T> x)
        where T : unmanaged =>
        Vector512.IsHardwareAccelerated ? FunctionsForBoth.Tanh(x)
            : Vector512.Create(NarrowFunctionsForBoth.Tanh(x.GetLower()), NarrowFunctionsForBoth.Tanh(x.GetUpper()));

    /// <summary>log(1 + x) in every lane, exact for small x too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> LogOnePlus<T>(Vector512<T> x)
        where T : unmanaged =>
        Vector512.IsHardwareAccelerated ? FunctionsForBoth.LogOnePlus(x)
            : Vector512.Create(NarrowFunctionsForBoth.LogOnePlus(x.GetLower()), NarrowFunctionsForBoth.LogOnePlus(x.GetUpper()));

    /// <summary>log(1 + x) of one number, with the bits that it has in a vector of doubles.</summary>
    public static double LogOnePlus(double x) =>
        Vector512.IsHardwareAccelerated
            ? FunctionsForDouble.LogOnePlus(Vector512.Create(x)).ToScalar()
            : NarrowFunctionsForDouble.LogOnePlus(Vector256.Create(x)).ToScalar();

    /// <summary>sin x in every lane, x in radians.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Sin<T>(Vector512<T> x)
        where T : unmanaged =>
        Vector512.IsHardwareAccelerated ? FunctionsForBoth.Sin(x)
            : Vector512.Create(NarrowFunctionsForBoth.Sin(x.GetLower()), NarrowFunctionsForBoth.Sin(x.GetUpper()));

    /// <summary>cos x in every lane, x in radians.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Cos<T>(Vector512<T> x)
        where T : unmanaged =>
        Vector512.IsHardwareAccelerated ? FunctionsForBoth.Cos(x)
            : Vector512.Create(NarrowFunctionsForBoth.Cos(x.GetLower()), NarrowFunctionsForBoth.Cos(x.GetUpper()));
}
