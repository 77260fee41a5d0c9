using System;
using System.Numerics;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Images sampled at given places (Jaderberg et al. 2015): bilinear, zero outside, corners aligned.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// Where each pixel of a height × width image lies on another image, for poses [b, 3] = (s, t_x, t_y) →
    /// [b, height, width, 2] = (x, y). With (u, v) on linspace(−1, 1), or 0 for a single pixel, that is (s·u + t_x, s·v +
    /// t_y), which cuts out a glimpse; or with inverse ((u − t_x)/s, (v − t_y)/s), which renders a patch onto a canvas.
    /// </summary>
    /// <exception cref="ShapeError">The poses aren't of that form or a size is below 1.</exception>
    public Tensor affineGrid(int height, int width, bool inverse = false)
    {
        CheckPose("affineGrid", this, height, width);
        Tensor s = slice(1, 0, 1).unsqueeze(2), tx = slice(1, 1, 2).unsqueeze(2), ty = slice(1, 2, 3).unsqueeze(2);
        var u = Ticks(width).view(1, 1, width);
        var v = Ticks(height).view(1, height, 1);
        Tensor x = inverse ? (u - tx) / s : (s * u) + tx, y = inverse ? (v - ty) / s : (s * v) + ty;
        return stack([x.expand(_shape[0], height, width), y.expand(_shape[0], height, width)], -1);

        // A single pixel spans no width: it lies in the middle.
        Tensor Ticks(int n) => n == 1 ? zeros([1], dtype) : linspace(-1, 1, n, dtype);
    }

    /// <summary>
    /// Images [b, c, h, w] read at the places of a grid [b, h′, w′, 2] = (x, y), where −1 and 1 are the centres of the
    /// outermost pixels → [b, c, h′, w′]. Values are interpolated between the four neighbours; those outside count as 0. A
    /// place that is NaN gives NaN.
    /// </summary>
    /// <exception cref="ShapeError">The shapes or dtypes don't fit.</exception>
    public Tensor gridSample(Tensor grid)
    {
        CheckSameDtype("gridSample", this, grid);
        if (dim != 4 || grid.dim != 4 || grid._shape[0] != _shape[0] || grid._shape[3] != 2)
            throw ShapeError.Of("gridSample", $"{Shape.Text(Sizes)} at {Shape.Text(grid.Sizes)}; needs [b, c, h, w] and [b, h′, w′, 2]");
        return new GridSample(contiguous(), grid.contiguous()).Run(dtype, [_shape[0], _shape[1], grid._shape[1], grid._shape[2]]);
    }

    /// <summary>
    /// gridSample(affineGrid) in one operation, row by row: images [b, c, h, w] and poses [b, 3] = (s, t_x, t_y) →
    /// [b, c, height, width]. Cuts a glimpse out of the image or, with inverse, renders it as a patch onto a canvas.
    /// Columns are mixed by a product of matrices, so a pixel that is NaN or ∞ makes whole rows NaN that are read together
    /// with it; in gridSample it affects only its neighbours.
    /// </summary>
    /// <exception cref="ShapeError">The shapes or dtypes don't fit.</exception>
    public Tensor spatialTransform(Tensor pose, int height, int width, bool inverse = false)
    {
        CheckSameDtype("spatialTransform", this, pose);
        CheckPose("spatialTransform", pose, height, width);
        if (dim != 4 || pose._shape[0] != _shape[0])
            throw ShapeError.Of("spatialTransform", $"images {Shape.Text(Sizes)} with poses {Shape.Text(pose.Sizes)}; needs [b, c, h, w] and [b, 3]");
        return new SpatialTransform(contiguous(), pose.contiguous(), inverse).Run(dtype, [_shape[0], _shape[1], height, width]);
    }

    private static void CheckPose(string operation, Tensor pose, int height, int width)
    {
        RefuseIntegers(operation, pose);
        if (pose.dim != 2 || pose._shape[1] != 3 || height < 1 || width < 1)
            throw ShapeError.Of(operation, $"poses {Shape.Text(pose.Sizes)} for {height} × {width} pixels; needs [b, 3] and at least one pixel");
    }

    /// <summary>
    /// Backwards, the gradient goes to the four neighbours in proportion to their weights, and to the place according to
    /// the neighbours' differences.
    /// </summary>
    private sealed class GridSample(Tensor image, Tensor grid) : Operation(image, grid)
    {
        private readonly int _channels = image._shape[1];
        private readonly int _height = image._shape[2];
        private readonly int _width = image._shape[3];
        private readonly int _places = grid._shape[1] * grid._shape[2];

        protected override void Forward<T>()
        {
            var image = Inputs[0].Data<T>();
            var grid = Inputs[1].Data<T>();
            var y = Output.Data<T>();
            int area = _height * _width;
            for (int b = 0; b < Inputs[0]._shape[0]; b++)
            {
                for (int p = 0; p < _places; p++)
                {
                    var at = Bilinear<T>.At(grid[(((b * _places) + p) * 2)..], _height, _width);
                    for (int c = 0; c < _channels; c++)
                        y[(((b * _channels) + c) * _places) + p] = at.Value(image.Slice(((b * _channels) + c) * area, area));
                }
            }
        }

        protected override void Backward<T>()
        {
            var image = Inputs[0].Data<T>();
            var grid = Inputs[1].Data<T>();
            var g = OutputGradient<T>();
            var toImage = Wants(0) ? InputGradientToAdd<T>(0) : default;
            var toGrid = Wants(1) ? InputGradientToAdd<T>(1) : default;
            if (_places <= LongSums<T>.Few)
            {
                Add(image, grid, g, toImage, toGrid);
                return;
            }

            // Many places may have the same neighbour, so their terms are added up in double.
            var totals = WideTotals.Take(toImage.Length);
            Add(image, grid, g, totals, toGrid);
            WideTotals.AddTo(totals, toImage);
        }

        private void Add<T, TSum>(ReadOnlySpan<T> image, ReadOnlySpan<T> grid, ReadOnlySpan<T> g, Span<TSum> toImage, Span<T> toGrid)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
            where TSum : unmanaged, IBinaryFloatingPointIeee754<TSum>
        {
            int area = _height * _width;
            for (int b = 0; b < Inputs[0]._shape[0]; b++)
            {
                for (int p = 0; p < _places; p++)
                {
                    int place = ((b * _places) + p) * 2;
                    var at = Bilinear<T>.At(grid[place..], _height, _width);
                    if (at.IsOutside) continue;
                    T dx = T.Zero, dy = T.Zero;
                    for (int c = 0; c < _channels; c++)
                    {
                        T gradient = g[(((b * _channels) + c) * _places) + p];
                        int start = ((b * _channels) + c) * area;
                        if (!toImage.IsEmpty) at.Add(toImage.Slice(start, area), gradient);
                        var (sx, sy) = at.Slopes(image.Slice(start, area));
                        dx += gradient * sx;
                        dy += gradient * sy;
                    }

                    if (toGrid.IsEmpty) continue;
                    toGrid[place] += dx;
                    toGrid[place + 1] += dy;
                }
            }
        }
    }
}
