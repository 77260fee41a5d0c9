using System;
using System.Linq;
using System.Numerics.Tensors;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>
/// Sums and what follows from them, over all elements, one axis, or several. Over no elements, the sum and the norm are 0;
/// the mean, the variance and the standard deviation are NaN (0 / 0); and asking for the largest or smallest is an error.
/// Equal values are their own mean and have no deviation, unless they are so large that sums overflow (those of a few
/// floats, or of all doubles).
/// </content>
public sealed partial class Tensor
{
    /// <summary>The sum of all elements, a scalar; 0 for none.</summary>
    public Tensor sum() => SumOver([.. Enumerable.Range(0, dim)], keepDim: false);

    /// <summary>The sum along an axis.</summary>
    /// <exception cref="ShapeError">There is no such axis.</exception>
    public Tensor sum(int axis, bool keepDim = false) => SumOver([axis], keepDim);

    /// <summary>The sum along several axes.</summary>
    /// <exception cref="ShapeError">There is no such axis, or one is named twice.</exception>
    public Tensor sum(int[] axes, bool keepDim = false) => SumOver(axes, keepDim);

    /// <summary>The mean of all elements, a scalar; NaN for none.</summary>
    public Tensor mean() => mean([.. Enumerable.Range(0, dim)]);

    /// <summary>The mean along an axis.</summary>
    /// <exception cref="ShapeError">There is no such axis.</exception>
    public Tensor mean(int axis, bool keepDim = false) => mean([axis], keepDim);

    /// <summary>The mean along several axes.</summary>
    /// <exception cref="ShapeError">There is no such axis, or one is named twice.</exception>
    public Tensor mean(int[] axes, bool keepDim = false) => Reduced("mean", axes, keepDim, isMean: true);

    /// <summary>
    /// The variance of all elements, with divisor n − 1 or, unless <paramref name="unbiased"/>, n. NaN for no elements, and
    /// for a single one when unbiased.
    /// </summary>
    public Tensor var(bool unbiased = true) => var([.. Enumerable.Range(0, dim)], false, unbiased);

    /// <summary>The variance along an axis, with divisor n − 1 or, unless <paramref name="unbiased"/>, n.</summary>
    /// <exception cref="ShapeError">There is no such axis.</exception>
    public Tensor var(int axis, bool keepDim = false, bool unbiased = true) => var([axis], keepDim, unbiased);

    /// <summary>The variance along several axes, with divisor n − 1 or, unless <paramref name="unbiased"/>, n.</summary>
    /// <exception cref="ShapeError">There is no such axis, or one is named twice.</exception>
    public Tensor var(int[] axes, bool keepDim = false, bool unbiased = true)
    {
        var centred = this - Reduced("var", axes, keepDim: true, isMean: true);
        var squares = (centred * centred).sum(axes, keepDim);
        double n = 1;
        foreach (int axis in axes) n *= size(axis);

        // For a single element the unbiased variance is 0 / 0.
        return squares / (unbiased ? Math.Max(n - 1, 0) : n);
    }

    /// <summary>The standard deviation of all elements: the root of the variance, NaN in the same cases; gradient NaN at 0.</summary>
    public Tensor std(bool unbiased = true) => var(unbiased).sqrt();

    /// <summary>The standard deviation along an axis: the root of the variance; gradient NaN at 0.</summary>
    /// <exception cref="ShapeError">There is no such axis.</exception>
    public Tensor std(int axis, bool keepDim = false, bool unbiased = true) => var(axis, keepDim, unbiased).sqrt();

    /// <summary>The Euclidean norm √Σx² of all elements, where x² must neither over- nor underflow; gradient NaN at 0.</summary>
    public Tensor norm() => (this * this).sum().sqrt();

    /// <summary>The Euclidean norm along an axis.</summary>
    /// <exception cref="ShapeError">There is no such axis.</exception>
    public Tensor norm(int axis, bool keepDim = false) => (this * this).sum(axis, keepDim).sqrt();

    /// <summary>The largest element, a scalar; the gradient goes to the first of equals. NaN wins.</summary>
    /// <exception cref="ShapeError">There are no elements.</exception>
    public Tensor max() => view(nelement).Extreme("max", 0, false, largest: true);

    /// <summary>The smallest element, a scalar; the gradient goes to the first of equals. NaN wins.</summary>
    /// <exception cref="ShapeError">There are no elements.</exception>
    public Tensor min() => view(nelement).Extreme("min", 0, false, largest: false);

    /// <summary>
    /// The largest along an axis; the gradient goes to the first of equals. NaN wins. (With a double, as in max(0.0), it is
    /// the larger of each element and the number.)
    /// </summary>
    /// <exception cref="ShapeError">There is no such axis or it is empty.</exception>
    public Tensor max(int axis, bool keepDim = false) => Extreme("max", axis, keepDim, largest: true);

    /// <summary>
    /// The smallest along an axis; the gradient goes to the first of equals. NaN wins. (With a double, as in min(0.0), it is
    /// the smaller of each element and the number.)
    /// </summary>
    /// <exception cref="ShapeError">There is no such axis or it is empty.</exception>
    public Tensor min(int axis, bool keepDim = false) => Extreme("min", axis, keepDim, largest: false);

    /// <summary>The position of the largest along an axis, the first of equals, as Int32.</summary>
    /// <exception cref="ShapeError">There is no such axis or it is empty.</exception>
    public Tensor argmax(int axis, bool keepDim = false) => PositionOfExtreme("argmax", axis, keepDim, largest: true);

