using System;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace Scae.Tensors.Kernels;

/// <content>
/// The backward pass, for which the slopes ∂Z are turned as well. At each place of the kernel, ∂X += ∂Z·Wᵀ goes straight
/// into the turned gradient, and ∂W += Xᵀ·∂Z. For ∂W the pixels that are seen are first gathered into the layout of the
/// product's tiles, which takes a fifteenth of the product's time: a single row of places would be too short for a product.
/// </content>
internal unsafe partial struct ConvolutionPixels<T, TVector, TLanes, TActivation>
{
    /// <summary>Adds to turned [height, width, channels] the image's gradient that follows from the slopes [places, filters].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Spread(T* slopes, T* turned)
    {
        int rows = _window.Rows, columns = _window.Columns, panel = _filters * PanelWidth;
        T* b = _panels;
        for (int kernel = 0; kernel < _window.Seen; kernel++)
        {
            for (int c = 0; c < _channels; c += PanelWidth, b += panel)
            {
                int n = int.Min(PanelWidth, _channels - c);
                for (int y = 0; y < rows; y++)
                    MatMulColumn.Multiply<T, TVector, TLanes>(
                        columns, n, _filters, slopes + (y * columns * _filters), _filters, 1, b, PanelWidth,
                        turned + PixelAt(y, kernel) + c, _window.Stride * _channels, accumulate: true);
            }
        }
    }

    /// <summary>
    /// Adds Xᵀ·∂Z of some turned images, whose slopes are stored in panels, to sums [kernel place, channel, filter]. Only
    /// rows top to bottom − 1 of the window's places are taken; with several images these are always all rows.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Correlate(int images, int top, int bottom, T* turned, T* panels, T* gathered, T* sums)
    {
        int places = images * (bottom - top) * _window.Columns, step = _window.Stride * _channels;
        int width = MatMulPacking.BlockWidth<T, TVector, TLanes>();
        panels += (nint)top * _window.Columns * PanelWidth;
        for (int kernel = 0; kernel < _window.Seen; kernel++)
        {
            T* to = gathered;
            for (int image = 0; image < images; image++)
            {
                for (int y = top; y < bottom; y++)
                {
                    T* from = turned + ((nint)image * Turned) + PixelAt(y, kernel);
                    for (int x = 0; x < _window.Columns; x++, from += step, to += width) Deal(from, to, (nint)places * width);
                }
            }

            for (int o = 0; o < _filters; o += PanelWidth)
                MatMulColumn.MultiplyPacked<T, TVector, TLanes>(
                    _channels, int.Min(PanelWidth, _filters - o), places, gathered, panels + ((nint)o * FullGroup), PanelWidth,
                    sums + ((nint)kernel * _channels * _filters) + o, _filters, accumulate: true);
        }
    }

    /// <summary>Elements that one pixel's channels take up when they are distributed over tiles.</summary>
    private readonly int Dealt =>
        new TileHeights(_channels, TLanes.TileRows).Tiles * MatMulPacking.BlockWidth<T, TVector, TLanes>();

    /// <summary>The window's places in a full group of images.</summary>
    private readonly int FullGroup => Group * Places;

    /// <summary>
    /// Distributes a pixel's channels over tiles in the layout of <see cref="MatMulPacking.Block"/>, in whole vectors. What
    /// a vector holds beyond its tile's rows is undefined.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void Deal(T* pixel, T* to, nint tile)
    {
        TileHeights heights = new(_channels, TLanes.TileRows);
        for (int t = 0; t < heights.Tiles; t++, to += tile)
        {
            for (int i = 0; i < TLanes.TileRows; i += TLanes.Count) TLanes.Store(to + i, TLanes.Load(pixel + i));
            pixel += heights.Of(t);
        }
    }

    private struct Unmaking : IParallelJob
    {
        public ConvolutionPixels<T, TVector, TLanes, TActivation> Layer;

