using System;

namespace Scae.Tensors;

/// <summary>
/// The gradient of one tensor during a backward run. A dense view shares the gradient of what it views, so seeing a
/// tensor under another shape costs nothing backwards. The first contribution of a run is written and later ones are
/// added, which saves clearing.
/// </summary>
internal sealed class Gradient(Dtype dtype, int length)
{
    public Dtype Dtype { get; } = dtype;

    public int Length { get; } = length;

    /// <summary>Whether the current run has contributed already.</summary>
    public bool IsTouched { get; set; }

    /// <summary>Whether a recording lends the elements' buffer to other gradients in turn.</summary>
    public bool TakesTurns { get; set; }

    /// <summary>Where the elements are; a recording's backward run assigns it and may share it between gradients in turn.</summary>
    public Storage? Storage { get; set; }

    /// <summary>The elements; the caller must have checked or set <see cref="IsTouched"/>.</summary>
    public Span<T> Span<T>()
        where T : unmanaged => (Storage ??= Storage.Zeros(Dtype, Length)).Span<T>(0, Length);
}
