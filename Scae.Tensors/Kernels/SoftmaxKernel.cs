using System;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>Softmax of many short rows: one call of exp for all of them, the rest row by row.</summary>
internal static unsafe class SoftmaxKernel
{
    /// <summary>y = softmax(scale · x) in rows of length n; a row of −∞ or with NaN becomes NaN.</summary>
    public static void Forward<T>(ReadOnlySpan<T> x, int n, T scale, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (y.IsEmpty) return;
        fixed (T* from = x, to = y)
            Sharing.Run(new ForwardRows<T>(from, n, scale, to), y.Length / n, y.Length >= Sharing.ManyFunctions);
    }

    private static void ForwardSerial<T>(ReadOnlySpan<T> x, int n, T scale, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int start = 0; start < y.Length; start += n)
        {
            var row = x.Slice(start, n);
            T most = scale < T.Zero ? TensorPrimitives.Min(row) : Max(row);
            ShiftScale(row, most, scale, y.Slice(start, n));
        }

        Elementwise.Map1<T, Exponential>(y, y);
        for (int start = 0; start < y.Length; start += n)
        {
            var row = y.Slice(start, n);
            Scale(row, T.One / Reduce.Sum<T>(row));
        }
    }

    /// <summary>dx (+)= scale · y ∘ (g − Σ g ∘ y), row by row.</summary>
    public static void Backward<T>(ReadOnlySpan<T> g, ReadOnlySpan<T> y, int n, T scale, Span<T> dx, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (y.IsEmpty) return;
        fixed (T* gradient = g, value = y, into = dx)
            Sharing.Run(new BackwardRows<T>(gradient, value, n, scale, into, accumulate), y.Length / n, y.Length >= Sharing.ManyElements);
    }

    private readonly struct ForwardRows<T>(T* x, int n, T scale, T* y) : IRange
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run(int from, int to)
        {
            int length = (to - from) * n;
            ForwardSerial(new ReadOnlySpan<T>(x + ((nint)from * n), length), n, scale, new Span<T>(y + ((nint)from * n), length));
        }
    }

    private readonly struct BackwardRows<T>(T* g, T* y, int n, T scale, T* dx, bool accumulate) : IRange
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run(int from, int to)
        {
            for (int row = from; row < to; row++)
            {
                ReadOnlySpan<T> gradient = new(g + ((nint)row * n), n), value = new(y + ((nint)row * n), n);
                Rule(gradient, value, Reduce.Dot(gradient, value), scale, new Span<T>(dx + ((nint)row * n), n), accumulate);
            }
        }
    }

    private readonly struct Exponential : IMap1
    {
        public static Vector512<T> Apply<T>(Vector512<T> x)
            where T : unmanaged => Lanes.Exp(x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Max<T>(ReadOnlySpan<T> row)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // For short rows TensorPrimitives.Max costs more than it saves.
        if (row.Length > 64) return TensorPrimitives.Max(row);
        T most = row[0];
        for (int i = 1; i < row.Length; i++) most = row[i] > most || T.IsNaN(row[i]) ? row[i] : most;
        return most;
    }

    [MethodImpl(VectorLoop.Options)]
    private static void ShiftScale<T>(ReadOnlySpan<T> x, T shift, T scale, Span<T> y)
        where T : unmanaged
    {
        int width = Vector512<T>.Count, i = 0;
        var s = Vector512.Create(shift);
        var c = Vector512.Create(scale);
        ref T from = ref MemoryMarshal.GetReference(x), to = ref MemoryMarshal.GetReference(y);
        for (; i <= x.Length - width; i += width) ((Vector512.LoadUnsafe(ref from, (nuint)i) - s) * c).StoreUnsafe(ref to, (nuint)i);
        if (i < x.Length) Lanes.StorePart((Lanes.LoadPart(x[i..]) - s) * c, y[i..]);
    }

    [MethodImpl(VectorLoop.Options)]
    private static void Scale<T>(Span<T> y, T scale)
        where T : unmanaged
    {
        int width = Vector512<T>.Count, i = 0;
        var c = Vector512.Create(scale);
        ref T to = ref MemoryMarshal.GetReference(y);
        for (; i <= y.Length - width; i += width) (Vector512.LoadUnsafe(ref to, (nuint)i) * c).StoreUnsafe(ref to, (nuint)i);
        if (i < y.Length) Lanes.StorePart(Lanes.LoadPart<T>(y[i..]) * c, y[i..]);
    }

    [MethodImpl(VectorLoop.Options)]
    private static void Rule<T>(ReadOnlySpan<T> g, ReadOnlySpan<T> y, T dot, T scale, Span<T> dx, bool accumulate)
        where T : unmanaged
    {
        int width = Vector512<T>.Count, i = 0;
        var d = Vector512.Create(dot);
        var c = Vector512.Create(scale);
        ref T gradient = ref MemoryMarshal.GetReference(g), value = ref MemoryMarshal.GetReference(y), to = ref MemoryMarshal.GetReference(dx);
        for (; i <= y.Length - width; i += width)
        {
            var result = c * Vector512.LoadUnsafe(ref value, (nuint)i) * (Vector512.LoadUnsafe(ref gradient, (nuint)i) - d);
            if (accumulate) result += Vector512.LoadUnsafe(ref to, (nuint)i);
            result.StoreUnsafe(ref to, (nuint)i);
        }

        if (i < y.Length)
        {
            var result = c * Lanes.LoadPart(y[i..]) * (Lanes.LoadPart(g[i..]) - d);
            if (accumulate) result += Lanes.LoadPart<T>(dx[i..]);
            Lanes.StorePart(result, dx[i..]);
        }
    }
}
