using System;
using System.Collections.Generic;
using System.Linq;
using System.Numerics.Tensors;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Joining tensors, repeating them, and setting them into larger ones.</content>
public sealed partial class Tensor
{
    /// <summary>Tensors one after the other along an axis: [.., nᵢ, ..] → [.., Σ nᵢ, ..]. Integers are allowed.</summary>
    /// <exception cref="ShapeError">There is no tensor, or ranks, dtypes or the other sizes differ.</exception>
    public static Tensor cat(IEnumerable<Tensor> tensors, int axis = 0)
    {
        var parts = tensors.ToArray();
        if (parts.Length == 0) throw ShapeError.Of("cat", "no tensors; needs one at least");
        var first = parts[0];
        int at = Shape.Axis("cat", axis, first.dim);
        int[] result = first.shape;
        result[at] = 0;
        foreach (var part in parts)
        {
            bool fits = part.dim == first.dim && part.dtype == first.dtype;
            for (int i = 0; fits && i < first.dim; i++) fits = i == at || part._shape[i] == first._shape[i];
            if (!fits)
                throw ShapeError.Of("cat", $"{Shape.Text(first.Sizes)} {first.dtype} and {Shape.Text(part.Sizes)} {part.dtype} along axis {axis}; dtypes and all other sizes must be equal");
            result[at] += part._shape[at];
        }

        if (parts.Length == 1) return first;
        var (outer, inner) = Around(first, at);
        int[] widths = Array.ConvertAll(parts, part => part._shape[at] * inner);
        return new Cat(Array.ConvertAll(parts, part => part.contiguous()), widths, outer).Run(first.dtype, result);
    }

    /// <summary>Tensors of one shape along a new axis.</summary>
    /// <exception cref="ShapeError">There is no tensor, or shapes or dtypes differ.</exception>
    public static Tensor stack(IEnumerable<Tensor> tensors, int axis = 0)
    {
        var parts = tensors.ToArray();
        if (parts.Length == 0) throw ShapeError.Of("stack", "no tensors; needs one at least");
        foreach (var part in parts)
        {
            if (!Shape.Same(part.Sizes, parts[0].Sizes) || part.dtype != parts[0].dtype)
                throw ShapeError.Of("stack", $"{Shape.Text(parts[0].Sizes)} {parts[0].dtype} and {Shape.Text(part.Sizes)} {part.dtype}; shapes and dtypes must be equal");
        }

        return cat(Array.ConvertAll(parts, part => part.unsqueeze(axis)), axis);
    }

    /// <summary>The whole tensor several times along an axis: size n becomes times · n.</summary>
    /// <exception cref="ShapeError">There is no such axis or times is negative.</exception>
    public Tensor repeat(int axis, int times)
    {
        int at = Shape.Axis("repeat", axis, dim);
        if (times < 0 || (long)times * _shape[at] > int.MaxValue)
            throw ShapeError.Of("repeat", $"{times} times along an axis of {_shape[at]}; needs 0 or more, and at most {int.MaxValue} in all");
        return unsqueeze(at).expand([.. _shape[..at], times, .. _shape[at..]]).view([.. _shape[..at], times * _shape[at], .. _shape[(at + 1)..]]);
    }

    /// <summary>Zeros around the elements, along each axis as many before as after: size n becomes n + 2·padding.</summary>
    /// <exception cref="ShapeError">There isn't one padding for each axis, or one is negative.</exception>
    public Tensor pad(params int[] paddings)
    {
        RefuseIntegers("pad", this);
        if (paddings.Length != dim || paddings.Any(padding => padding < 0))
            throw ShapeError.Of("pad", $"paddings {Shape.Text(paddings)} for {Shape.Text(Sizes)}; needs one of 0 or more for each of the {dim} axes");
        if (_shape.Where((n, i) => n + (2L * paddings[i]) > int.MaxValue).Any())
            throw ShapeError.Of("pad", $"paddings {Shape.Text(paddings)} for {Shape.Text(Sizes)}; an axis has at most {int.MaxValue}");
        int[] target = [.. _shape.Select((n, i) => n + (2 * paddings[i]))];
        int[] strides = Shape.DenseStrides(target);
        return new Place(contiguous(), strides, paddings.Select((padding, i) => padding * strides[i]).Sum()).Run(dtype, target);
    }

    /// <summary>
    /// Each row is made of the parts' rows, one after the other. Backwards each part takes its columns of the gradient.
    /// </summary>
    private sealed class Cat(Tensor[] parts, int[] widths, int rows) : Operation(parts)
    {
        private readonly int _width = widths.Sum();

        private bool IsLong => Output.nelement >= Sharing.ManyElements;

        protected override void Forward<T>()
        {
            if (Output.dtype == Dtype.Int32) Sharing.Run(new JoinedRows<int>(this), rows, IsLong);
            else Sharing.Run(new JoinedRows<T>(this), rows, IsLong);
        }

        protected override void Backward<T>()
        {
            for (int part = 0, column = 0; part < widths.Length; column += widths[part++])
            {
                if (!Wants(part)) continue;
                InputGradient<T>(part, out bool accumulate);
                Sharing.Run(new PartedRows<T>(this, part, column, accumulate), rows, IsLong);
            }
        }

        private void Join<T>(int from, int to)
            where T : unmanaged
        {
            var y = Output.Data<T>();
            for (int part = 0, column = 0; part < widths.Length; column += widths[part++])
            {
                var x = Inputs[part].Data<T>();
                int n = widths[part];
                for (int row = from; row < to; row++) x.Slice(row * n, n).CopyTo(y[((row * _width) + column)..]);
            }
        }

        private void Part<T>(int part, int column, bool accumulate, int from, int to)
            where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
        {
            var g = OutputGradient<T>();
            var into = Inputs[part].Gradient!.Span<T>();
            int n = widths[part];
            for (int row = from; row < to; row++)
            {
                var some = g.Slice((row * _width) + column, n);
                var target = into.Slice(row * n, n);
                if (accumulate) TensorPrimitives.Add(target, some, target);
                else some.CopyTo(target);
            }
        }

        private readonly struct JoinedRows<T>(Cat cat) : IRange
            where T : unmanaged
        {
            public void Run(int from, int to) => cat.Join<T>(from, to);
        }

        private readonly struct PartedRows<T>(Cat cat, int part, int column, bool accumulate) : IRange
            where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
        {
            public void Run(int from, int to) => cat.Part<T>(part, column, accumulate, from, to);
        }
    }

    /// <summary>Puts the elements at strided places among zeros. Backwards the gradient is read there.</summary>
    private sealed class Place(Tensor x, int[] strides, int offset) : Operation(x)
    {
        protected override void Forward<T>()
        {
            var y = Output.Data<T>();
            y.Clear();
            if (Inputs[0].nelement > 0) StridedCopy.ScatterAdd(Inputs[0].Data<T>(), y, offset, Inputs[0].Sizes, strides);
        }

        protected override void Backward<T>()
        {
            if (!Wants(0) || Inputs[0].nelement == 0) return;
            var into = InputGradient<T>(0, out bool accumulate);
            var part = accumulate ? Scratch.Take<T>(4, into.Length) : into;
            StridedCopy.Gather(OutputGradient<T>(), offset, Inputs[0].Sizes, strides, part);
            if (accumulate) TensorPrimitives.Add(into, part, into);
        }
    }
}
