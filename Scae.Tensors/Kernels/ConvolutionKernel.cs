using System;
using System.Numerics;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Convolution with bias and activation, and its gradients. The bits depend neither on the number of threads nor on the
/// vectors' width.
/// </summary>
internal static unsafe class ConvolutionKernel
{
    /// <summary>Y = f(W∗X + b).</summary>
    public static void Forward<T, TActivation>(
        in ConvolutionSizes sizes, ReadOnlySpan<T> images, ReadOnlySpan<T> filters, ReadOnlySpan<T> bias, Span<T> output)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        fixed (T* x = images, w = filters, b = bias, y = output)
        {
            ConvolutionProblem<T> problem = new() { Sizes = sizes, Images = x, Filters = w, Bias = b, Output = y };
            if (HasManyChannels<T>(sizes)) Pixels<T, TActivation>(problem, backward: false);
            else ConvolutionColumns.Forward<T, TActivation>(problem);
        }
    }

    /// <summary>
    /// Adds to the gradients of filters and bias. The gradient of the images is added to what is there when
    /// <paramref name="accumulate"/>, and overwrites it otherwise. A gradient whose span is empty isn't computed.
    /// </summary>
    public static void Backward<T, TActivation>(
        in ConvolutionSizes sizes, ReadOnlySpan<T> images, ReadOnlySpan<T> filters, ReadOnlySpan<T> output, ReadOnlySpan<T> outputGradient,
        Span<T> toImages, bool accumulate, Span<T> toFilters, Span<T> toBias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        fixed (T* x = images, w = filters, y = output, g = outputGradient, dx = toImages, dw = toFilters, db = toBias)
        {
            ConvolutionProblem<T> problem = new()
            {
                Sizes = sizes,
                Images = x,
                Filters = w,
                Output = y,
                OutputGradient = g,
                ToImages = dx,
                Accumulate = accumulate,
                ToFilters = dw,
                ToBias = db,
            };
            if (HasManyChannels<T>(sizes)) Pixels<T, TActivation>(problem, backward: true);
            else ConvolutionColumns.Backward<T, TActivation>(problem);
        }
    }

    /// <summary>
    /// An upper limit of the elements that a thread needs at once, computed without overflow: sizes with more than an array
    /// may hold can't be computed.
    /// </summary>
    public static long Room(in ConvolutionSizes sizes, Dtype dtype)
    {
        var window = sizes.Window;
        int vector = dtype == Dtype.Float64 ? Vector512<double>.Count : Vector512<float>.Count;
        double channels = sizes.Channels, filters = sizes.Filters, kernel = (double)window.KernelHeight * window.KernelWidth;
        double places = (double)window.Rows * window.Columns;
        double padded = channels * (window.Height + (2.0 * window.Padding)) * (window.Width + (2.0 * window.Padding));
        double sums = ConvolutionProblem<float>.MostBlocks * (channels + Spare) * (filters + Spare) * kernel;
        double room = sizes.Channels >= vector
            ? (padded * (2 + (Spare / places))) + ((places + Spare) * ((3 * filters) + (2 * channels) + Spare))
            : double.Max(channels * kernel * places, padded) + (filters * (window.Width + (2.0 * window.Padding)) * window.Rows);
        return (long)double.Min(double.Max(room, sums), long.MaxValue / 2);
    }

    // More than panels are wide, and more places than are ever gathered from several images.
    private const int Spare = 64;

    // With at least as many channels as a vector holds, channels that lie side by side fill the product's inner loop.
    private static bool HasManyChannels<T>(in ConvolutionSizes sizes)
        where T : unmanaged => sizes.Channels >= Vector512<T>.Count;

    private static void Pixels<T, TActivation>(in ConvolutionProblem<T> problem, bool backward)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        if (Vector512.IsHardwareAccelerated) ConvolutionPixels<T, Vector512<T>, Lanes512<T>, TActivation>.Run(problem, backward);
        else if (Vector256.IsHardwareAccelerated) ConvolutionPixels<T, Vector256<T>, Lanes256<T>, TActivation>.Run(problem, backward);
        else if (Vector128.IsHardwareAccelerated) ConvolutionPixels<T, Vector128<T>, Lanes128<T>, TActivation>.Run(problem, backward);
        else ConvolutionPixels<T, T, Lanes1<T>, TActivation>.Run(problem, backward);
    }
}