        public readonly void Run(int block)
        {
            var problem = Layer._problem;
            int made = problem.Sizes.Made, filters = Layer._filters, places = Layer.Places, group = Layer.Group, turnedSize = Layer.Turned;
            int panelsSize = Layer.FullGroup * Padded(filters), gatheredSize = Layer.FullGroup * Layer.Dealt;
            T* at = Take(WorkSlot, ((group + 1) * turnedSize) + (2 * made) + panelsSize + gatheredSize + 256);
            T* turned = Carve(ref at, group * turnedSize), gradient = Carve(ref at, turnedSize), dz = Carve(ref at, made);
            T* slopes = Carve(ref at, made), panels = Carve(ref at, panelsSize), gathered = Carve(ref at, gatheredSize);
            T* sums = Layer._sums + ((long)block * Layer.SumLength);
            new Span<T>(sums, Layer.SumLength).Clear();
            Span<T> toBias = new(sums + (Layer._window.Seen * Layer._channels * filters), filters);
            LongSums<T> shared = new(new Span<T>(sums, Layer.SumLength), Scratch.TotalSlot, problem.Sizes.FewImages);
            var (first, end) = problem.Block(block);
            int waiting = 0;
            for (int b = first; b < end; b++)
            {
                shared.Next();
                TActivation.Slope(problem.Gradient(b), problem.Made(b), new Span<T>(dz, made));
                if (problem.ToImages != null || problem.ToBias != null) Transposition.Dense(places, filters, dz, places, slopes);
                if (problem.ToBias != null) Rowwise.AddSum(new ReadOnlySpan<T>(slopes, made), toBias);
                if (problem.ToImages != null)
                {
                    new Span<T>(gradient, turnedSize).Clear();
                    Layer.Spread(slopes, gradient);
                    Layer.TurnBack(gradient, problem.ToImages + ((long)b * problem.Sizes.Image));
                }

                if (problem.ToFilters == null) continue;
                Layer.Turn(problem.Images + ((long)b * problem.Sizes.Image), turned + ((nint)waiting * turnedSize));
                for (int o = 0; o < filters; o += PanelWidth)
                    Transposition.Run(
                        places, int.Min(PanelWidth, filters - o), dz + (o * places), places,
                        panels + ((nint)o * Layer.FullGroup) + ((nint)waiting * places * PanelWidth), PanelWidth);
                if (++waiting < group && b + 1 < end) continue;
                for (int top = 0; top < Layer._window.Rows; top += Layer.RowsAtOnce)
                {
                    if (top > 0) shared.Next();
                    Layer.Correlate(waiting, top, int.Min(Layer._window.Rows, top + Layer.RowsAtOnce), turned, panels, gathered, sums);
                }

                waiting = 0;
            }

            shared.Finish();
        }
    }

    /// <summary>Writes a turned gradient to its image, or adds it to what is there. What fell on the padding is dropped.</summary>
    private readonly void TurnBack(T* turned, T* image)
    {
        int padding = _window.Padding, width = _window.Width, area = _window.Area;
        if (!_problem.Accumulate && padding == 0)
        {
            Transposition.Dense(_channels, area, turned, _channels, image);
            return;
        }

        for (int row = 0; row < _window.Height; row++)
        {
            for (int column = 0; column < width; column++)
            {
                T* pixel = turned + ((((row + padding) * _width) + column + padding) * _channels), to = image + (row * width) + column;
                for (int c = 0; c < _channels; c++, to += area) *to = _problem.Accumulate ? *to + pixel[c] : pixel[c];
            }
        }
    }

    private struct Summing : IParallelJob
    {
        public ConvolutionPixels<T, TVector, TLanes, TActivation> Layer;

        /// <summary>Adds up the blocks' sums at one place of the kernel, in order, and adds the total to the filters' gradient.</summary>
        public readonly void Run(int kernel)
        {
            int channels = Layer._channels, filters = Layer._filters, seen = Layer._window.Seen, size = channels * filters;
            Span<T> total = new(Layer._sums + ((long)kernel * size), size);
            for (int block = 1; block < Layer._problem.Blocks; block++)
                TensorPrimitives.Add(total, new ReadOnlySpan<T>(Layer._sums + ((long)block * Layer.SumLength) + ((long)kernel * size), size), total);
            T* into = Layer._problem.ToFilters + kernel;
            for (int o = 0; o < filters; o++)
                for (int c = 0; c < channels; c++) into[((long)((o * channels) + c)) * seen] += total[(c * filters) + o];
        }
    }
}
