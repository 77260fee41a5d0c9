using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>A function of one value, on full vectors.</summary>
internal interface IMap1
{
    static abstract Vector512<T> Apply<T>(Vector512<T> x)
        where T : unmanaged;
}

/// <summary>A function of two values, on full vectors.</summary>
internal interface IMap2
{
    static abstract Vector512<T> Apply<T>(Vector512<T> a, Vector512<T> b)
        where T : unmanaged;
}

/// <summary>A function of three values, on full vectors. A backward rule is such a function of (gradient, x, y).</summary>
internal interface IMap3
{
    static abstract Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
        where T : unmanaged;
}

/// <summary>
/// Elementwise loops over spans, one method for each kind of loop. The function is a type parameter, so that it is compiled
/// into the loop. Vectors are always 512 bits wide; on narrower hardware the runtime splits them.
/// </summary>
internal static class Elementwise
{
    // A whole number of cache lines: parts begin at a cache line where the whole does.
    private const int Grain = 256;

    /// <summary>destination_i = f(x_i). An element's bits don't depend on its position. Both arguments may be the same span.</summary>
    public static unsafe void Map1<T, TMap>(ReadOnlySpan<T> x, Span<T> destination)
        where T : unmanaged
        where TMap : IMap1
    {
        if (destination.Length < Sharing.ManyFunctions)
        {
            Serial1<T, TMap>(x, destination);
            return;
        }

        fixed (T* from = x, to = destination)
            Sharing.Run(new Range1<T, TMap>(from, to), destination.Length, isLong: true, Grain);
    }

    [MethodImpl(VectorLoop.Options)]
    private static void Serial1<T, TMap>(ReadOnlySpan<T> x, Span<T> destination)
        where T : unmanaged
        where TMap : IMap1
    {
        int width = Vector512<T>.Count, n = destination.Length, i = 0;
        ref T from = ref MemoryMarshal.GetReference(x), to = ref MemoryMarshal.GetReference(destination);
        for (; i <= n - width; i += width) TMap.Apply(Vector512.LoadUnsafe(ref from, (nuint)i)).StoreUnsafe(ref to, (nuint)i);
        if (i < n) Lanes.StorePart(TMap.Apply(Lanes.LoadPart(x[i..n])), destination[i..]);
    }

    /// <summary>
    /// destination_i (+)= f(a_i, b_i), where an operand with step 0 repeats its first element.
    /// </summary>
    public static unsafe void Map2<T, TMap>(ReadOnlySpan<T> a, int aStep, ReadOnlySpan<T> b, int bStep, Span<T> destination, bool accumulate = false)
        where T : unmanaged
        where TMap : IMap2
    {
        if (destination.Length < Sharing.ManyElements)
        {
            Serial2<T, TMap>(a, aStep, b, bStep, destination, accumulate);
            return;
        }

        fixed (T* left = a, right = b, to = destination)
            Sharing.Run(new Range2<T, TMap>(left, aStep, right, bStep, to, accumulate), destination.Length, isLong: true, Grain);
    }

    [MethodImpl(VectorLoop.Options)]
    private static void Serial2<T, TMap>(ReadOnlySpan<T> a, int aStep, ReadOnlySpan<T> b, int bStep, Span<T> destination, bool accumulate)
        where T : unmanaged
        where TMap : IMap2
    {
        int width = Vector512<T>.Count, n = destination.Length, i = 0;
        ref T left = ref MemoryMarshal.GetReference(a), right = ref MemoryMarshal.GetReference(b), to = ref MemoryMarshal.GetReference(destination);
        if (n == 0) return;
        var x = Vector512.Create(left);
        var y = Vector512.Create(right);
        for (; i <= n - width; i += width)
        {
            if (aStep != 0) x = Vector512.LoadUnsafe(ref left, (nuint)i);
            if (bStep != 0) y = Vector512.LoadUnsafe(ref right, (nuint)i);
            var value = TMap.Apply(x, y);
            if (accumulate) value += Vector512.LoadUnsafe(ref to, (nuint)i);
            value.StoreUnsafe(ref to, (nuint)i);
        }

        if (i < n)
        {
            if (aStep != 0) x = Lanes.LoadPart(a[i..n]);
            if (bStep != 0) y = Lanes.LoadPart(b[i..n]);
            var value = TMap.Apply(x, y);
            if (accumulate) value += Lanes.LoadPart<T>(destination[i..]);
            Lanes.StorePart(value, destination[i..]);
        }
    }

    /// <summary>destination_i (+)= f(g_i, x_i, y_i), where an operand with step 0 repeats its first element.</summary>
    public static unsafe void Map3<T, TMap>(ReadOnlySpan<T> g, ReadOnlySpan<T> x, int xStep, ReadOnlySpan<T> y, int yStep, Span<T> destination, bool accumulate)
        where T : unmanaged
        where TMap : IMap3
    {
        if (destination.Length < Sharing.ManyElements)
        {
            Serial3<T, TMap>(g, x, xStep, y, yStep, destination, accumulate);
            return;
        }

        fixed (T* gradient = g, left = x, right = y, to = destination)
            Sharing.Run(new Range3<T, TMap>(gradient, left, xStep, right, yStep, to, accumulate), destination.Length, isLong: true, Grain);
    }

