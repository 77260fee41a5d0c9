using System;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Products of matrices. Transposed views are read where they lie.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// The matrix product over the last two axes: [.., m, k] · [.., k, n] → [.., m, n], where the leading axes broadcast. A
    /// vector counts as a row on the left and as a column on the right, and the axis added for this is removed again.
    /// </summary>
    /// <exception cref="ShapeError">The inner sizes differ, the other axes don't broadcast, or the dtypes differ.</exception>
    public Tensor matmul(Tensor b)
    {
        CheckSameDtype("matmul", this, b);
        if (dim == 0 || b.dim == 0)
            throw ShapeError.Of("matmul", $"{Shape.Text(Sizes)} and {Shape.Text(b.Sizes)}; a scalar is no matrix, use *");
        int inner = b._shape[b.dim == 1 ? 0 : ^2];
        if (_shape[^1] != inner)
            throw ShapeError.Of("matmul", $"{Shape.Text(Sizes)} and {Shape.Text(b.Sizes)}; the last size of the first, {_shape[^1]}, must equal the {(b.dim == 1 ? "size" : "last but one")} of the second, {inner}");
        if (dim == 1) return unsqueeze(0).matmul(b).squeeze(b.dim == 1 ? 0 : -2);
        if (b.dim == 1) return matmul(b.unsqueeze(1)).squeeze(-1);

        // One matrix on the right serves every row on the left, so all batches are one tall product.
        if (b.dim == 2 && dim > 2) return contiguous().view(Shape.Count(Sizes[..^1]), _shape[^1]).matmul(b).view([.. _shape[..^1], b._shape[^1]]);
        int[] batch = Shape.Broadcast("matmul", Sizes[..^2], b.Sizes[..^2], () => $"{Shape.Text(Sizes)} and {Shape.Text(b.Sizes)}", behind: 2);
        return new MatMulOperation(this, b, batch).Run(dtype, [.. batch, _shape[^2], b._shape[^1]]);
    }

    /// <summary>The batched matrix product [b, m, k] · [b, k, n] → [b, m, n].</summary>
    /// <exception cref="ShapeError">The shapes aren't of that form.</exception>
    public Tensor bmm(Tensor b)
    {
        if (dim != 3 || b.dim != 3 || _shape[0] != b._shape[0])
            throw ShapeError.Of("bmm", $"{Shape.Text(Sizes)} and {Shape.Text(b.Sizes)}; needs [b, m, k] and [b, k, n]");
        return matmul(b);
    }

    /// <summary>C = A·B; ∂A = ∂C·Bᵀ and ∂B = Aᵀ·∂C, summed over the axes along which an operand was broadcast.</summary>
    private sealed class MatMulOperation : Operation
    {
        private readonly int _m;
        private readonly int _n;
        private readonly int _k;
        private readonly BroadcastLoop _loop;
        private readonly long _repeatsOfA;
        private readonly long _repeatsOfB;

        public MatMulOperation(Tensor a, Tensor b, int[] batch)
            : base(a, b)
        {
            (_m, _k, _n) = (a._shape[^2], a._shape[^1], b._shape[^1]);
            (_repeatsOfA, _repeatsOfB) = (Shape.Repeats(a.Sizes[..^2], batch), Shape.Repeats(b.Sizes[..^2], batch));
            int[] dense = Shape.DenseStrides(batch);
            _loop = new BroadcastLoop(
                batch,
                Shape.BroadcastStrides(a.Sizes[..^2], a.Strides[..^2], batch),
                Shape.BroadcastStrides(b.Sizes[..^2], b.Strides[..^2], batch),
                Array.ConvertAll(dense, stride => stride * _m * _n),
                GradientStrides(a, batch),
                GradientStrides(b, batch));
        }

        protected override void Forward<T>()
        {
            if (Output.nelement == 0) return;
            var a = Inputs[0].FromFirst<T>();
            var b = Inputs[1].FromFirst<T>();
            var c = Output.Data<T>();
            if (_k == 0)
            {
                c.Clear();
                return;
            }

            var (aRow, aCol, bRow, bCol) = (Row(0), Col(0), Row(1), Col(1));
            Span<int> at = stackalloc int[5], index = stackalloc int[_loop.Counters];
            _loop.Start(at, index);
            for (int row = 0; row < _loop.Rows; row++)
            {
                MatMul.MultiplyBatched<T>(
                    _loop.RowLength, _m, _n, _k, a[at[0]..], _loop.Step(0), aRow, aCol, b[at[1]..], _loop.Step(1), bRow, bCol, c[at[2]..], _m * _n, _n, accumulate: false);
                _loop.Next(at, index);
            }
        }

        protected override void Backward<T>()
        {
            if (Output.nelement == 0 || _k == 0) return;
            if (Wants(0)) Gradient<T>(0);
            if (Wants(1)) Gradient<T>(1);
        }

        private static int[] GradientStrides(Tensor x, int[] batch)
        {
            int[] dense = Shape.DenseStrides(x.Sizes);
            return Shape.BroadcastStrides(x.Sizes[..^2], dense.AsSpan(0, dense.Length - 2), batch);
        }

        /// <summary>
        /// How many rows of the loop may add to a gradient in T before the sums move to double. A product cuts a chain of
        /// floats that is too long by itself, but where each row of the loop continues the same chains, it sees only one
        /// row's part of them. All rows may add in T if the whole chain is short enough.
        /// </summary>
        private int FewRows<T>(long repeats, int operand, int terms)
        {
            long ofRow = (long)terms * (_loop.Step(operand) == 0 ? _loop.RowLength : 1), chain = repeats * terms;
            bool isLong = typeof(T) == typeof(float) && chain > MatMul.LongestChain && chain > ofRow;
            return isLong ? (int)long.Max(1, MatMul.LongestChain / ofRow) : int.MaxValue;
        }

        private int Row(int input) => Inputs[input]._strides[^2];

        private int Col(int input) => Inputs[input]._strides[^1];

        private void Gradient<T>(int input)
            where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
        {
            bool isLeft = input == 0, accumulate = true;
            int other = 1 - input, own = 3 + input;
            long repeats = isLeft ? _repeatsOfA : _repeatsOfB;
            var g = OutputGradient<T>();
            var x = Inputs[other].FromFirst<T>();
            var into = repeats > 1 ? InputGradientToAdd<T>(input) : InputGradient<T>(input, out accumulate);
            LongSums<T> sums = new(into, Scratch.TotalSlot, FewRows<T>(repeats, own, isLeft ? _n : _m));
            Span<int> at = stackalloc int[5], index = stackalloc int[_loop.Counters];
            _loop.Start(at, index);
            for (int row = 0; row < _loop.Rows; row++)
            {
                sums.Next();
                if (isLeft)
                    MatMul.MultiplyBatched<T>(
                        _loop.RowLength, _m, _k, _n, g[at[2]..], _m * _n, _n, 1, x[at[1]..], _loop.Step(1), Col(1), Row(1), into[at[3]..], _loop.Step(3), _k, accumulate);
                else
                    MatMul.MultiplyBatched<T>(
                        _loop.RowLength, _k, _n, _m, x[at[0]..], _loop.Step(0), Col(0), Row(0), g[at[2]..], _m * _n, _n, 1, into[at[4]..], _loop.Step(4), _n, accumulate);
                _loop.Next(at, index);
            }

            sums.Finish();
        }
    }
}
