using System;
using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>The sizes of images of parts: m templates of c × h × w on canvases of height × width.</summary>
internal readonly record struct PartSizes(int Images, int Parts, int Channels, int TemplateHeight, int TemplateWidth, int Height, int Width)
{
    /// <summary>Pixels of a template.</summary>
    public int Texels => TemplateHeight * TemplateWidth;

    /// <summary>Pixels of a canvas.</summary>
    public int Pixels => Height * Width;

    /// <summary>Texels of a template within a border of zeros, which sampling beyond the edge meets.</summary>
    public int Bordered => (TemplateHeight + 2) * (TemplateWidth + 2);
}

/// <summary>
/// The arguments of a part mixture, or their gradients; see PartScene for their shapes. A span is empty when the argument
/// isn't there or its gradient isn't wanted.
/// </summary>
internal ref struct PartSpans<T>
    where T : unmanaged
{
    public Span<T> Images, Templates, Poses, LogPresence, Background, Alpha, BackgroundLogit, Temperature, Colour, Scale;

    /// <summary>Whether mixing logits are values over the temperature.</summary>
    public bool IsCoupled;
}

/// <summary>
/// The pinned arguments of a part mixture; see PartScene for their shapes. An argument that isn't there is null. A batch
/// stride of 0 means that all images share the argument.
/// </summary>
internal unsafe struct PartProblem<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public PartSizes Sizes;
    public T* Images, Poses, LogPresence, Colour, Background, BackgroundLogit, Temperature, Scale;
    public T* Templates, Alpha;
    public int TemplatesBatch, AlphaBatch, BackgroundBatch;

    /// <summary>The log-likelihoods, and their slopes, one record per image; the latter are null when they aren't wanted.</summary>
    public T* Output, Slopes;

    /// <summary>Whether mixing logits are values over a temperature.</summary>
    public bool IsCoupled;

    /// <summary>How many maps are sampled: the channels and, unless they are tied to values, the mixing logits.</summary>
    public readonly int Maps => Sizes.Channels + (IsCoupled ? 0 : 1);
}
