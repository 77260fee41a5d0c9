using System;
using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>The function that a layer applies to its sums, and its backward rule.</summary>
internal interface IActivation
{
    /// <summary>z becomes f(z).</summary>
    static abstract void Apply<T>(Span<T> z)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;

    /// <summary>dz = g ∘ f′(z), computed from y = f(z).</summary>
    static abstract void Slope<T>(ReadOnlySpan<T> g, ReadOnlySpan<T> y, Span<T> dz)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;
}
