using System;
using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>The sizes of a convolution: images [b, c, h, w], filters [o, c, kh, kw], and how the window moves.</summary>
internal readonly record struct ConvolutionSizes(int Images, int Channels, int Filters, Window Window)
{
    /// <summary>Numbers that one filter sees at one place of the window.</summary>
    public int Seen => Channels * Window.Seen;

    /// <summary>Elements of one image.</summary>
    public int Image => Channels * Window.Area;

    /// <summary>Multiply-adds of one product.</summary>
    public long Work => (long)Images * Made * Seen;

    /// <summary>Elements of one image's output.</summary>
    public int Made => Filters * Window.Places;

    /// <summary>How many images form one chain of additions in T in the filters' gradient.</summary>
    public int FewImages => int.Clamp(MatMul.LongestChain / int.Max(1, Window.Places), 1, LongSums<float>.Few);
}

/// <summary>The pinned arguments of a convolution; null where there is no bias or no gradient is wanted.</summary>
internal unsafe struct ConvolutionProblem<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Each block of images has its own sums of the filters' and the bias's gradients. There are twice as many blocks as a
    // small machine has threads.
    public const int MostBlocks = 8;

    public ConvolutionSizes Sizes;
    public T* Images, Filters, Bias, Output, OutputGradient, ToImages, ToFilters, ToBias;

    /// <summary>Whether the images' gradient is added to what is there, or overwrites it.</summary>
    public bool Accumulate;

    /// <summary>Blocks of images that can be computed at the same time; their number depends only on the number of images.</summary>
    public readonly int Blocks => int.Min(MostBlocks, Sizes.Images);

    /// <summary>The images of a block.</summary>
    public readonly (int First, int End) Block(int block) =>
        ((int)((long)Sizes.Images * block / Blocks), (int)((long)Sizes.Images * (block + 1) / Blocks));

    /// <summary>The output for image b.</summary>
    public readonly Span<T> Made(int b) => new(Output + ((long)b * Sizes.Made), Sizes.Made);

    /// <summary>The gradient of the output for image b.</summary>
    public readonly ReadOnlySpan<T> Gradient(int b) => new(OutputGradient + ((long)b * Sizes.Made), Sizes.Made);
}
