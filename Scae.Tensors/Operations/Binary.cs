using System;
using System.Numerics;
using System.Runtime.Intrinsics;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Elementwise operations on two tensors, which broadcast.</content>
public sealed partial class Tensor
{
    /// <summary>x + y.</summary>
    public static Tensor operator +(Tensor a, Tensor b) => a.add(b);

    /// <summary>x − y.</summary>
    public static Tensor operator -(Tensor a, Tensor b) => a.sub(b);

    /// <summary>x · y, element by element.</summary>
    public static Tensor operator *(Tensor a, Tensor b) => a.mul(b);

    /// <summary>x / y.</summary>
    public static Tensor operator /(Tensor a, Tensor b) => a.div(b);

    /// <summary>x + y, broadcasting.</summary>
    /// <exception cref="ShapeError">The shapes don't broadcast or the dtypes differ.</exception>
    public Tensor add(Tensor b) => Binary<Sum, First, First>.Of("add", this, b);

    /// <summary>x − y, broadcasting.</summary>
    /// <exception cref="ShapeError">The shapes don't broadcast or the dtypes differ.</exception>
    public Tensor sub(Tensor b) => Binary<Difference, First, Negated>.Of("sub", this, b);

    /// <summary>x · y element by element, broadcasting.</summary>
    /// <exception cref="ShapeError">The shapes don't broadcast or the dtypes differ.</exception>
    public Tensor mul(Tensor b) => Binary<Product, TimesRight, TimesLeft>.Of("mul", this, b);

    /// <summary>x / y, broadcasting; division by zero gives ±∞ or NaN as IEEE 754 has it.</summary>
    /// <exception cref="ShapeError">The shapes don't broadcast or the dtypes differ.</exception>
    public Tensor div(Tensor b) => Binary<Quotient, OverRight, MinusLeftOverSquare>.Of("div", this, b);

    /// <summary>The larger of x and y, broadcasting; the gradient goes to x where both are equal. NaN wins.</summary>
    /// <exception cref="ShapeError">The shapes don't broadcast or the dtypes differ.</exception>
    public Tensor max(Tensor b) => Binary<Larger, WhereLeftWins, WhereRightWins>.Of("max", this, b);

    /// <summary>The smaller of x and y, broadcasting; the gradient goes to x where both are equal. NaN wins.</summary>
    /// <exception cref="ShapeError">The shapes don't broadcast or the dtypes differ.</exception>
    public Tensor min(Tensor b) => Binary<Smaller, WhereLeftLoses, WhereRightLoses>.Of("min", this, b);

    internal static void CheckSameDtype(string operation, Tensor a, Tensor b)
    {
        if (a.dtype != b.dtype)
            throw ShapeError.Of(operation, $"{Shape.Text(a.Sizes)} {a.dtype} with {Shape.Text(b.Sizes)} {b.dtype}; dtypes must agree, cast one of them");
        if (a.dtype == Dtype.Int32)
            throw ShapeError.Of(operation, "Int32 tensors hold indices, not numbers; cast to Float32 or Float64 first");
    }

    private readonly struct Sum : IMap2
    {
        public static Vector512<T> Apply<T>(Vector512<T> a, Vector512<T> b)
            where T : unmanaged => a + b;
    }

    private readonly struct Difference : IMap2
    {
        public static Vector512<T> Apply<T>(Vector512<T> a, Vector512<T> b)
            where T : unmanaged => a - b;
    }

    private readonly struct Product : IMap2
    {
        public static Vector512<T> Apply<T>(Vector512<T> a, Vector512<T> b)
            where T : unmanaged => a * b;
    }

    private readonly struct Quotient : IMap2
    {
        public static Vector512<T> Apply<T>(Vector512<T> a, Vector512<T> b)
            where T : unmanaged => a / b;
    }

    private readonly struct Larger : IMap2
    {
        public static Vector512<T> Apply<T>(Vector512<T> a, Vector512<T> b)
            where T : unmanaged => Vector512.Max(a, b);
    }

    private readonly struct Smaller : IMap2
    {
        public static Vector512<T> Apply<T>(Vector512<T> a, Vector512<T> b)
            where T : unmanaged => Vector512.Min(a, b);
    }

