using System;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Rows of a few numbers each, stored as planes, one for each number of a row, so that arithmetic on them fills vectors. A
/// plane's length is rounded up to whole vectors.
/// </summary>
internal static unsafe class Planes
{
    /// <summary>The length of a plane of so many numbers, rounded up to whole vectors.</summary>
    public static int Pitch<T>(int count)
        where T : unmanaged => (count + Vector512<T>.Count - 1) / Vector512<T>.Count * Vector512<T>.Count;

    /// <summary>planes[p·pitch + i] = rows[i·n + p], and zero behind the last row.</summary>
    public static void Split<T>(int n, int count, T* rows, T* planes, int pitch)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Transposition.Run(n, count, rows, n, planes, pitch);
        for (int p = 0; p < n; p++) new Span<T>(planes + ((nint)p * pitch) + count, pitch - count).Clear();
    }

    /// <summary>rows[i·n + p] = planes[p·pitch + i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Join<T>(int n, int count, T* planes, int pitch, T* rows)
        where T : unmanaged
    {
        if (n == 6)
        {
            // Rows of six, as poses have: written out, a number takes one cycle rather than two and a half.
            T* p0 = planes, p2 = planes + (2 * (nint)pitch), p4 = planes + (4 * (nint)pitch);
            for (int i = 0; i < count; i++, rows += 6, p0++, p2++, p4++)
            {
                T a = *p0, b = p0[pitch], c = *p2, d = p2[pitch], e = *p4, f = p4[pitch];
                (rows[0], rows[1], rows[2], rows[3], rows[4], rows[5]) = (a, b, c, d, e, f);
            }

            return;
        }

        for (int i = 0; i < count; i++)
            for (int p = 0; p < n; p++) *rows++ = planes[((nint)p * pitch) + i];
    }

    /// <summary>Repeats each number of n planes so many times in a row.</summary>
    public static void Repeat<T>(int n, int count, int times, T* from, int fromPitch, T* to, int toPitch)
        where T : unmanaged
    {
        for (int p = 0; p < n; p++)
            for (int i = 0; i < count; i++)
                new Span<T>(to + ((nint)p * toPitch) + ((nint)i * times), times).Fill(from[((nint)p * fromPitch) + i]);
    }
}
