using System;
using System.Linq;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Other ways to see the same elements. None of them copies, unless its description says so.</content>
public sealed partial class Tensor
{
    /// <summary>The same elements in another shape, in which one size may be −1; copies a tensor that isn't dense.</summary>
    /// <exception cref="ShapeError">The counts of elements differ.</exception>
    public Tensor view(params int[] shape)
    {
        int[] target = Shape.Resolve("view", shape, nelement, Sizes);
        var dense = contiguous();
        return new Reshaped(dense).RunAsView(dense.Reinterpret(target, Shape.DenseStrides(target), dense._offset));
    }

    /// <summary>Merges the axes from start to end (inclusive) into one; copies a tensor that isn't dense.</summary>
    /// <exception cref="ShapeError">There is no such axis, or start lies behind end.</exception>
    public Tensor flatten(int startDim = 0, int endDim = -1)
    {
        if (dim == 0) return view(1);
        int start = Shape.Axis("flatten", startDim, dim), end = Shape.Axis("flatten", endDim, dim);
        if (start > end) throw ShapeError.Of("flatten", $"axes {startDim} to {endDim} of {Shape.Text(Sizes)}; the first must not lie behind the last");
        return view([.. _shape[..start], Shape.Count(_shape.AsSpan(start, end + 1 - start)), .. _shape[(end + 1)..]]);
    }

    /// <summary>Splits one axis into several, whose sizes must multiply to its own; copies a tensor that isn't dense.</summary>
    /// <exception cref="ShapeError">There is no such axis or the sizes don't multiply to its own.</exception>
    public Tensor unflatten(int axis, params int[] sizes)
    {
        int at = Shape.Axis("unflatten", axis, dim);
        return view([.. _shape[..at], .. Shape.Resolve("unflatten", sizes, _shape[at], _shape.AsSpan(at, 1)), .. _shape[(at + 1)..]]);
    }

    /// <summary>Without the axes of size one, or without the given one if its size is one.</summary>
    /// <exception cref="ShapeError">There is no such axis.</exception>
    public Tensor squeeze(int? axis = null)
    {
        int only = axis is { } named ? Shape.Axis("squeeze", named, dim) : -1;
        return Strided((shape, strides) =>
        {
            int[] kept = Enumerable.Range(0, shape.Length).Where(i => shape[i] != 1 || (only >= 0 && i != only)).ToArray();
            return (Pick(shape, kept), Pick(strides, kept), 0);
        });
    }

    /// <summary>With an axis of size one before the given axis; −1 appends one.</summary>
    /// <exception cref="ShapeError">The axis lies outside −rank − 1 … rank.</exception>
    public Tensor unsqueeze(int axis)
    {
        int at = axis < 0 ? axis + dim + 1 : axis;
        if (at < 0 || at > dim) throw ShapeError.Of("unsqueeze", $"axis {axis} for {Shape.Text(Sizes)}; a new axis may stand at {-dim - 1} to {dim}");
        return Strided((shape, strides) => ([.. shape[..at], 1, .. shape[at..]], [.. strides[..at], 0, .. strides[at..]], 0));
    }

    /// <summary>Repeats axes of size one to the given shape, in which −1 keeps a size; missing axes are added in front.</summary>
    /// <exception cref="ShapeError">An axis that isn't of size one would have to change.</exception>
    public Tensor expand(params int[] shape)
    {
        int[] target = (int[])shape.Clone();
        for (int i = 1; i <= target.Length; i++)
        {
            int own = i <= dim ? _shape[^i] : 1;
            if (target[^i] == -1) target[^i] = own;
            else if (own != 1 && target[^i] != own) target = [];
        }

        if (target.Length != shape.Length || target.Length < dim)
            throw ShapeError.Of("expand", $"{Shape.Text(Sizes)} can't be expanded to {Shape.Text(shape)}; only axes of size 1 stretch");
        return Strided((from, strides) => (target, Shape.BroadcastStrides(from, strides, target), 0));
    }

