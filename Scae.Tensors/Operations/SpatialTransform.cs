using System;
using System.Numerics;
using System.Numerics.Tensors;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>The spatial transformer's scale and shift in one operation.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// A scale and a shift leave rows and columns apart: x depends on the column only and y on the row, so that a row of
    /// the output is a mix of two image rows (all columns at once), read at the columns' places. Backwards the same
    /// in reverse.
    /// </summary>
    private sealed class SpatialTransform(Tensor image, Tensor pose, bool inverse) : Operation(image, pose)
    {
        private readonly int _channels = image._shape[1];
        private readonly int _h = image._shape[2];
        private readonly int _w = image._shape[3];

        protected override void Forward<T>()
        {
            int height = Output._shape[2], width = Output._shape[3];
            var y = Output.Data<T>();
            var image = Inputs[0].Data<T>();
            var row = Scratch.Take<T>(4, _w);
            var places = Scratch.Take<Between<T>>(0, width);
            for (int b = 0; b < Inputs[0]._shape[0]; b++)
            {
                for (int i = 0; i < width; i++) places[i] = Between<T>.At(Coordinate<T>(b, i, width, 1), _w);
                for (int v = 0; v < height; v++)
                {
                    var place = Between<T>.At(Coordinate<T>(b, v, height, 2), _h);
                    for (int c = 0; c < _channels; c++)
                    {
                        int plane = (b * _channels) + c;
                        var target = y.Slice(((plane * height) + v) * width, width);
                        if (place.IsOutside && !T.IsNaN(place.Fraction))
                        {
                            FillOutside(target, places);
                            continue;
                        }

                        MixRows(image.Slice(plane * _h * _w, _h * _w), place, row);
                        for (int i = 0; i < width; i++) target[i] = Read(row, places[i]);
                    }
                }
            }
        }

        protected override void Backward<T>()
        {
            int height = Output._shape[2], width = Output._shape[3];
            var g = OutputGradient<T>();
            var image = Inputs[0].Data<T>();
            var toImage = Wants(0) ? InputGradientToAdd<T>(0) : default;
            var toPose = Wants(1) ? InputGradientToAdd<T>(1) : default;
            Span<T> row = Scratch.Take<T>(4, _w), gradient = Scratch.Take<T>(5, _w), slopes = Scratch.Take<T>(6, width);
            var places = Scratch.Take<Between<T>>(0, width);
            T halfW = T.CreateChecked(_w - 1) / T.CreateChecked(2), halfH = T.CreateChecked(_h - 1) / T.CreateChecked(2);
            for (int b = 0; b < Inputs[0]._shape[0]; b++)
            {
                for (int i = 0; i < width; i++) places[i] = Between<T>.At(Coordinate<T>(b, i, width, 1), _w);
                slopes.Clear();
                for (int v = 0; v < height; v++)
                {
                    var place = Between<T>.At(Coordinate<T>(b, v, height, 2), _h);
                    if (place.IsOutside) continue;
                    T slope = T.Zero;
                    for (int c = 0; c < _channels; c++)
                    {
                        int plane = (b * _channels) + c;
                        var pixels = image.Slice(plane * _h * _w, _h * _w);
                        var from = g.Slice(((plane * height) + v) * width, width);
                        MixRows(pixels, place, row);
                        gradient.Clear();
                        for (int i = 0; i < width; i++) Spread(from[i], places[i], row, gradient, ref slopes[i]);
                        if (!toImage.IsEmpty) AddRows(toImage.Slice(plane * _h * _w, _h * _w), place, gradient);
                        if (place.Lower + 1 < _h) slope += Reduce.Dot<T>(gradient, pixels.Slice((place.Lower + 1) * _w, _w));
                        if (place.Lower >= 0) slope -= Reduce.Dot<T>(gradient, pixels.Slice(place.Lower * _w, _w));
                    }

                    if (!toPose.IsEmpty) AddToPose(toPose, b, 2, v, height, slope * halfH);
                }

                for (int i = 0; i < width && !toPose.IsEmpty; i++) AddToPose(toPose, b, 1, i, width, slopes[i] * halfW);
            }
        }

        private static T Tick<T>(int i, int n)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
            n == 1 ? -T.One : T.CreateChecked(-1 + (2.0 * i / (n - 1)));

        private static T Read<T>(ReadOnlySpan<T> row, Between<T> place)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            if (place.IsOutside) return place.Fraction;
            T left = place.Lower >= 0 ? row[place.Lower] : T.Zero, right = place.Lower + 1 < row.Length ? row[place.Lower + 1] : T.Zero;
            return ((T.One - place.Fraction) * left) + (place.Fraction * right);
        }

        private static void Spread<T>(T g, Between<T> place, ReadOnlySpan<T> row, Span<T> gradient, ref T slope)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            if (place.IsOutside) return;
            if (place.Lower >= 0)
            {
                gradient[place.Lower] += g * (T.One - place.Fraction);
                slope -= g * row[place.Lower];
            }

            if (place.Lower + 1 < row.Length)
            {
                gradient[place.Lower + 1] += g * place.Fraction;
                slope += g * row[place.Lower + 1];
            }
        }

        private static void FillOutside<T>(Span<T> target, ReadOnlySpan<Between<T>> places)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            // A NaN column stays NaN even where the row is outside.
            for (int i = 0; i < target.Length; i++) target[i] = T.IsNaN(places[i].Fraction) ? T.NaN : T.Zero;
        }

        private void MixRows<T>(ReadOnlySpan<T> image, Between<T> place, Span<T> row)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            if (place.IsOutside)
            {
                row.Fill(place.Fraction);
                return;
            }

            if (place.Lower >= 0) TensorPrimitives.Multiply(image.Slice(place.Lower * _w, _w), T.One - place.Fraction, row);
            else row.Clear();
            if (place.Lower + 1 < _h) TensorPrimitives.MultiplyAdd(image.Slice((place.Lower + 1) * _w, _w), place.Fraction, row, row);
        }

        private void AddRows<T>(Span<T> image, Between<T> place, ReadOnlySpan<T> gradient)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            if (place.Lower >= 0)
            {
                var to = image.Slice(place.Lower * _w, _w);
                TensorPrimitives.MultiplyAdd(gradient, T.One - place.Fraction, to, to);
            }

            if (place.Lower + 1 < _h)
            {
                var to = image.Slice((place.Lower + 1) * _w, _w);
                TensorPrimitives.MultiplyAdd(gradient, place.Fraction, to, to);
            }
        }

        /// <summary>The place of the i-th of n output pixels along x (axis 1) or y (axis 2) of the pose.</summary>
        private T Coordinate<T>(int b, int i, int n, int axis)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            var pose = Inputs[1].Data<T>().Slice(b * 3, 3);
            return inverse ? (Tick<T>(i, n) - pose[axis]) / pose[0] : (pose[0] * Tick<T>(i, n)) + pose[axis];
        }

        private void AddToPose<T>(Span<T> into, int b, int axis, int i, int n, T slope)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            var pose = Inputs[1].Data<T>().Slice(b * 3, 3);
            into[(b * 3) + axis] += inverse ? -slope / pose[0] : slope;
            into[b * 3] += inverse ? -slope * (Tick<T>(i, n) - pose[axis]) / (pose[0] * pose[0]) : slope * Tick<T>(i, n);
        }
    }
}
