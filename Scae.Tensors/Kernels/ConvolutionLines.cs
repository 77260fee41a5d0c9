using System;
using System.Numerics;
using System.Numerics.Tensors;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Convolution of images with few channels and stride 1, without writing out columns. In a copy of the image with its
/// padding, the pixels under one line of the filter are a fixed stretch that moves by one element from each window to the
/// next, so the product for that line reads them in place. Windows that would reach over the end of a row are computed too,
/// and then left out.
/// </summary>
internal static unsafe class ConvolutionLines
{
    private const int ImageSlot = 4;
    private const int PlaceSlot = 1;
    private const int SlopeSlot = 3;

    /// <summary>
    /// Whether these sizes are computed in this way: the stride is 1, a line of the filter is long enough to be worth a
    /// product, and the chains of additions are short enough to be the same as with columns.
    /// </summary>
    public static bool Fits(in ConvolutionSizes sizes)
    {
        var window = sizes.Window;
        return window.Stride == 1 && window.KernelWidth >= 3
            && int.Max(sizes.Seen, Lines.Of(sizes).Places) <= MatMul.LongestChain;
    }

    /// <summary>Computes Z = W∗X + b for image b, and writes it to the image's output.</summary>
    public static void Make<T>(in ConvolutionProblem<T> problem, int b)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var sizes = problem.Sizes;
        var lines = Lines.Of(sizes);
        int seen = sizes.Seen, width = sizes.Window.KernelWidth;
        ReadOnlySpan<T> filters = new(problem.Filters, sizes.Filters * seen);
        var image = WithMargin(problem, b);
        var z = Scratch.Take<T>(PlaceSlot, sizes.Filters * lines.Places);
        bool begun = problem.Bias != null;
        for (int o = 0; begun && o < sizes.Filters; o++) z.Slice(o * lines.Places, lines.Places).Fill(problem.Bias[o]);
        // Images without channels have no line that would begin the sums.
        if (!begun && lines.Count == 0) z.Clear();
        for (int line = 0; line < lines.Count; line++, begun = true)
        {
            MatMul.Multiply(
                sizes.Filters, lines.Places, width, filters[(line * width)..], seen, 1, image[lines.Start(line)..], 1, 1, z, lines.Places, accumulate: begun);
        }

        Move(sizes, z, problem.Made(b), lines.Row);
    }

    /// <summary>
    /// Whether <see cref="AddToFilters"/> can take the image: its pixels must be finite. Windows over the end of a row have
    /// slope 0 there, and 0·∞ would be NaN.
    /// </summary>
    public static bool AreFinite<T>(ReadOnlySpan<T> image)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => T.IsFinite(TensorPrimitives.SumOfMagnitudes(image));

    /// <summary>
    /// ∂W += ∂Z·Xᵀ for image b, where dz [filters, places] has only the places of windows that don't reach over the end of
    /// a row.
    /// </summary>
    public static void AddToFilters<T>(in ConvolutionProblem<T> problem, int b, ReadOnlySpan<T> dz, Span<T> toFilters)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var sizes = problem.Sizes;
        var lines = Lines.Of(sizes);
        int seen = sizes.Seen, width = sizes.Window.KernelWidth;
        var image = WithMargin(problem, b);
        var slopes = Scratch.Take<T>(SlopeSlot, sizes.Filters * lines.Places);
        slopes.Clear();
        int at = 0;
        for (int o = 0; o < sizes.Filters; o++)
        {
            for (int row = 0; row < sizes.Window.Rows; row++, at += sizes.Window.Columns)
                dz.Slice(at, sizes.Window.Columns).CopyTo(slopes[((o * lines.Places) + (row * lines.Row))..]);
        }

        for (int line = 0; line < lines.Count; line++)
        {
            MatMul.Multiply(
                sizes.Filters, width, lines.Places, slopes, lines.Places, 1, image[lines.Start(line)..], 1, 1, toFilters[(line * width)..], seen, accumulate: true);
        }
    }

    /// <summary>Copies the windows that don't reach over the end of a row to the output.</summary>
    private static void Move<T>(in ConvolutionSizes sizes, ReadOnlySpan<T> z, Span<T> made, int row)
        where T : unmanaged
    {
        var window = sizes.Window;
        int places = ((window.Rows - 1) * row) + window.Columns, to = 0;
        for (int o = 0; o < sizes.Filters; o++)
        {
            for (int v = 0; v < window.Rows; v++, to += window.Columns)
                z.Slice((o * places) + (v * row), window.Columns).CopyTo(made[to..]);
        }
    }

    private static ReadOnlySpan<T> WithMargin<T>(in ConvolutionProblem<T> problem, int b)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var sizes = problem.Sizes;
        var window = sizes.Window;
        ReadOnlySpan<T> image = new(problem.Images + ((long)b * sizes.Image), sizes.Image);
        if (window.Padding == 0) return image;
        var lines = Lines.Of(sizes);
        var copy = Scratch.Take<T>(ImageSlot, sizes.Channels * lines.Plane);
        copy.Clear();
        for (int channel = 0; channel < sizes.Channels; channel++)
        {
            for (int y = 0; y < window.Height; y++)
            {
                image.Slice((channel * window.Area) + (y * window.Width), window.Width)
                    .CopyTo(copy[((channel * lines.Plane) + ((y + window.Padding) * lines.Row) + window.Padding)..]);
            }
        }

        return copy;
    }

    /// <summary>The lines of a filter over an image with its margin.</summary>
    /// <param name="Row">Pixels in a row of the image with its margin.</param>
    /// <param name="Plane">Pixels in a channel of the image with its margin.</param>
    /// <param name="Height">Lines of a filter in one channel.</param>
    /// <param name="Count">Lines of a filter in all channels.</param>
    /// <param name="Places">Windows from the first to the last, including those that reach over the end of a row.</param>
    private readonly record struct Lines(int Row, int Plane, int Height, int Count, int Places)
    {
        public static Lines Of(in ConvolutionSizes sizes)
        {
            var window = sizes.Window;
            int row = window.Width + (2 * window.Padding);
            return new(
                row, row * (window.Height + (2 * window.Padding)), window.KernelHeight, sizes.Channels * window.KernelHeight, ((window.Rows - 1) * row) + window.Columns);
        }

        /// <summary>The first pixel that a line of the filter sees in the first window.</summary>
        public int Start(int line) => (line / Height * Plane) + (line % Height * Row);
    }
}
