using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>Bilinear samples of a part's template, a block of pixels at a time.</summary>
internal readonly unsafe struct PartSampler<T>(PartPlacement<T> placement, PartSizes sizes)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Vector512<T> _right = Vector512.Create(T.CreateChecked(sizes.TemplateWidth));
    private readonly Vector512<T> _bottom = Vector512.Create(T.CreateChecked(sizes.TemplateHeight));
    private readonly Vector512<T> _stride = Vector512.Create(T.CreateChecked(sizes.TemplateWidth + 2));
    private readonly Vector512<T> _xi = Vector512.Create(placement.Xi);
    private readonly Vector512<T> _yi = Vector512.Create(placement.Yi);
    private readonly int _pitch = sizes.TemplateWidth + 2;

    /// <summary>Where the pixels of a block of a row lie on the template.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Place At(int row, int block)
    {
        T j = T.CreateTruncating(row);
        var i = Vector512<T>.Indices + Vector512.Create(T.CreateTruncating(block * Vector512<T>.Count));
        var x = Vector512.Create(placement.X0 + (placement.Xj * j)) + (_xi * i);
        var y = Vector512.Create(placement.Y0 + (placement.Yj * j)) + (_yi * i);
        return Between(x, y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Place Between(Vector512<T> x, Vector512<T> y)
    {
        // A place outside moves to the border's rim, where the sample is 0.
        Vector512<T> least = -Vector512<T>.One;
        var covered = Vector512.GreaterThan(x, least) & Vector512.LessThan(x, _right) & Vector512.GreaterThan(y, least) & Vector512.LessThan(y, _bottom);
        x = Vector512.Min(Vector512.Max(x, least), _right);
        y = Vector512.Min(Vector512.Max(y, least), _bottom);
        var left = Vector512.Min(Lanes.Floor(x), _right - Vector512<T>.One);
        var top = Vector512.Min(Lanes.Floor(y), _bottom - Vector512<T>.One);
        return new(x - left, y - top, ((top + Vector512<T>.One) * _stride) + left + Vector512<T>.One, covered, _pitch);
    }

    /// <summary>A block's places: fractions between neighbours, and the upper left neighbour's index in a bordered table.</summary>
    public readonly struct Place(Vector512<T> x, Vector512<T> y, Vector512<T> index, Vector512<T> covered, int pitch)
    {
        /// <summary>How far the places lie beyond their left neighbours.</summary>
        public Vector512<T> X => x;

        /// <summary>How far the places lie below their upper neighbours.</summary>
        public Vector512<T> Y => y;

        /// <summary>The upper left neighbours.</summary>
        public Vector512<T> Index => index;

        /// <summary>All ones where the template or the blend of its edge is met.</summary>
        public Vector512<T> Covered => covered;

        /// <summary>The samples.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<T> Value(T* table)
        {
            Vector512<T> a = Lanes.Gather(table, index), b = Lanes.Gather(table + 1, index);
            Vector512<T> c = Lanes.Gather(table + pitch, index), d = Lanes.Gather(table + pitch + 1, index);
            Vector512<T> above = a + (x * (b - a)), below = c + (x * (d - c));
            return above + (y * (below - above));
        }

        /// <summary>The samples' slopes in x and y.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public (Vector512<T> X, Vector512<T> Y) Slopes(T* table)
        {
            Vector512<T> a = Lanes.Gather(table, index), b = Lanes.Gather(table + 1, index);
            Vector512<T> c = Lanes.Gather(table + pitch, index), d = Lanes.Gather(table + pitch + 1, index);
            Vector512<T> above = b - a, below = d - c, leftward = c - a, rightward = d - b;
            return (above + (y * (below - above)), leftward + (x * (rightward - leftward)));
        }
    }
}
