using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>Bilinear samples of a part's maps, a block of pixels at a time.</summary>
/// <remarks>
/// A map is stored as an array of the cells between its texels, within a border of zeros. The four corners of a cell lie
/// side by side. Behind the map's own cells there are cells of zeros, one per lane, for places outside.
/// </remarks>
internal readonly unsafe struct PartSampler<T>(PartPlacement<T> placement, PartSizes sizes, int* indices, T* corners)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Vector512<T> _right = Vector512.Create(T.CreateChecked(sizes.TemplateWidth));
    private readonly Vector512<T> _bottom = Vector512.Create(T.CreateChecked(sizes.TemplateHeight));
    private readonly Vector512<T> _stride = Vector512.Create(T.CreateChecked(sizes.TemplateWidth + 2));
    private readonly Vector512<T> _outside = Vector512<T>.Indices + Vector512.Create(T.CreateChecked(sizes.Bordered));
    private readonly Vector512<T> _xi = Vector512.Create(placement.Xi);
    private readonly Vector512<T> _yi = Vector512.Create(placement.Yi);

    /// <summary>
    /// Where the pixels of a block of a row lie on the template. The result is valid until the next call, which reuses the
    /// indices.
    /// </summary>
    /// <remarks>
    /// On processors where such a vector is two, the compiler gives up on inlining in a caller with so many parts, and even
    /// calls a method for each of the remaining additions, which took three times as long. There the parts themselves are
    /// called instead.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Place At(int row, int block) => Vector512.IsHardwareAccelerated ? InlinedAt(row, block) : CalledAt(row, block);

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private Place CalledAt(int row, int block) => InlinedAt(row, block);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Place InlinedAt(int row, int block)
    {
        T j = T.CreateTruncating(row);
        var i = Vector512<T>.Indices + Vector512.Create(T.CreateTruncating(block * Vector512<T>.Count));
        var x = Vector512.Create(placement.X0 + (placement.Xj * j)) + (_xi * i);
        var y = Vector512.Create(placement.Y0 + (placement.Yj * j)) + (_yi * i);
        Vector512<T> one = Vector512<T>.One, least = -one;
        var covered = Vector512.GreaterThan(x, least) & Vector512.LessThan(x, _right) & Vector512.GreaterThan(y, least) & Vector512.LessThan(y, _bottom);

        // Places outside are set to 0: some are so far away that they have no fraction.
        x &= covered;
        y &= covered;
        Vector512<T> left = Lanes.Floor(x), top = Lanes.Floor(y);
        var index = ((top + one) * _stride) + left + one;
        Lanes.StoreWhole(Vector512.ConditionalSelect(covered, index, _outside), ref *indices);
        return new(x - left, y - top, indices, corners);
    }

    /// <summary>The places of a block's pixels: how far each lies beyond its left and its upper neighbour.</summary>
    public readonly struct Place(Vector512<T> x, Vector512<T> y, int* indices, T* corners)
    {
        /// <summary>The samples of a map; 0 outside.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<T> Value(T* map)
        {
            var at = Corners<T>.Load(map, indices, corners);
            Vector512<T> above = at.A + (x * (at.B - at.A)), below = at.C + (x * (at.D - at.C));
            return above + (y * (below - above));
        }

        /// <summary>The samples' slopes in x and y; 0 outside.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public (Vector512<T> X, Vector512<T> Y) Slopes(T* map) =>
            Vector512.IsHardwareAccelerated ? InlinedSlopes(map) : CalledSlopes(map);

        /// <summary>Adds gradients of the samples to the corners they come from.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Scatter(Vector512<T> gradient, T* cells)
        {
            if (Vector512.IsHardwareAccelerated) InlinedScatter(gradient, cells);
            else CalledScatter(gradient, cells);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private (Vector512<T> X, Vector512<T> Y) InlinedSlopes(T* map)
        {
            var at = Corners<T>.Load(map, indices, corners);
            Vector512<T> above = at.B - at.A, below = at.D - at.C, leftward = at.C - at.A, rightward = at.D - at.B;
            return (above + (y * (below - above)), leftward + (x * (rightward - leftward)));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void InlinedScatter(in Vector512<T> gradient, T* cells)
        {
            Vector512<T> rightward = gradient * x, leftward = gradient - rightward;
            Vector512<T> belowLeft = leftward * y, belowRight = rightward * y;
            new Corners<T>(leftward - belowLeft, rightward - belowRight, belowLeft, belowRight).AddTo(cells, indices, corners);
        }

        [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
        private (Vector512<T> X, Vector512<T> Y) CalledSlopes(T* map) => InlinedSlopes(map);

        [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
        private void CalledScatter(in Vector512<T> gradient, T* cells) => InlinedScatter(gradient, cells);
    }
}
