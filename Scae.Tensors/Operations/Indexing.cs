using System;
using System.Numerics;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Elements chosen by Int32 positions, which count from 0 and never from the back.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// y[.., i, ..] = x[.., index[.., i, ..], ..] along an axis. The result has the index's shape, whose other sizes may be
    /// smaller than those of x. The gradients of repeated positions add up.
    /// </summary>
    /// <exception cref="ShapeError">The index isn't Int32, its rank or a size doesn't fit, or a position lies outside.</exception>
    public Tensor gather(int axis, Tensor index)
    {
        RefuseIntegers("gather", this);
        int at = Shape.Axis("gather", axis, dim);
        bool fits = index.dtype == Dtype.Int32 && index.dim == dim;
        for (int i = 0; fits && i < dim; i++) fits = i == at || index._shape[i] <= _shape[i];
        if (!fits)
            throw ShapeError.Of("gather", $"index {Shape.Text(index.Sizes)} {index.dtype} along axis {axis} of {Shape.Text(Sizes)}; needs Int32 with {dim} axes, no other one longer than the tensor's");
        var x = this;
        for (int i = 0; i < dim; i++)
        {
            if (i != at && index._shape[i] < _shape[i]) x = x.slice(i, 0, index._shape[i]);
        }

        return new Gathered(x.contiguous(), index.contiguous(), at).Run(dtype, index.shape);
    }

    /// <summary>The slices at the given positions along an axis, in that order; a position may be repeated.</summary>
    /// <exception cref="ShapeError">There is no such axis or a position lies outside.</exception>
    public Tensor indexSelect(int axis, int[] positions) => indexSelect(axis, of((int[])positions.Clone(), positions.Length));

    /// <summary>The slices at the given positions (Int32 [n]) along an axis, in that order.</summary>
    /// <exception cref="ShapeError">The index isn't an Int32 vector, or a position lies outside.</exception>
    public Tensor indexSelect(int axis, Tensor index)
    {
        RefuseIntegers("indexSelect", this);
        int at = Shape.Axis("indexSelect", axis, dim);
        if (index.dtype != Dtype.Int32 || index.dim != 1)
            throw ShapeError.Of("indexSelect", $"index {Shape.Text(index.Sizes)} {index.dtype}; needs an Int32 vector");
        return new Selected(contiguous(), index.contiguous(), at).Run(dtype, [.. _shape[..at], index.nelement, .. _shape[(at + 1)..]]);
    }

    /// <summary>For Int32 positions [..] vectors [.., length] that are 1 at the position and 0 elsewhere.</summary>
    /// <exception cref="ShapeError">The tensor isn't Int32, <paramref name="dtype"/> is, or a position lies outside.</exception>
    public Tensor onehot(int length, Dtype dtype = Dtype.Float32)
    {
        if (this.dtype != Dtype.Int32) throw ShapeError.Of("onehot", $"positions {this.dtype}; needs Int32");
        if (dtype == Dtype.Int32) throw ShapeError.Of("onehot", "vectors Int32; needs Float32 or Float64");
        if (length < 0) throw ShapeError.Of("onehot", $"vectors of length {length}; needs 0 or more");
        return new OneHot(contiguous()).Run(dtype, [.. _shape, length]);
    }

    /// <summary>A vector that is 1 at one position and 0 elsewhere.</summary>
    /// <exception cref="ShapeError">The position lies outside.</exception>
    public static Tensor onehot(int length, int hot, Dtype dtype = Dtype.Float32) => full([], hot, Dtype.Int32).onehot(length, dtype);

    private static int CheckedPosition(string operation, int position, int count)
    {
        if ((uint)position >= (uint)count)
            throw ShapeError.Of(operation, $"position {position} along an axis of size {count}; {(count == 0 ? "it has none" : $"positions go from 0 to {count - 1}")}");
        return position;
    }

    /// <summary>How many elements lie before an axis and behind it.</summary>
    private static (int Outer, int Inner) Around(Tensor x, int axis) =>
        (Shape.Count(x._shape.AsSpan(0, axis)), Shape.Count(x._shape.AsSpan(axis + 1)));

    private sealed class Gathered : Operation
    {
        private readonly int _axis;
        private readonly int _outer;
        private readonly int _inner;

        public Gathered(Tensor x, Tensor index, int axis)
            : base(x, index) =>
            (_axis, (_outer, _inner)) = (axis, Around(index, axis));

        protected override void Forward<T>()
        {
            var x = Inputs[0].Data<T>();
            var index = Inputs[1].Data<int>();
            var y = Output.Data<T>();
            int count = Inputs[0]._shape[_axis], n = Inputs[1]._shape[_axis];
            for (int o = 0, at = 0; o < _outer; o++)
            {
                for (int k = 0; k < n; k++)
                {
                    for (int i = 0; i < _inner; i++, at++) y[at] = x[(((o * count) + CheckedPosition("gather", index[at], count)) * _inner) + i];
                }
            }
        }

        protected override void Backward<T>()
        {
            if (!Wants(0)) return;
            var g = OutputGradient<T>();
            var index = Inputs[1].Data<int>();
            var into = InputGradientToAdd<T>(0);
            int n = Inputs[1]._shape[_axis];
            if (n <= LongSums<T>.Few)
            {
                Add(g, index, n, into);
                return;
            }

            var totals = WideTotals.Take(into.Length);
            Add(g, index, n, totals);
            WideTotals.AddTo(totals, into);
        }

        private void Add<T, TSum>(ReadOnlySpan<T> g, ReadOnlySpan<int> index, int n, Span<TSum> into)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
            where TSum : unmanaged, IBinaryFloatingPointIeee754<TSum>
        {
            int count = Inputs[0]._shape[_axis];
            for (int o = 0, at = 0; o < _outer; o++)
            {
                for (int k = 0; k < n; k++)
                {
                    for (int i = 0; i < _inner; i++, at++) into[(((o * count) + index[at]) * _inner) + i] += TSum.CreateTruncating(g[at]);
                }
            }
        }
    }

    private sealed class Selected : Operation
    {
        private readonly int _axis;
        private readonly int _outer;
        private readonly int _inner;

        public Selected(Tensor x, Tensor index, int axis)
            : base(x, index) =>
            (_axis, (_outer, _inner)) = (axis, Around(x, axis));

        protected override void Forward<T>()
        {
            var x = Inputs[0].Data<T>();
            var index = Inputs[1].Data<int>();
            var y = Output.Data<T>();
            int count = Inputs[0]._shape[_axis], n = index.Length;
            for (int k = 0; k < n; k++)
            {
                int from = CheckedPosition("indexSelect", index[k], count);
                for (int o = 0; o < _outer; o++) x.Slice(((o * count) + from) * _inner, _inner).CopyTo(y[(((o * n) + k) * _inner)..]);
            }
        }

        protected override void Backward<T>()
        {
            if (!Wants(0)) return;
            var g = OutputGradient<T>();
            var index = Inputs[1].Data<int>();
            var into = InputGradientToAdd<T>(0);
            if (index.Length <= LongSums<T>.Few)
            {
                Add(g, index, into);
                return;
            }

            var totals = WideTotals.Take(into.Length);
            Add(g, index, totals);
            WideTotals.AddTo(totals, into);
        }

        private void Add<T, TSum>(ReadOnlySpan<T> g, ReadOnlySpan<int> index, Span<TSum> into)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
            where TSum : unmanaged, IBinaryFloatingPointIeee754<TSum>
        {
            int count = Inputs[0]._shape[_axis], n = index.Length;
            for (int o = 0; o < _outer; o++)
            {
                for (int k = 0; k < n; k++)
                {
                    var from = g.Slice(((o * n) + k) * _inner, _inner);
                    var to = into.Slice(((o * count) + index[k]) * _inner, _inner);
                    for (int i = 0; i < to.Length; i++) to[i] += TSum.CreateTruncating(from[i]);
                }
            }
        }
    }

    private sealed class OneHot(Tensor positions) : CutOperation(positions)
    {
        protected override void Forward<T>()
        {
            var y = Output.Data<T>();
            var positions = Inputs[0].Data<int>();
            int length = Output._shape[^1];
            y.Clear();
            for (int i = 0; i < positions.Length; i++) y[(i * length) + CheckedPosition("onehot", positions[i], length)] = T.One;
        }
    }
}