    /// <summary>The axes in another order: axis i of the result is axis order[i] of this.</summary>
    /// <exception cref="ShapeError">The order doesn't name every axis once.</exception>
    public Tensor permute(params int[] order)
    {
        int[] axes = Array.ConvertAll(order, axis => Shape.Axis("permute", axis, dim));
        if (axes.Length != dim || axes.Distinct().Count() != dim)
            throw ShapeError.Of("permute", $"order {Shape.Text(order)} for {Shape.Text(Sizes)}; each of the {dim} axes must be named once");
        return Strided((shape, strides) => (Pick(shape, axes), Pick(strides, axes), 0));
    }

    /// <summary>Two axes exchanged; the last two unless told otherwise.</summary>
    /// <exception cref="ShapeError">There is no such axis.</exception>
    public Tensor transpose(int axis0 = -2, int axis1 = -1)
    {
        int first = Shape.Axis("transpose", axis0, dim), second = Shape.Axis("transpose", axis1, dim);
        int[] order = Enumerable.Range(0, dim).ToArray();
        (order[first], order[second]) = (second, first);
        return permute(order);
    }

    /// <summary>Elements start, start + step, … before stop along an axis; negative bounds count from the end.</summary>
    /// <exception cref="ShapeError">The bounds lie outside the axis or the step isn't positive.</exception>
    public Tensor slice(int axis, int start, int stop, int step = 1)
    {
        int at = Shape.Axis("slice", axis, dim), size = _shape[at];
        int from = start < 0 ? start + size : start, to = stop < 0 ? stop + size : stop;
        if (from < 0 || to > size || from > to || step < 1)
            throw ShapeError.Of("slice", $"{start}..{stop} step {step} along axis {axis} of {Shape.Text(Sizes)}; needs 0 ≤ start ≤ stop ≤ {size} and a positive step");
        return Strided((shape, strides) =>
        {
            int[] sizes = (int[])shape.Clone(), steps = (int[])strides.Clone();
            sizes[at] = to == from ? 0 : ((to - from - 1) / step) + 1;
            steps[at] *= step;
            return (sizes, steps, from * strides[at]);
        });
    }

    /// <summary>One position along an axis, which is removed; a negative index counts from the end.</summary>
    /// <exception cref="ShapeError">There is no such position.</exception>
    public Tensor select(int axis, int index)
    {
        int at = Shape.Axis("select", axis, dim), size = _shape[at], position = index < 0 ? index + size : index;
        if (position < 0 || position >= size)
            throw ShapeError.Of("select", $"position {index} along axis {axis} of {Shape.Text(Sizes)}; {(size == 0 ? "it has none" : $"positions go from {-size} to {size - 1}")}");
        return Strided((shape, strides) =>
            ([.. shape[..at], .. shape[(at + 1)..]], [.. strides[..at], .. strides[(at + 1)..]], position * strides[at]));
    }

    /// <summary>The axis split into parts of the given sizes.</summary>
    /// <exception cref="ShapeError">The sizes don't add up to the axis, or one is negative.</exception>
    public Tensor[] split(int[] sizes, int axis = 0)
    {
        int at = Shape.Axis("split", axis, dim);
        if (sizes.Any(size => size < 0) || sizes.Sum(size => (long)size) != _shape[at])
            throw ShapeError.Of("split", $"sizes {Shape.Text(sizes)} along axis {axis} of {Shape.Text(Sizes)}; they must not be negative and add up to {_shape[at]}");
        var parts = new Tensor[sizes.Length];
        for (int i = 0, start = 0; i < sizes.Length; start += sizes[i++]) parts[i] = slice(at, start, start + sizes[i]);
        return parts;
    }

    /// <summary>This tensor if its elements lie densely in row-major order, else a copy that does.</summary>
    public Tensor contiguous() => IsDense ? this : new Contiguous(this).Run(dtype, shape);

