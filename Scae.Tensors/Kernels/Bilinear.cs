using System;
using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>A place between two neighbouring pixels of an axis of n pixels; a neighbour outside the axis counts as 0.</summary>
/// <param name="Lower">The pixel at or before the place, from −1 on; −2 when the place is outside.</param>
/// <param name="Fraction">How far the place lies beyond that pixel, in [0, 1); NaN when the place is NaN.</param>
internal readonly record struct Between<T>(int Lower, T Fraction)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Nowhere = -2;

    /// <summary>Whether both neighbours are outside.</summary>
    public bool IsOutside => Lower == Nowhere;

    /// <summary>The place of a coordinate on an axis whose outermost pixels have the coordinates −1 and 1.</summary>
    public static Between<T> At(T coordinate, int n)
    {
        T half = T.CreateChecked(n - 1) / T.CreateChecked(2), place = (coordinate + T.One) * half;
        if (T.IsNaN(place)) return new(Nowhere, place);

        // Compared before the conversion: a far place doesn't fit an integer.
        if (!(place > -T.One && place < T.CreateChecked(n))) return new(Nowhere, T.Zero);
        T lower = T.Floor(place);
        return new(int.CreateTruncating(lower), place - lower);
    }
}

/// <summary>The four neighbours of a place on an image.</summary>
internal readonly struct Bilinear<T>(Between<T> x, Between<T> y, int height, int width)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Whether every neighbour is outside, or the place is NaN.</summary>
    public bool IsOutside => x.IsOutside || y.IsOutside;

    public static Bilinear<T> At(ReadOnlySpan<T> place, int height, int width) =>
        new(Between<T>.At(place[0], width), Between<T>.At(place[1], height), height, width);

    /// <summary>The value interpolated between the neighbours: 0 for a place outside, NaN for a place that is NaN.</summary>
    public T Value(ReadOnlySpan<T> image)
    {
        if (IsOutside) return T.IsNaN(x.Fraction) || T.IsNaN(y.Fraction) ? T.NaN : T.Zero;
        T above = Mix(Pixel(image, 0, 0), Pixel(image, 0, 1), x.Fraction), below = Mix(Pixel(image, 1, 0), Pixel(image, 1, 1), x.Fraction);
        return Mix(above, below, y.Fraction);
    }

    /// <summary>Adds a gradient to the neighbours, in proportion to their weights.</summary>
    public void Add<TSum>(Span<TSum> image, T gradient)
        where TSum : unmanaged, IBinaryFloatingPointIeee754<TSum>
    {
        T right = x.Fraction, left = T.One - right, below = y.Fraction, above = T.One - below;
        AddTo(image, 0, 0, TSum.CreateTruncating(gradient * above * left));
        AddTo(image, 0, 1, TSum.CreateTruncating(gradient * above * right));
        AddTo(image, 1, 0, TSum.CreateTruncating(gradient * below * left));
        AddTo(image, 1, 1, TSum.CreateTruncating(gradient * below * right));
    }

    /// <summary>The derivatives of the value by the place's coordinates.</summary>
    public (T X, T Y) Slopes(ReadOnlySpan<T> image)
    {
        T a = Pixel(image, 0, 0), b = Pixel(image, 0, 1), c = Pixel(image, 1, 0), d = Pixel(image, 1, 1), two = T.CreateChecked(2);
        return (Mix(b - a, d - c, y.Fraction) * T.CreateChecked(width - 1) / two, Mix(c - a, d - b, x.Fraction) * T.CreateChecked(height - 1) / two);
    }

    private static T Mix(T a, T b, T fraction) => ((T.One - fraction) * a) + (fraction * b);

    private T Pixel(ReadOnlySpan<T> image, int row, int column)
    {
        int r = y.Lower + row, c = x.Lower + column;
        return (uint)r < (uint)height && (uint)c < (uint)width ? image[(r * width) + c] : T.Zero;
    }

    private void AddTo<TSum>(Span<TSum> image, int row, int column, TSum value)
        where TSum : unmanaged, IBinaryFloatingPointIeee754<TSum>
    {
        int r = y.Lower + row, c = x.Lower + column;
        if ((uint)r < (uint)height && (uint)c < (uint)width) image[(r * width) + c] += value;
    }
}