    private readonly struct First : IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g;
    }

    private readonly struct Negated : IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => -g;
    }

    private readonly struct TimesLeft : IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g * x;
    }

    private readonly struct TimesRight : IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g * y;
    }

    private readonly struct OverRight : IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g / y;
    }

    private readonly struct MinusLeftOverSquare : IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => -(g / y) * (x / y);
    }

    private readonly struct WhereLeftWins : IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => Vector512.GreaterThanOrEqual(x, y) & g;
    }

    private readonly struct WhereRightWins : IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => Vector512.LessThan(x, y) & g;
    }

    private readonly struct WhereLeftLoses : IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => Vector512.LessThanOrEqual(x, y) & g;
    }

    private readonly struct WhereRightLoses : IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => Vector512.GreaterThan(x, y) & g;
    }

    /// <summary>
    /// value = TValue(a, b), ∂/∂a = TLeft(g, a, b) and ∂/∂b = TRight(g, a, b). Where an operand was broadcast, its gradient
    /// is the sum over all places where it was read.
    /// </summary>
    private sealed class Binary<TValue, TLeft, TRight> : Operation
        where TValue : IMap2
        where TLeft : IMap3
        where TRight : IMap3
    {
        private readonly BroadcastLoop _values;
        private readonly BroadcastLoop _gradients;
        private readonly int[] _leftStrides;
        private readonly int[] _rightStrides;

        private Binary(Tensor a, Tensor b, int[] shape)
            : base(a, b)
        {
            int[] left = Shape.BroadcastStrides(a.Sizes, a.Strides, shape);
            int[] right = Shape.BroadcastStrides(b.Sizes, b.Strides, shape);
            int[] dense = Shape.DenseStrides(shape);
            _leftStrides = GradientStrides(a, shape);
            _rightStrides = GradientStrides(b, shape);
            _values = new BroadcastLoop(shape, left, right, dense);
            _gradients = a.RequiresGradient || b.RequiresGradient
                ? new BroadcastLoop(shape, left, right, dense, _leftStrides, _rightStrides)
                : _values;
        }

        public static Tensor Of(string operation, Tensor a, Tensor b)
        {
            CheckSameDtype(operation, a, b);
            int[] shape = Shape.Broadcast(operation, a.Sizes, b.Sizes);
            return new Binary<TValue, TLeft, TRight>(WithUnitStep(a), WithUnitStep(b), shape).Run(a.dtype, shape);
        }

        protected override PackedRows? Keep(PackedRows rows) => rows == Inputs[0].Packed && rows == Inputs[1].Packed && Inputs[0]._shape[1] == Inputs[1]._shape[1] ? rows : base.Keep(rows);

        protected override void Forward<T>()
        {
            if (Output.Packed is null)
            {
                BroadcastRows.Map2<T, TValue>(_values, Inputs[0].FromFirst<T>(), Inputs[1].FromFirst<T>(), Output.Data<T>());
                return;
            }

            int counted = Output.Packed.Elements(Output);
            Elementwise.Map2<T, TValue>(Inputs[0].Data<T>()[..counted], 1, Inputs[1].Data<T>()[..counted], 1, Output.Data<T>()[..counted]);
        }

        protected override void Backward<T>()
        {
            if (Wants(0)) Contribute<T, TLeft>(0);
            if (Wants(1)) Contribute<T, TRight>(1);
        }

        private static int[] GradientStrides(Tensor x, int[] shape) =>
            Shape.BroadcastStrides(x.Sizes, Shape.DenseStrides(x.Sizes), shape);

        private void Contribute<T, TRule>(int input)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
            where TRule : IMap3
        {
            var g = OutputGradient<T>();
            if (Inputs[input].nelement != Output.nelement)
            {
                ContributeSums<T, TRule>(input, g);
                return;
            }

            var into = InputGradient<T>(input, out bool accumulate);
            if (Output.Packed is { } rows)
            {
                int counted = rows.Elements(Output);
                Elementwise.Map3<T, TRule>(g[..counted], Inputs[0].Data<T>()[..counted], 1, Inputs[1].Data<T>()[..counted], 1, into[..counted], accumulate);
                return;
            }

            BroadcastRows.Map3<T, TRule>(_gradients, g, Inputs[0].FromFirst<T>(), Inputs[1].FromFirst<T>(), into, 3 + input, accumulate);
        }

        /// <summary>
        /// The gradient of a broadcast operand. Where each row of the loop sums to one element and each element has one
        /// row, terms are summed as they are computed. Otherwise they are written out first, since adding rows one after
        /// the other drifts.
        /// </summary>
        private void ContributeSums<T, TRule>(int input, ReadOnlySpan<T> g)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
            where TRule : IMap3
        {
            var into = InputGradientToAdd<T>(input);
            if (g.IsEmpty) return;
            if (_gradients.Rows == Inputs[input].nelement && _gradients.Step(3 + input) == 0)
            {
                BroadcastRows.Sum<T, TRule>(_gradients, g, Inputs[0].FromFirst<T>(), Inputs[1].FromFirst<T>(), into, 3 + input);
                return;
            }

            var terms = g;
            if (typeof(TRule) != typeof(First))
            {
                var written = Scratch.Take<T>(4, g.Length);
                BroadcastRows.Map3<T, TRule>(_gradients, g, Inputs[0].FromFirst<T>(), Inputs[1].FromFirst<T>(), written, 2, accumulate: false);
                terms = written;
            }

            AxisSums.Add(terms, Output.Sizes, input == 0 ? _leftStrides : _rightStrides, into);
        }
    }

    /// <summary>
    /// The tensor, or a copy if the step along its last axis is neither 1 nor 0, since loops over rows know only these
    /// steps.
    /// </summary>
    private static Tensor WithUnitStep(Tensor x)
    {
        for (int axis = x.dim - 1; axis >= 0; axis--)
        {
            if (x._shape[axis] == 1) continue;
            return x._strides[axis] is 0 or 1 ? x : x.contiguous();
        }

        return x;
    }
}
