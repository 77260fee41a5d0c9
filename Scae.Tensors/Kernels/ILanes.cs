using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// A vector width as a type parameter: <typeparamref name="TVector"/> holds <see cref="Count"/> numbers of type
/// <typeparamref name="T"/>. Kernels are written once against it, and the compiler makes one method per width.
/// </summary>
/// <remarks>
/// Every width rounds alike: all arithmetic is fused multiply-adds. A kernel whose order of operations doesn't depend on
/// <see cref="Count"/> therefore gives the same bits for all widths.
/// </remarks>
internal unsafe interface ILanes<T, TVector>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TVector : struct
{
    /// <summary>How many numbers a vector holds.</summary>
    static abstract int Count { get; }

    /// <summary>Whether <see cref="LoadFirst"/> and <see cref="StoreFirst"/> are single instructions.</summary>
    static abstract bool HasMasks { get; }

    /// <summary>How many rows a matrix-multiply tile that is two vectors wide may have before it runs out of registers.</summary>
    static abstract int TileRows { get; }

    /// <summary>The vector of zeros.</summary>
    static abstract TVector Zero { get; }

    /// <summary>The vector that holds <paramref name="value"/> in every place.</summary>
    static abstract TVector Fill(T value);

    /// <summary>x·y + z, rounded once.</summary>
    static abstract TVector FusedMultiplyAdd(TVector x, TVector y, TVector z);

    /// <summary>Reads <see cref="Count"/> numbers.</summary>
    static abstract TVector Load(T* source);

    /// <summary>Writes <see cref="Count"/> numbers.</summary>
    static abstract void Store(T* target, TVector value);

    /// <summary>The mask that selects the first <paramref name="count"/> places, 0 ≤ count ≤ <see cref="Count"/>.</summary>
    static abstract TVector First(int count);

    /// <summary>Reads the places that <paramref name="mask"/> selects and touches no others; the rest is zero.</summary>
    static abstract TVector LoadFirst(T* source, TVector mask);

    /// <summary>Writes the places that <paramref name="mask"/> selects and touches no others.</summary>
    static abstract void StoreFirst(T* target, TVector mask, TVector value);
}
