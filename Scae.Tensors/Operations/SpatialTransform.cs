using System;
using System.Numerics;
using System.Numerics.Tensors;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>The spatial transformer's scale and shift in one operation.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// A scale and a shift treat rows and columns separately: Y = R·X·C, where each row of R and each column of C has two
    /// entries. X·C is a small product over the pixels that are read; R mixes two rows of the result at a time. Backwards
    /// it is the reverse: first Rᵀ·G, then a product with Cᵀ. Pixels outside only have to be set to zero.
    /// </summary>
    private sealed class SpatialTransform(Tensor image, Tensor pose, bool inverse) : SharedOperation(image, pose)
    {
        // How many rows are added up in T; those of larger images go to totals in double.
        private const int FewRows = 64;

        private readonly int _channels = image._shape[1];
        private readonly int _h = image._shape[2];
        private readonly int _w = image._shape[3];

        protected override int Items => Inputs[0]._shape[0];

        protected override bool IsLong => Output.nelement >= Sharing.ManyFunctions;

        protected override void Backward<T>()
        {
            if (Wants(0)) InputGradientToAdd<T>(0);
            if (Wants(1)) InputGradientToAdd<T>(1);
            Backward<T>(Items, accumulate: true);
        }

        protected override void Forward<T>(int from, int to)
        {
            int height = Output._shape[2], width = Output._shape[3];
            var y = Output.Data<T>();
            var image = Inputs[0].Data<T>();
            for (int b = from; b < to; b++)
            {
                AxisSampling<T> rows = Rows<T>(b), columns = Columns<T>(b);
                var matrix = Scratch.Take<T>(4, columns.Touched * columns.Count);
                var mixed = Scratch.Take<T>(5, rows.Touched * columns.Count);
                columns.Matrix(matrix);
                for (int plane = b * _channels; plane < (b + 1) * _channels; plane++)
                {
                    var target = y.Slice(plane * height * width, height * width);
                    target.Clear();
                    if (columns.Count == 0 || rows.Count == 0) continue;
                    MixColumns(image.Slice(plane * _h * _w, _h * _w), rows, columns, matrix, mixed);
                    MixRows<T>(mixed, rows, columns, target);
                }

                if (rows.HasNaN || columns.HasNaN) Undefine(y.Slice(b * _channels * height * width, _channels * height * width), rows, columns);
            }
        }

        protected override void Backward<T>(int from, int to, bool accumulate)
        {
            var toImage = Wants(0) ? Inputs[0].Gradient!.Span<T>() : default;
            var toPose = Wants(1) ? Inputs[1].Gradient!.Span<T>() : default;
            for (int b = from; b < to; b++) BackwardImage(b, toImage, toPose);
        }

        private void BackwardImage<T>(int b, Span<T> toImage, Span<T> toPose)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            int height = Output._shape[2], width = Output._shape[3];
            AxisSampling<T> rows = Rows<T>(b), columns = Columns<T>(b);
            int n = columns.Count, m = rows.Touched, k = columns.Touched;
            if (n == 0 || rows.Count == 0) return;
            var g = OutputGradient<T>();
            var image = Inputs[0].Data<T>();
            var matrix = Scratch.Take<T>(4, k * n);
            var mixed = Scratch.Take<T>(5, m * n);
            var gathered = Scratch.Take<T>(6, m * n);
            var slopes = Scratch.Take<T>(7, height);
            var across = Scratch.Take<T>(3, n);
            slopes.Clear();
            across.Clear();
            LongSums<T> sums = new(across, Scratch.TotalSlot, FewRows);
            for (int plane = b * _channels; plane < (b + 1) * _channels; plane++)
            {
                var pixels = image.Slice(plane * _h * _w, _h * _w);
                columns.Matrix(matrix);
                if (!toPose.IsEmpty) MixColumns(pixels, rows, columns, matrix, mixed);
                GatherRows<T>(g.Slice(plane * height * width, height * width), rows, columns, mixed, gathered, toPose.IsEmpty ? default : slopes);
                if (!toImage.IsEmpty)
                {
                    var target = toImage.Slice(plane * _h * _w, _h * _w)[((rows.First * _w) + columns.First)..];
                    columns.Transposed(matrix);
                    MatMul.Multiply<T>(m, k, n, gathered, n, 1, matrix, k, 1, target, _w, accumulate: true);
                }

                if (toPose.IsEmpty) continue;
                columns.Slopes(matrix);
                MixColumns(pixels, rows, columns, matrix, mixed);
                for (int r = 0; r < m; r++)
                {
                    sums.Next();
                    TensorPrimitives.MultiplyAdd(gathered.Slice(r * n, n), mixed.Slice(r * n, n), across, across);
                }
            }

            if (toPose.IsEmpty) return;
            sums.Finish();
            AddToPose(toPose, b, 1, columns.From, across, width, _w);
            AddToPose(toPose, b, 2, 0, slopes, height, _h);
        }

        /// <summary>Computes each row of a plane from the two rows, with columns mixed already, between which it lies.</summary>
        private void MixRows<T>(ReadOnlySpan<T> mixed, AxisSampling<T> rows, AxisSampling<T> columns, Span<T> plane)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            int n = columns.Count, width = Output._shape[3];
            for (int v = rows.From; v < rows.End; v++)
            {
                var place = rows[v];
                if (place.IsOutside) continue;
                var target = plane.Slice((v * width) + columns.From, n);
                int at = (place.Lower - rows.First) * n;
                if (place.Lower >= 0) TensorPrimitives.Multiply(mixed.Slice(at, n), T.One - place.Fraction, target);
                if (place.Lower + 1 < _h) TensorPrimitives.MultiplyAdd(mixed.Slice(at + n, n), place.Fraction, target, target);
            }
        }

        /// <summary>
        /// Applies the transpose of <see cref="MixRows"/> to the gradient of one plane. Also adds the derivatives by the
        /// rows' places to the slopes, unless these are empty.
        /// </summary>
        private void GatherRows<T>(ReadOnlySpan<T> g, AxisSampling<T> rows, AxisSampling<T> columns, ReadOnlySpan<T> mixed, Span<T> gathered, Span<T> slopes)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            int n = columns.Count, width = Output._shape[3];
            gathered.Clear();
            for (int v = rows.From; v < rows.End; v++)
            {
                var place = rows[v];
                if (place.IsOutside) continue;
                var line = g.Slice((v * width) + columns.From, n);
                int at = (place.Lower - rows.First) * n;
                if (place.Lower >= 0)
                {
                    TensorPrimitives.MultiplyAdd(line, T.One - place.Fraction, gathered.Slice(at, n), gathered.Slice(at, n));
                    if (!slopes.IsEmpty) slopes[v] -= Reduce.Dot<T>(line, mixed.Slice(at, n));
                }

                if (place.Lower + 1 < _h)
                {
                    TensorPrimitives.MultiplyAdd(line, place.Fraction, gathered.Slice(at + n, n), gathered.Slice(at + n, n));
                    if (!slopes.IsEmpty) slopes[v] += Reduce.Dot<T>(line, mixed.Slice(at + n, n));
                }
            }
        }

        private static void Undefine<T>(Span<T> planes, AxisSampling<T> rows, AxisSampling<T> columns)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            int width = columns.Length, size = rows.Length * width;
            for (int i = 0; i < planes.Length; i++)
                if (T.IsNaN(rows[i % size / width].Fraction) || T.IsNaN(columns[i % width].Fraction)) planes[i] = T.NaN;
        }

        /// <summary>Multiplies the pixels that are read by the columns' matrix.</summary>
        private void MixColumns<T>(ReadOnlySpan<T> pixels, AxisSampling<T> rows, AxisSampling<T> columns, ReadOnlySpan<T> matrix, Span<T> into)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
            MatMul.Multiply<T>(
                rows.Touched, columns.Count, columns.Touched, pixels[((rows.First * _w) + columns.First)..], _w, 1, matrix, columns.Count, 1, into, columns.Count, accumulate: false);

        private AxisSampling<T> Rows<T>(int b)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            var pose = Inputs[1].Data<T>().Slice(b * 3, 3);
            return new(Scratch.Take<Between<T>>(1, Output._shape[2]), _h, pose[0], pose[2], inverse);
        }

        private AxisSampling<T> Columns<T>(int b)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            var pose = Inputs[1].Data<T>().Slice(b * 3, 3);
            return new(Scratch.Take<Between<T>>(0, Output._shape[3]), _w, pose[0], pose[1], inverse);
        }

        /// <summary>Σ g and Σ g·(tick − centre) of the derivatives g by places along an axis.</summary>
        private static (TSum Sum, TSum Moment) Moments<T, TSum>(int from, ReadOnlySpan<T> slopes, int n, T centre)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
            where TSum : unmanaged, IBinaryFloatingPointIeee754<TSum>
        {
            TSum sum = TSum.Zero, moment = TSum.Zero;
            for (int i = 0; i < slopes.Length; i++)
            {
                sum += TSum.CreateTruncating(slopes[i]);
                moment += TSum.CreateTruncating(slopes[i] * (AxisSampling<T>.Tick(from + i, n) - centre));
            }

            return (sum, moment);
        }

        /// <summary>
        /// Adds to the pose's gradient what follows from the derivatives by the places along x (axis 1) or y (axis 2), the
        /// first of which belongs to the given pixel.
        /// </summary>
        private void AddToPose<T>(Span<T> into, int b, int axis, int from, ReadOnlySpan<T> slopes, int n, int source)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            var pose = Inputs[1].Data<T>().Slice(b * 3, 3);
            T half = T.CreateChecked(source - 1) / T.CreateChecked(2);
            T sum, moment;
            if (slopes.Length <= FewRows)
            {
                (sum, moment) = Moments<T, T>(from, slopes, n, inverse ? pose[axis] : T.Zero);
            }
            else
            {
                var (wideSum, wideMoment) = Moments<T, double>(from, slopes, n, inverse ? pose[axis] : T.Zero);
                (sum, moment) = (T.CreateTruncating(wideSum), T.CreateTruncating(wideMoment));
            }

            into[(b * 3) + axis] += half * (inverse ? -sum / pose[0] : sum);
            into[b * 3] += half * (inverse ? -moment / (pose[0] * pose[0]) : moment);
        }
    }
}