    [MethodImpl(VectorLoop.Options)]
    private static void Serial3<T, TMap>(ReadOnlySpan<T> g, ReadOnlySpan<T> x, int xStep, ReadOnlySpan<T> y, int yStep, Span<T> destination, bool accumulate)
        where T : unmanaged
        where TMap : IMap3
    {
        int width = Vector512<T>.Count, n = destination.Length, i = 0;
        if (n == 0) return;
        ref T gradient = ref MemoryMarshal.GetReference(g), left = ref MemoryMarshal.GetReference(x), right = ref MemoryMarshal.GetReference(y), to = ref MemoryMarshal.GetReference(destination);
        var a = Vector512.Create(left);
        var b = Vector512.Create(right);
        for (; i <= n - width; i += width)
        {
            if (xStep != 0) a = Vector512.LoadUnsafe(ref left, (nuint)i);
            if (yStep != 0) b = Vector512.LoadUnsafe(ref right, (nuint)i);
            var value = TMap.Apply(Vector512.LoadUnsafe(ref gradient, (nuint)i), a, b);
            if (accumulate) value += Vector512.LoadUnsafe(ref to, (nuint)i);
            value.StoreUnsafe(ref to, (nuint)i);
        }

        if (i < n)
        {
            if (xStep != 0) a = Lanes.LoadPart(x[i..n]);
            if (yStep != 0) b = Lanes.LoadPart(y[i..n]);
            var value = TMap.Apply(Lanes.LoadPart(g[i..n]), a, b);
            if (accumulate) value += Lanes.LoadPart<T>(destination[i..]);
            Lanes.StorePart(value, destination[i..]);
        }
    }

    /// <summary>Σ f(g_i, x_i, y_i), added as in <see cref="Reduce"/>.</summary>
    public static unsafe T SumMap3<T, TMap>(ReadOnlySpan<T> g, ReadOnlySpan<T> x, int xStep, ReadOnlySpan<T> y, int yStep)
        where T : unmanaged
        where TMap : IMap3
    {
        if (g.IsEmpty) return default;
        fixed (T* gradient = g, left = x, right = y)
            return Reduce.Narrow<T>(Reduce.Sum<T, MappedTerms<T, TMap>>(new(gradient, left, xStep, right, yStep), g.Length));
    }

    private readonly unsafe struct Range1<T, TMap>(T* x, T* destination) : IRange
        where T : unmanaged
        where TMap : IMap1
    {
        public void Run(int from, int to) => Serial1<T, TMap>(new(x + from, to - from), new(destination + from, to - from));
    }

    private readonly unsafe struct Range2<T, TMap>(T* a, int aStep, T* b, int bStep, T* destination, bool accumulate) : IRange
        where T : unmanaged
        where TMap : IMap2
    {
        public void Run(int from, int to) =>
            Serial2<T, TMap>(Part(a, aStep, from, to), aStep, Part(b, bStep, from, to), bStep, new(destination + from, to - from), accumulate);
    }

    private readonly unsafe struct Range3<T, TMap>(T* g, T* x, int xStep, T* y, int yStep, T* destination, bool accumulate) : IRange
        where T : unmanaged
        where TMap : IMap3
    {
        public void Run(int from, int to) =>
            Serial3<T, TMap>(
                new(g + from, to - from), Part(x, xStep, from, to), xStep, Part(y, yStep, from, to), yStep, new(destination + from, to - from), accumulate);
    }

    private static unsafe ReadOnlySpan<T> Part<T>(T* x, int step, int from, int to)
        where T : unmanaged => step == 0 ? new(x, 1) : new(x + from, to - from);

    private readonly unsafe struct MappedTerms<T, TMap>(T* g, T* x, int xStep, T* y, int yStep) : ITerms<T>
        where T : unmanaged
        where TMap : IMap3
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<T> At(nint i) =>
            TMap.Apply(
                Vector512.Load(g + i), xStep == 0 ? Vector512.Create(*x) : Vector512.Load(x + i), yStep == 0 ? Vector512.Create(*y) : Vector512.Load(y + i));

        public Vector512<T> Part(nint i, int count)
        {
            var left = xStep == 0 ? Vector512.Create(*x) : Lanes.LoadPart(new ReadOnlySpan<T>(x + i, count));
            var right = yStep == 0 ? Vector512.Create(*y) : Lanes.LoadPart(new ReadOnlySpan<T>(y + i, count));
            Span<T> part = stackalloc T[Vector512<T>.Count];
            Lanes.StorePart(TMap.Apply(Lanes.LoadPart(new ReadOnlySpan<T>(g + i, count)), left, right), part[..count]);
            part[count..].Clear();  // lanes beyond the end may hold 0 · ∞ = NaN
            return Vector512.Create<T>(part);
        }
    }
}
