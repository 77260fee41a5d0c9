using System;

namespace Scae.Tensors;

/// <summary>
/// The gradient of one tensor during a backward run. A dense view shares the gradient of what it views, so seeing a tensor
/// under another shape costs nothing backwards. In each run the first contribution is written and later ones are added, so
/// that nothing needs to be cleared.
/// </summary>
internal sealed class Gradient(Dtype dtype, int length)
{
    public Dtype Dtype { get; } = dtype;

    public int Length { get; } = length;

    /// <summary>Whether an operation of the current run has contributed already.</summary>
    public bool IsTouched { get; set; }

    /// <summary>Whether a recording lends this gradient's buffer to other gradients in turn.</summary>
    public bool TakesTurns { get; set; }

    /// <summary>
    /// Where the elements are. A recording's backward run assigns a storage, and may lend it to several gradients in turn.
    /// </summary>
    public Storage? Storage { get; set; }

    /// <summary>The elements; the caller must have checked or set <see cref="IsTouched"/>.</summary>
    public Span<T> Span<T>()
        where T : unmanaged => (Storage ??= Storage.Zeros(Dtype, Length)).Span<T>(0, Length);
}
