using System.Runtime.Intrinsics;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Comparisons, which give 0 and 1 in the operands' dtype, and the choice between two tensors by them.</content>
public sealed partial class Tensor
{
    /// <summary>1 where x &lt; y, else 0; no gradient. Comparisons with NaN are 0.</summary>
    /// <exception cref="ShapeError">The shapes don't broadcast or the dtypes differ.</exception>
    public Tensor lt(Tensor b) => Comparison<Less>.Of("lt", this, b);

    /// <summary>1 where x &gt; y, else 0; no gradient. Comparisons with NaN are 0.</summary>
    /// <exception cref="ShapeError">The shapes don't broadcast or the dtypes differ.</exception>
    public Tensor gt(Tensor b) => Comparison<Less>.Of("gt", b, this);

    /// <summary>1 where x ≥ y, else 0; no gradient. Comparisons with NaN are 0.</summary>
    /// <exception cref="ShapeError">The shapes don't broadcast or the dtypes differ.</exception>
    public Tensor ge(Tensor b) => Comparison<LessOrEqual>.Of("ge", b, this);

    /// <summary>1 where x &lt; c, else 0; no gradient.</summary>
    public Tensor lt(double b) => lt(scalar(b, dtype));

    /// <summary>1 where x &gt; c, else 0; no gradient.</summary>
    public Tensor gt(double b) => gt(scalar(b, dtype));

    /// <summary>1 where x ≥ c, else 0; no gradient.</summary>
    public Tensor ge(double b) => ge(scalar(b, dtype));

    /// <summary>
    /// a where this is not 0, else b; all three broadcast. The branch not taken contributes neither value nor gradient,
    /// even where it is NaN. No gradient flows to this tensor.
    /// </summary>
    /// <exception cref="ShapeError">The shapes don't broadcast or the dtypes differ.</exception>
    public Tensor where(Tensor a, Tensor b)
    {
        CheckSameDtype("where", this, a);
        CheckSameDtype("where", a, b);
        int[] target = Shape.Broadcast("where", Sizes, Shape.Broadcast("where", a.Sizes, b.Sizes), () => $"{Shape.Text(Sizes)}, {Shape.Text(a.Sizes)} and {Shape.Text(b.Sizes)}");
        return new Where(Spread(target), a.Spread(target), b.Spread(target)).Run(dtype, target);
    }

    /// <summary>a where this is not 0, else the number.</summary>
    /// <exception cref="ShapeError">The shapes don't broadcast or the dtypes differ.</exception>
    public Tensor where(Tensor a, double b) => where(a, scalar(b, a.dtype));

    /// <summary>This tensor expanded to a shape and made dense.</summary>
    private Tensor Spread(int[] target) =>
        Shape.Same(Sizes, target) ? contiguous() : expand(target).contiguous();

    private readonly struct Less : IMap2
    {
        public static Vector512<T> Apply<T>(Vector512<T> a, Vector512<T> b)
            where T : unmanaged => Vector512.LessThan(a, b) & Vector512<T>.One;
    }

    private readonly struct LessOrEqual : IMap2
    {
        public static Vector512<T> Apply<T>(Vector512<T> a, Vector512<T> b)
            where T : unmanaged => Vector512.LessThanOrEqual(a, b) & Vector512<T>.One;
    }

    private readonly struct Select : IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => Vector512.ConditionalSelect(Vector512.Equals(g, Vector512<T>.Zero), y, x);
    }

    private readonly struct WhereNotZero : IMap2
    {
        public static Vector512<T> Apply<T>(Vector512<T> a, Vector512<T> b)
            where T : unmanaged => Vector512.AndNot(b, Vector512.Equals(a, Vector512<T>.Zero));
    }

    private readonly struct WhereZero : IMap2
    {
        public static Vector512<T> Apply<T>(Vector512<T> a, Vector512<T> b)
            where T : unmanaged => Vector512.Equals(a, Vector512<T>.Zero) & b;
    }

    private sealed class Where(Tensor condition, Tensor a, Tensor b) : Operation(condition.noDiff(), a, b)
    {
        protected override void Forward<T>() =>
            Elementwise.Map3<T, Select>(Inputs[0].Data<T>(), Inputs[1].Data<T>(), 1, Inputs[2].Data<T>(), 1, Output.Data<T>(), accumulate: false);

        protected override void Backward<T>()
        {
            var condition = Inputs[0].Data<T>();
            var g = OutputGradient<T>();
            if (Wants(1)) Elementwise.Map2<T, WhereNotZero>(condition, 1, g, 1, InputGradient<T>(1, out bool left), left);
            if (Wants(2)) Elementwise.Map2<T, WhereZero>(condition, 1, g, 1, InputGradient<T>(2, out bool right), right);
        }
    }

    private sealed class Comparison<TValue> : CutOperation
        where TValue : IMap2
    {
        private readonly BroadcastLoop _loop;

        private Comparison(Tensor a, Tensor b, int[] shape)
            : base(a, b) =>
            _loop = new BroadcastLoop(
                shape,
                Shape.BroadcastStrides(a.Sizes, a.Strides, shape),
                Shape.BroadcastStrides(b.Sizes, b.Strides, shape),
                Shape.DenseStrides(shape));

        public static Tensor Of(string operation, Tensor a, Tensor b)
        {
            CheckSameDtype(operation, a, b);
            int[] shape = Shape.Broadcast(operation, a.Sizes, b.Sizes);
            return new Comparison<TValue>(WithUnitStep(a), WithUnitStep(b), shape).Run(a.dtype, shape);
        }

        protected override void Forward<T>() => BroadcastRows.Map2<T, TValue>(_loop, Inputs[0].FromFirst<T>(), Inputs[1].FromFirst<T>(), Output.Data<T>());
    }
}