    private Tensor SumOver(int[] axes, bool keepDim) => Reduced("sum", axes, keepDim, isMean: false);

    private Tensor Reduced(string operation, int[] axes, bool keepDim, bool isMean)
    {
        RefuseIntegers(operation, this);
        bool[] reduced = Shape.AxisFlags(operation, axes, dim);
        int[] result = Shape.Reduce(_shape, reduced, keepDim);

        // The summed axes are moved together to the end; this copy isn't needed when they are neighbours already.
        int[] order = [.. Enumerable.Range(0, dim).Where(i => !reduced[i]), .. Enumerable.Range(0, dim).Where(i => reduced[i])];
        int first = Array.IndexOf(reduced, true), last = Array.LastIndexOf(reduced, true);
        bool together = first < 0 || !reduced[first..(last + 1)].Contains(false);
        var x = together ? contiguous() : permute(order).contiguous();
        if (!together) (first, last) = (dim - axes.Length, dim - 1);
        int outer = 1, count = 1, inner = 1;
        for (int i = 0; i < dim; i++)
        {
            if (first < 0 || i < first) outer *= x._shape[i];
            else if (i <= last) count *= x._shape[i];
            else inner *= x._shape[i];
        }

        return new SumAxis(x, outer, count, inner, isMean).Run(dtype, result);
    }

    private Tensor Extreme(string operation, int axis, bool keepDim, bool largest)
    {
        var x = contiguous();
        var result = x.gather(axis, x.PositionOfExtreme(operation, axis, keepDim: true, largest));
        return keepDim ? result : result.squeeze(axis);
    }

    private Tensor PositionOfExtreme(string operation, int axis, bool keepDim, bool largest)
    {
        RefuseIntegers(operation, this);
        int at = Shape.Axis(operation, axis, dim), count = _shape[at];
        if (count == 0) throw ShapeError.Of(operation, $"axis {axis} of {Shape.Text(Sizes)} is empty");
        var (outer, inner) = Around(this, at);
        return new ArgExtreme(contiguous(), outer, count, inner, largest)
            .Run(Dtype.Int32, Shape.Reduce(_shape, Shape.AxisFlags(operation, [axis], dim), keepDim));
    }

    /// <summary>Σ over the middle axis of [outer, count, inner], or Σ / count.</summary>
    private sealed class SumAxis(Tensor x, int outer, int count, int inner, bool isMean) : SharedOperation(x)
    {
        protected override int Items => outer;

        protected override void Forward<T>(int from, int to)
        {
            var x = Inputs[0].Data<T>();
            var y = Output.Data<T>();
            for (int o = from; o < to; o++)
            {
                var rows = x.Slice(o * count * inner, count * inner);
                if (inner == 1)
                {
                    y[o] = isMean ? Reduce.Mean<T>(rows) : Reduce.Sum<T>(rows);
                    continue;
                }

                var sums = y.Slice(o * inner, inner);
                Rowwise.Sum<T>(rows, isMean ? count : 1, sums, accumulate: false);
                if (isMean) Rowwise.CorrectMean<T>(rows, sums);
            }
        }

        protected override void Backward<T>()
        {
            if (!Wants(0)) return;
            InputGradient<T>(0, out bool accumulate);
            Backward<T>(outer * count, accumulate);
        }

        /// <summary>Gives rows from, …, to − 1 of [outer · count, inner] their shares of the gradient.</summary>
        protected override void Backward<T>(int from, int to, bool accumulate)
        {
            var g = OutputGradient<T>();
            var into = Inputs[0].Gradient!.Span<T>();
            T n = isMean ? T.CreateChecked(count) : T.One;
            var share = Scratch.Take<T>(0, inner);
            for (int row = from, end; row < to; row = end)
            {
                int o = row / count;
                end = int.Min(to, (o + 1) * count);
                if (inner == 1)
                {
                    var alike = into[row..end];
                    if (accumulate) TensorPrimitives.Add(alike, g[o] / n, alike);
                    else alike.Fill(g[o] / n);
                    continue;
                }

                TensorPrimitives.Divide(g.Slice(o * inner, inner), n, share);
                for (int i = row; i < end; i++)
                {
                    var own = into.Slice(i * inner, inner);
                    if (accumulate) TensorPrimitives.Add(own, share, own);
                    else share.CopyTo(own);
                }
            }
        }
    }

    /// <summary>The position of the first largest (or smallest) element along the middle axis of [outer, count, inner].</summary>
    private sealed class ArgExtreme(Tensor x, int outer, int count, int inner, bool largest) : CutOperation(x)
    {
        protected override Dtype ComputeDtype => Inputs[0].dtype;

        protected override void Forward<T>()
        {
            var x = Inputs[0].Data<T>();
            var index = Output.Data<int>();
            for (int o = 0; o < outer; o++)
            {
                for (int i = 0; i < inner; i++)
                {
                    int best = 0;
                    T value = x[(o * count * inner) + i];
                    for (int c = 1; c < count && !T.IsNaN(value); c++)
                    {
                        T other = x[(((o * count) + c) * inner) + i];
                        if ((largest ? other > value : other < value) || T.IsNaN(other)) (best, value) = (c, other);
                    }

                    index[(o * inner) + i] = best;
                }
            }
        }
    }
}
