using System;
using System.Linq;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Making tensors. Random numbers come from a <see cref="Key"/>, which fills arrays: there is no global generator.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// A vector over an array of float, double or int. The array isn't copied: the tensor keeps it until it is recorded. A
    /// recording moves the elements to memory of its own, and spans taken by Elements before that no longer write to them.
    /// </summary>
    /// <exception cref="ArgumentException">The elements are of another type.</exception>
    public static Tensor of<T>(T[] elements)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(elements);
        return Over(Storage.Of(elements), [elements.Length]);
    }

    /// <summary>The same in the given shape.</summary>
    /// <exception cref="ShapeError">The shape has another number of elements.</exception>
    public static Tensor of<T>(T[] elements, params int[] shape)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(elements);
        ArgumentNullException.ThrowIfNull(shape);
        if (Shape.Count(shape) != elements.Length)
            throw ShapeError.Of("tensor", $"{elements.Length} elements for shape {Shape.Text(shape)}, which has {Shape.Count(shape)}");
        return Over(Storage.Of(elements), (int[])shape.Clone());
    }

    /// <summary>
    /// Numbers as a tensor of the given dtype. They are copied and converted now, so replays of a recording don't convert
    /// them again.
    /// </summary>
    /// <exception cref="ShapeError">The shape has another number of elements, or the dtype is Int32.</exception>
    public static Tensor of(double[] elements, int[] shape, Dtype dtype)
    {
        ArgumentNullException.ThrowIfNull(elements);
        return dtype switch
        {
            Dtype.Float32 => of(Array.ConvertAll(elements, x => (float)x), shape),
            Dtype.Float64 => of((double[])elements.Clone(), shape),
            _ => throw ShapeError.Of("tensor", "fractions as Int32 would lose digits; needs Float32 or Float64"),
        };
    }

    /// <summary>A matrix from a two-dimensional array, copied.</summary>
    public static Tensor of(double[,] elements, Dtype dtype = Dtype.Float32)
    {
        ArgumentNullException.ThrowIfNull(elements);
        return of(elements.Cast<double>().ToArray(), [elements.GetLength(0), elements.GetLength(1)], dtype);
    }

    /// <summary>A scalar.</summary>
    public static Tensor scalar(double value, Dtype dtype = Dtype.Float32) => full([], value, dtype);

    /// <summary>A tensor of zeros.</summary>
    /// <exception cref="ShapeError">A size is negative, or there would be more than 2³¹ − 1 elements.</exception>
    public static Tensor zeros(int[] shape, Dtype dtype = Dtype.Float32)
    {
        ArgumentNullException.ThrowIfNull(shape);
        return Allocate(dtype, (int[])shape.Clone());
    }

    /// <summary>A tensor of ones.</summary>
    /// <exception cref="ShapeError">A size is negative, or there would be more than 2³¹ − 1 elements.</exception>
    public static Tensor ones(int[] shape, Dtype dtype = Dtype.Float32) => full(shape, 1, dtype);

    /// <summary>A tensor with one value everywhere.</summary>
    /// <exception cref="ShapeError">A size is negative, or there would be more than 2³¹ − 1 elements.</exception>
    /// <exception cref="ArgumentException">A tensor of Int32 can't hold the value.</exception>
    public static Tensor full(int[] shape, double value, Dtype dtype = Dtype.Float32)
    {
        var result = zeros(shape, dtype);
        switch (dtype)
        {
            case Dtype.Float32: result.Data<float>().Fill((float)value); break;
            case Dtype.Float64: result.Data<double>().Fill(value); break;
            default: result.Data<int>().Fill(WholeNumber(value)); break;
        }

        return result;
    }

    /// <summary>The identity matrix.</summary>
    public static Tensor eye(int n, Dtype dtype = Dtype.Float32) => FromFormula([n, n], dtype, i => i / n == i % n ? 1 : 0);

    /// <summary>
    /// start, start + step, … before stop, computed in double; empty when the step doesn't lead from start towards stop.
    /// </summary>
    /// <exception cref="ArgumentException">The step is 0, a number isn't finite, or there would be more than 2³¹ − 1 elements.</exception>
    public static Tensor arange(double stop, double start = 0, double step = 1, Dtype dtype = Dtype.Float32)
    {
        double count = Math.Max(0, Math.Ceiling((stop - start) / step));
        if (step == 0 || !double.IsFinite(stop) || !double.IsFinite(start) || !double.IsFinite(step) || !(count <= int.MaxValue))
            throw new ArgumentException(FormattableString.Invariant($"arange: from {start} to {stop} in steps of {step}; needs finite numbers, a step other than 0 and at most {int.MaxValue} elements"));

        // The quotient is rounded: the last element may be stop itself, or lie behind it.
        double last = start + ((count - 1) * step);
        if (count > 0 && (step > 0 ? last >= stop : last <= stop)) count--;
        return FromFormula([(int)count], dtype, i => start + (i * step));
    }

    /// <summary>Evenly spaced values from start to stop, both included; start alone for one step.</summary>
    /// <exception cref="ArgumentException">The number of steps is negative, or start or stop isn't finite.</exception>
    public static Tensor linspace(double start, double stop, int steps, Dtype dtype = Dtype.Float32)
    {
        if (steps < 0 || !double.IsFinite(start) || !double.IsFinite(stop))
            throw new ArgumentException(FormattableString.Invariant($"linspace: {steps} steps from {start} to {stop}; needs 0 or more between finite numbers"));
        double span = stop - start;
        return FromFormula([steps], dtype, i => i == 0 ? start : i == steps - 1 ? stop : double.IsFinite(span) ? start + (span * i / (steps - 1)) : Between((double)i / (steps - 1)));

        // Where the difference of the ends is beyond all numbers.
        double Between(double share) => (start * (1 - share)) + (stop * share);
    }

    /// <summary>Zeros in the shape and dtype of this tensor.</summary>
    public Tensor zerosLike() => zeros(_shape, dtype);

    /// <summary>Ones in the shape and dtype of this tensor.</summary>
    public Tensor onesLike() => ones(_shape, dtype);

    /// <summary>One value in the shape and dtype of this tensor.</summary>
    public Tensor fullLike(double value) => full(_shape, value, dtype);

    /// <summary>A copy that shares nothing and has no history.</summary>
    /// <exception cref="ShapeError">The tensor is packed.</exception>
    public Tensor clone()
    {
        RefuseReadingWhileRecording("clone");
        if (Packed is not null) throw PackedRows.Refusal(this);
        var copy = zerosLike();
        switch (dtype)
        {
            case Dtype.Float32: CopyTo(copy.Data<float>()); break;
            case Dtype.Float64: CopyTo(copy.Data<double>()); break;
            default: CopyTo(copy.Data<int>()); break;
        }

        return copy;
    }

    private static int WholeNumber(double value) =>
        value >= int.MinValue && value <= int.MaxValue && Math.Floor(value) == value
            ? (int)value
            : throw new ArgumentException(FormattableString.Invariant($"full: {value} in a tensor of Int32; needs a whole number from {int.MinValue} to {int.MaxValue}"));

    private static Tensor FromFormula(int[] shape, Dtype dtype, Func<int, double> value) =>
        of([.. Enumerable.Range(0, Shape.Count(shape)).Select(value)], shape, dtype);
}
