using System;
using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Where the pixels of one axis of a sampled image lie on the axis of its source. Only pixels From to End − 1 can lie
/// inside the source, and they read only source pixels First to Last − 1. All other pixels are zero.
/// </summary>
/// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
internal ref struct AxisSampling<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Span<Between<T>> _places;
    private readonly int _source;

    /// <summary>
    /// Computes the place of each pixel from a scale s and a shift t: s·u + t, or with inverse (u − t) / s, for u on
    /// linspace(−1, 1), or 0 for a single pixel.
    /// </summary>
    public AxisSampling(Span<Between<T>> places, int source, T scale, T shift, bool inverse)
    {
        _places = places;
        _source = source;
        From = places.Length;
        First = source;
        for (int i = 0; i < places.Length; i++)
        {
            T tick = Tick(i, places.Length);
            var place = Between<T>.At(inverse ? (tick - shift) / scale : (scale * tick) + shift, source);
            places[i] = place;
            if (place.IsOutside)
            {
                HasNaN |= T.IsNaN(place.Fraction);
                continue;
            }

            From = Math.Min(From, i);
            End = i + 1;
            First = Math.Min(First, Math.Max(place.Lower, 0));
            Last = Math.Max(Last, Math.Min(place.Lower + 2, source));
        }

        From = Math.Min(From, End);
        First = Math.Min(First, Last);
    }

    /// <summary>The first pixel inside, and in End the one after the last.</summary>
    public int From { get; }

    public int End { get; }

    public readonly int Count => End - From;

    /// <summary>The first source pixel that is read, and in Last the one after the last.</summary>
    public int First { get; }

    public int Last { get; }

    public readonly int Touched => Last - First;

    /// <summary>Whether the place of some pixel is NaN; such pixels count as outside here.</summary>
    public bool HasNaN { get; }

    /// <summary>How many pixels there are, inside and outside.</summary>
    public readonly int Length => _places.Length;

    public readonly Between<T> this[int i] => _places[i];

    public static T Tick(int i, int n) => n == 1 ? T.Zero : T.CreateChecked(-1) + (T.CreateChecked(2 * i) / T.CreateChecked(n - 1));

    /// <summary>The matrix [Touched, Count] that maps the source pixels that are read to the values of the pixels inside.</summary>
    public readonly void Matrix(Span<T> into) => Fill(into, Count, 1, slopes: false);

    /// <summary>The same matrix transposed, [Count, Touched].</summary>
    public readonly void Transposed(Span<T> into) => Fill(into, 1, Touched, slopes: false);

    /// <summary>The matrix [Touched, Count] that maps the same source pixels to the derivatives of the values by their places.</summary>
    public readonly void Slopes(Span<T> into) => Fill(into, Count, 1, slopes: true);

    private readonly void Fill(Span<T> into, int rowStep, int columnStep, bool slopes)
    {
        into[..(Touched * Count)].Clear();
        for (int i = From; i < End; i++)
        {
            var place = _places[i];
            if (place.IsOutside) continue;
            int at = ((place.Lower - First) * rowStep) + ((i - From) * columnStep);
            if (place.Lower >= 0) into[at] = slopes ? -T.One : T.One - place.Fraction;
            if (place.Lower + 1 < _source) into[at + rowStep] = slopes ? T.One : place.Fraction;
        }
    }
}