    /// <summary>A copy in the other floating dtype (or of integers); the gradient is cast back.</summary>
    /// <exception cref="ShapeError">Floating numbers would be cast to integers.</exception>
    public Tensor cast(Dtype dtype)
    {
        if (dtype == this.dtype) return this;
        if (dtype == Dtype.Int32) throw ShapeError.Of("cast", "to Int32 loses fractions; indices come from argmax, nearest or integers");
        return new Cast(contiguous()).Run(dtype, shape);
    }

    private static int[] Pick(int[] values, int[] axes) => Array.ConvertAll(axes, axis => values[axis]);

    /// <summary>
    /// A view by a rule that maps a shape and strides to a new shape, new strides and an offset. The rule is applied to the
    /// elements' strides and, once more, to those of the gradient, which is always dense.
    /// </summary>
    private Tensor Strided(Func<int[], int[], (int[] Shape, int[] Strides, int Offset)> rule)
    {
        var (shape, strides, offset) = rule(_shape, _strides);
        var gradient = rule(_shape, Shape.DenseStrides(_shape));
        var result = Reinterpret(shape, strides, _offset + offset);
        bool sameOrder = IsDense && result.IsDense && result.nelement == nelement;
        return sameOrder
            ? new Reshaped(this).RunAsView(result)
            : new StridedView(this, gradient.Strides, gradient.Offset).RunAsView(result);
    }

    private sealed class Reshaped(Tensor x) : ViewOperation(x)
    {
        public override bool SharesGradient => true;

        protected override void Backward<T>()
        {
        }
    }

    private sealed class StridedView(Tensor x, int[] strides, int offset) : ViewOperation(x)
    {
        protected override void Backward<T>()
        {
            if (Wants(0)) StridedCopy.ScatterAdd(OutputGradient<T>(), InputGradientToAdd<T>(0), offset, Output.Sizes, strides);
        }
    }

    private sealed class Contiguous(Tensor x) : Operation(x)
    {
        protected override void Forward<T>()
        {
            if (Output.dtype == Dtype.Int32) Gather<int>();
            else Gather<T>();
        }

        protected override void Backward<T>()
        {
            if (!Wants(0)) return;
            var into = InputGradient<T>(0, out bool accumulate);
            if (accumulate) Elementwise.Map2<T, Sum>(OutputGradient<T>(), 1, into, 1, into);
            else Stretches.Copy(OutputGradient<T>(), into);
        }

        private void Gather<T>()
            where T : unmanaged =>
            StridedCopy.Gather<T>(Inputs[0].FromFirst<T>(), 0, Inputs[0].Sizes, Inputs[0].Strides, Output.Data<T>());
    }

    private sealed class Cast(Tensor x) : Operation(x)
    {
        protected override void Forward<T>()
        {
            switch (Inputs[0].dtype)
            {
                case Dtype.Float32: Convert<float, T>(Inputs[0].Data<float>(), Output.Data<T>()); break;
                case Dtype.Float64: Convert<double, T>(Inputs[0].Data<double>(), Output.Data<T>()); break;
                default: Convert<int, T>(Inputs[0].Data<int>(), Output.Data<T>()); break;
            }
        }

        protected override void Backward<T>()
        {
            if (!Wants(0)) return;
            if (Inputs[0].dtype == Dtype.Float64) AddConverted<float, double>(OutputGradient<float>(), InputGradientToAdd<double>(0));
            else AddConverted<double, float>(OutputGradient<double>(), InputGradientToAdd<float>(0));
        }

        private static void Convert<TFrom, TTo>(ReadOnlySpan<TFrom> from, Span<TTo> to)
            where TFrom : unmanaged, System.Numerics.INumberBase<TFrom>
            where TTo : unmanaged, System.Numerics.INumberBase<TTo> =>
            System.Numerics.Tensors.TensorPrimitives.ConvertTruncating(from, to);

        private static void AddConverted<TFrom, TTo>(ReadOnlySpan<TFrom> from, Span<TTo> to)
            where TFrom : unmanaged, System.Numerics.INumberBase<TFrom>
            where TTo : unmanaged, System.Numerics.INumberBase<TTo>
        {
            for (int i = 0; i < to.Length; i++) to[i] += TTo.CreateTruncating(from[i]);
        }
    }
}
