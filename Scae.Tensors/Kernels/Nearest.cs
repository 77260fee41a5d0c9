using System;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>Nearest neighbours by squared Euclidean distance: a vector holds one coordinate of sixteen queries.</summary>
internal static class Nearest
{
    /// <summary>
    /// For each query of d coordinates, the squared distance to the nearest point and that point's position, the first of
    /// equally near ones. Points with NaN are never the nearest. A query with NaN gets distance ∞ and position 0, as does
    /// every query when all points have NaN.
    /// </summary>
    [MethodImpl(VectorLoop.Options)]
    public static void Find<T>(ReadOnlySpan<T> queries, ReadOnlySpan<T> points, int d, Span<T> distance, Span<int> position)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int width = Vector512<T>.Count, count = distance.Length, n = points.Length / d;
        var lanes = Scratch.Take<T>(3, (d + 1) * width);
        ref T coordinate = ref MemoryMarshal.GetReference(lanes);
        ref T point = ref MemoryMarshal.GetReference(points);
        for (int start = 0; start < count; start += width)
        {
            int valid = Math.Min(width, count - start);
            for (int c = 0; c < d; c++)
            {
                for (int i = 0; i < valid; i++) lanes[(c * width) + i] = queries[((start + i) * d) + c];
            }

            var least = Vector512.Create(T.PositiveInfinity);
            var winner = Vector512<T>.Zero;
            for (int j = 0; j < n; j++)
            {
                var sum = Vector512<T>.Zero;
                for (int c = 0; c < d; c++)
                {
                    var difference = Vector512.LoadUnsafe(ref coordinate, (nuint)(c * width)) - Vector512.Create(Unsafe.Add(ref point, (j * d) + c));
                    sum += difference * difference;
                }

                var nearer = Vector512.LessThan(sum, least);
                least = Vector512.ConditionalSelect(nearer, sum, least);
                winner = Vector512.ConditionalSelect(nearer, Vector512.Create(T.CreateTruncating(j)), winner);
            }

            Lanes.StorePart(least, distance.Slice(start, valid));
            var winners = lanes.Slice(d * width, width);
            winner.StoreUnsafe(ref MemoryMarshal.GetReference(winners));
            for (int i = 0; i < valid; i++) position[start + i] = int.CreateTruncating(winners[i]);
        }
    }
}
