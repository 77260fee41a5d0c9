using System;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Convolution of images with many channels, one image at a time. An image is first turned: its channels become the last
/// axis, so that a pixel's channels lie side by side. What a row of places sees at one place of the kernel is then a matrix
/// within the image, whose rows are stride · channels elements apart. The product's tiles read it in place, and no patch is
/// copied. Filters are packed once into panels two vectors wide.
/// </summary>
/// <remarks>
/// Forward, Z[y, x, o] is one chain of fused multiply-adds in the order of kernel row, kernel column and channel. Turning
/// an image costs one pass over it; with a kernel of 3 × 3, columns of patches would cost nine.
/// </remarks>
internal unsafe partial struct ConvolutionPixels<T, TVector, TLanes, TActivation>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<T, TVector>
    where TActivation : struct, IActivation
{
    private const int WorkSlot = 0;
    private const int FilterSlot = 1;
    private const int SumSlot = 2;

    // How many places a product should have at least: with fewer, loading and storing its tiles takes a noticeable part of the time.
    private const int FewPlaces = 64;

    private readonly ConvolutionProblem<T> _problem;
    private readonly Window _window;
    private readonly int _channels, _filters, _height, _width;

    // Filters packed as panels [kernel place, panel of filters, channel, panel width]; backwards, filters and channels are exchanged.
    private T* _panels;

    // Backwards, the sums of each block: [kernel place, channel, filter] for the filters, then [filter] for the bias.
    private T* _sums;

    private ConvolutionPixels(in ConvolutionProblem<T> problem)
    {
        _problem = problem;
        _window = problem.Sizes.Window;
        (_channels, _filters) = (problem.Sizes.Channels, problem.Sizes.Filters);
        (_height, _width) = (_window.Height + (2 * _window.Padding), _window.Width + (2 * _window.Padding));
    }

    private static int PanelWidth => 2 * TLanes.Count;

    private readonly int Places => _window.Places;

    private readonly int Turned => _height * _width * _channels;

    private readonly int SumLength => (_window.Seen * _channels * _filters) + _filters;

    /// <summary>How many images a block turns before it computes their share of the filters' gradient.</summary>
    private readonly int Group => int.Max(1, (FewPlaces + Places - 1) / Places);

    /// <summary>
    /// How many rows of places form one chain of additions in the filters' gradient: all of them, except in large images.
    /// </summary>
    private readonly int RowsAtOnce => int.Max(1, MatMul.LongestChain / _window.Columns);

    public static void Run(in ConvolutionProblem<T> problem, bool backward)
    {
        ConvolutionPixels<T, TVector, TLanes, TActivation> layer = new(problem);
        if (backward) layer.Backward();
        else layer.Forward();
    }

    private static int Padded(int n) => (n + PanelWidth - 1) / PanelWidth * PanelWidth;

    private static T* Carve(ref T* at, int length)
    {
        T* start = at;
        at += (length + 15) & ~15;
        return start;
    }

    private static T* Take(int slot, int length) =>
        (T*)(((nint)Unsafe.AsPointer(ref Scratch.Take<T>(slot, length + 256)[0]) + 63) & -64);

    private void Forward()
    {
        _panels = Take(FilterSlot, _window.Seen * _channels * Padded(_filters));
        Packing packing = new() { Layer = this };
        WorkerPool.Run(ref packing, _window.Seen, _problem.Sizes.Work);
        Making making = new() { Layer = this };
        WorkerPool.Run(ref making, _problem.Blocks, _problem.Sizes.Work);
    }

    private void Backward()
    {
        int blocks = _problem.Blocks;
        if (_problem.ToImages != null)
        {
            _panels = Take(FilterSlot, _window.Seen * _filters * Padded(_channels));
            Packing packing = new() { Layer = this, Backward = true };
            WorkerPool.Run(ref packing, _window.Seen, _problem.Sizes.Work);
        }

        _sums = Take(SumSlot, blocks * SumLength);
        Unmaking unmaking = new() { Layer = this };
        WorkerPool.Run(ref unmaking, blocks, _problem.Sizes.Work);
        Summing summing = new() { Layer = this };
        if (_problem.ToFilters != null) WorkerPool.Run(ref summing, _window.Seen, _problem.Sizes.Work);
        for (int block = 0; block < blocks && _problem.ToBias != null; block++)
        {
            T* own = _sums + ((long)block * SumLength) + (_window.Seen * _channels * _filters);
            for (int o = 0; o < _filters; o++) _problem.ToBias[o] += own[o];
        }
    }

    /// <summary>Writes an image with its channels side by side, in a border of zeros as wide as the padding.</summary>
    private readonly void Turn(T* image, T* target)
    {
        int padding = _window.Padding, width = _window.Width, area = _window.Area;
        if (padding == 0)
        {
            Transposition.Dense(area, _channels, image, area, target);
            return;
        }

        new Span<T>(target, Turned).Clear();
        for (int row = 0; row < _window.Height; row++)
            Transposition.Dense(width, _channels, image + (row * width), area, target + ((((row + padding) * _width) + padding) * _channels));
    }

    /// <summary>The offset in a turned image of the pixel that the first place of row y sees at the given place of the kernel.</summary>
    private readonly nint PixelAt(int y, int kernel)
    {
        int row = (y * _window.Stride) + (kernel / _window.KernelWidth), column = kernel % _window.KernelWidth;
        return (((nint)row * _width) + column) * _channels;
    }

    /// <summary>Adds the convolution of the turned image to z [places, filters].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Correlate(T* turned, T* z)
    {
        int rows = _window.Rows, columns = _window.Columns, panel = _channels * PanelWidth;
        T* b = _panels;
        LongSums<T> sums = new(new Span<T>(z, Places * _filters), Scratch.TotalSlot, int.Max(1, MatMul.LongestChain / _channels));
        for (int kernel = 0; kernel < _window.Seen; kernel++)
        {
            sums.Next();
            for (int o = 0; o < _filters; o += PanelWidth, b += panel)
            {
                int n = int.Min(PanelWidth, _filters - o);
                for (int y = 0; y < rows; y++)
                    MatMulColumn.Multiply<T, TVector, TLanes>(
                        columns, n, _channels, turned + PixelAt(y, kernel), _window.Stride * _channels, 1, b, PanelWidth,
                        z + (y * columns * _filters) + o, _filters, accumulate: true);
            }
        }

        sums.Finish();
    }

    private struct Packing : IParallelJob
    {
        public ConvolutionPixels<T, TVector, TLanes, TActivation> Layer;
        public bool Backward;

        /// <summary>Packs the filters at one place of the kernel.</summary>
        public readonly void Run(int kernel)
        {
            int channels = Layer._channels, filters = Layer._filters, seen = Layer._window.Seen, width = PanelWidth;
            var (k, n) = Backward ? (filters, channels) : (channels, filters);
            T* from = Layer._problem.Filters + kernel;
            var (row, column) = Backward ? (channels * seen, seen) : (seen, channels * seen);
            T* to = Layer._panels + ((long)kernel * k * Padded(n));
            for (int j = 0; j < n; j += width, to += k * width)
            {
                int last = int.Min(width, n - j);
                for (int p = 0; p < k; p++)
                    for (int i = 0; i < last; i++) to[(p * width) + i] = from[((long)p * row) + ((long)(j + i) * column)];
            }
        }
    }

    private struct Making : IParallelJob
    {
        public ConvolutionPixels<T, TVector, TLanes, TActivation> Layer;

        public readonly void Run(int block)
        {
            var problem = Layer._problem;
            int made = problem.Sizes.Made, filters = Layer._filters, places = Layer.Places;
            T* at = Take(WorkSlot, Layer.Turned + made + 64);
            T* turned = Carve(ref at, Layer.Turned), z = Carve(ref at, made);
            var (first, end) = problem.Block(block);
            for (int b = first; b < end; b++)
            {
                Layer.Turn(problem.Images + ((long)b * problem.Sizes.Image), turned);
                Span<T> sums = new(z, made);
                if (problem.Bias == null) sums.Clear();
                else Rowwise.Repeat(new ReadOnlySpan<T>(problem.Bias, filters), sums);
                Layer.Correlate(turned, z);
                TActivation.Apply(sums);
                Transposition.Dense(filters, places, z, filters, problem.Output + ((long)b * made));
            }
        }
    }
}
