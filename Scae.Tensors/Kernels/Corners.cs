using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Scae.Tensors.Kernels;

/// <summary>
/// The four corners of a block of cells, as four vectors with one lane per cell. In memory a cell's corners lie side by
/// side and are moved together: four gathers per block took six times as long.
/// </summary>
internal unsafe readonly struct Corners<T>(Vector512<T> a, Vector512<T> b, Vector512<T> c, Vector512<T> d)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Upper left.</summary>
    public Vector512<T> A => a;

    /// <summary>Upper right.</summary>
    public Vector512<T> B => b;

    /// <summary>Lower left.</summary>
    public Vector512<T> C => c;

    /// <summary>Lower right.</summary>
    public Vector512<T> D => d;

    /// <summary>The corners of the cells with the given indices, one cell per lane; turned is scratch space for four vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Corners<T> Load(T* cells, int* indices, T* turned)
    {
        if (Avx512F.IsSupported && typeof(T) == typeof(float))
        {
            var (p, q, r, s) = Turn(
                Four((float*)cells, indices), Four((float*)cells, indices + 1), Four((float*)cells, indices + 2), Four((float*)cells, indices + 3));
            return new(p.As<float, T>(), q.As<float, T>(), r.As<float, T>(), s.As<float, T>());
        }

        if (Avx.IsSupported && typeof(T) == typeof(float))
        {
            var (p0, q0, r0, s0) = Turn(
                Two((float*)cells, indices), Two((float*)cells, indices + 1), Two((float*)cells, indices + 2), Two((float*)cells, indices + 3));
            var (p1, q1, r1, s1) = Turn(
                Two((float*)cells, indices + 8), Two((float*)cells, indices + 9), Two((float*)cells, indices + 10), Two((float*)cells, indices + 11));
            return new(
                Vector512.Create(p0, p1).As<float, T>(), Vector512.Create(q0, q1).As<float, T>(),
                Vector512.Create(r0, r1).As<float, T>(), Vector512.Create(s0, s1).As<float, T>());
        }

        for (int lane = 0; lane < Vector512<T>.Count; lane++)
            for (int corner = 0; corner < 4; corner++) turned[(corner * Vector512<T>.Count) + lane] = cells[(4 * indices[lane]) + corner];
        return new(
            Vector512.Load(turned), Vector512.Load(turned + Vector512<T>.Count),
            Vector512.Load(turned + (2 * Vector512<T>.Count)), Vector512.Load(turned + (3 * Vector512<T>.Count)));
    }

    /// <summary>
    /// Adds each lane's corners to its cell. Neighbouring lanes often have the same cell, so they are added in an order in
    /// which they rarely wait for each other. turned is scratch space for four vectors.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddTo(T* cells, int* indices, T* turned)
    {
        if (Avx.IsSupported && typeof(T) == typeof(float))
        {
            if (Avx512F.IsSupported)
            {
                var (p, q, r, s) = Turn(a.AsSingle(), b.AsSingle(), c.AsSingle(), d.AsSingle());
                p.Store((float*)turned);
                q.Store((float*)turned + 16);
                r.Store((float*)turned + 32);
                s.Store((float*)turned + 48);
            }
            else
            {
                StoreTurned(a.AsSingle().GetLower(), b.AsSingle().GetLower(), c.AsSingle().GetLower(), d.AsSingle().GetLower(), (float*)turned);
                StoreTurned(a.AsSingle().GetUpper(), b.AsSingle().GetUpper(), c.AsSingle().GetUpper(), d.AsSingle().GetUpper(), (float*)turned + 8);
            }

            for (int row = 0; row < 4; row++)
            {
                AddCell((float*)turned + (16 * row), (float*)cells, indices[row]);
                AddCell((float*)turned + (16 * row) + 4, (float*)cells, indices[row + 4]);
                AddCell((float*)turned + (16 * row) + 8, (float*)cells, indices[row + 8]);
                AddCell((float*)turned + (16 * row) + 12, (float*)cells, indices[row + 12]);
            }

            return;
        }

        a.Store(turned);
        b.Store(turned + Vector512<T>.Count);
        c.Store(turned + (2 * Vector512<T>.Count));
        d.Store(turned + (3 * Vector512<T>.Count));
        for (int row = 0; row < 4; row++)
        {
            // The same order as above, so that the bits don't depend on the processor.
            for (int lane = row; lane < Vector512<T>.Count; lane += 4)
                for (int corner = 0; corner < 4; corner++) cells[(4 * indices[lane]) + corner] += turned[(corner * Vector512<T>.Count) + lane];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddCell(float* corners, float* cells, int index)
    {
        float* cell = cells + (4 * (nint)index);
        (Vector128.Load(cell) + Vector128.Load(corners)).Store(cell);
    }

    // The cells of every fourth lane.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Four(float* cells, int* indices) =>
        Vector512.Create(
            Vector256.Create(Vector128.Load(cells + (4 * (nint)indices[0])), Vector128.Load(cells + (4 * (nint)indices[4]))),
            Vector256.Create(Vector128.Load(cells + (4 * (nint)indices[8])), Vector128.Load(cells + (4 * (nint)indices[12]))));

    // The cells of a lane and of the fourth lane after it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Two(float* cells, int* indices) =>
        Vector256.Create(Vector128.Load(cells + (4 * (nint)indices[0])), Vector128.Load(cells + (4 * (nint)indices[4])));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreTurned(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d, float* turned)
    {
        var (p, q, r, s) = Turn(a, b, c, d);
        p.Store(turned);
        q.Store(turned + 16);
        r.Store(turned + 32);
        s.Store(turned + 48);
    }

    // In each half, four rows of four numbers become four columns of four.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float> P, Vector256<float> Q, Vector256<float> R, Vector256<float> S) Turn(
        Vector256<float> p, Vector256<float> q, Vector256<float> r, Vector256<float> s)
    {
        Vector256<float> pqLow = Avx.UnpackLow(p, q), pqHigh = Avx.UnpackHigh(p, q);
        Vector256<float> rsLow = Avx.UnpackLow(r, s), rsHigh = Avx.UnpackHigh(r, s);
        return (
            Avx.Shuffle(pqLow, rsLow, 0x44), Avx.Shuffle(pqLow, rsLow, 0xEE),
            Avx.Shuffle(pqHigh, rsHigh, 0x44), Avx.Shuffle(pqHigh, rsHigh, 0xEE));
    }

    // In each quarter, four rows of four numbers become four columns of four.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> P, Vector512<float> Q, Vector512<float> R, Vector512<float> S) Turn(
        Vector512<float> p, Vector512<float> q, Vector512<float> r, Vector512<float> s)
    {
        Vector512<float> pqLow = Avx512F.UnpackLow(p, q), pqHigh = Avx512F.UnpackHigh(p, q);
        Vector512<float> rsLow = Avx512F.UnpackLow(r, s), rsHigh = Avx512F.UnpackHigh(r, s);
        return (
            Avx512F.Shuffle(pqLow, rsLow, 0x44), Avx512F.Shuffle(pqLow, rsLow, 0xEE),
            Avx512F.Shuffle(pqHigh, rsHigh, 0x44), Avx512F.Shuffle(pqHigh, rsHigh, 0xEE));
    }
}
