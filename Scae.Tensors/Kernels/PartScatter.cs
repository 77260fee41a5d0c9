using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Adds gradients at a block's places to the four corners of the cells they lie in. A cell's corners lie side by side:
/// one addition a place instead of four, and places that follow each other rarely wait for the same cell.
/// </summary>
internal unsafe ref struct PartScatter<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly ulong _covered;
    private Lane16 _cells;
    private Block _x, _y, _gradient;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PartScatter(in PartSampler<T>.Place place)
    {
        _covered = place.Covered.ExtractMostSignificantBits();
        place.X.StoreUnsafe(ref _x.First);
        place.Y.StoreUnsafe(ref _y.First);
        Lanes.StoreWhole(place.Index, ref _cells.First);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(Vector512<T> gradient, T* cells)
    {
        gradient.StoreUnsafe(ref _gradient.First);
        for (ulong left = _covered; left != 0; left &= left - 1)
        {
            int lane = BitOperations.TrailingZeroCount(left);
            T* cell = cells + (4 * Unsafe.Add(ref _cells.First, lane));
            T g = Unsafe.Add(ref _gradient.First, lane), x = Unsafe.Add(ref _x.First, lane), y = Unsafe.Add(ref _y.First, lane);
            if (typeof(T) == typeof(float))
            {
                Add((float*)cell, (float)(object)g, (float)(object)x, (float)(object)y);
                continue;
            }

            T above = T.One - y, leftward = T.One - x;
            cell[0] += leftward * above * g;
            cell[1] += x * above * g;
            cell[2] += leftward * y * g;
            cell[3] += x * y * g;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(float* cell, float g, float x, float y)
    {
        Vector128<float> across = (Vector128.Create(x) * Vector128.Create(-1f, 1, -1, 1)) + Vector128.Create(1f, 0, 1, 0);
        Vector128<float> down = (Vector128.Create(y) * Vector128.Create(-1f, -1, 1, 1)) + Vector128.Create(1f, 1, 0, 0);
        (Vector128.Load(cell) + (across * down * Vector128.Create(g))).Store(cell);
    }

    [InlineArray(16)]
    private struct Lane16
    {
        public int First;
    }

    [InlineArray(16)]
    private struct Block
    {
        public T First;
    }
}
