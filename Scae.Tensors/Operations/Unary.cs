using System;
using System.Runtime.Intrinsics;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Elementwise functions of one tensor. NaN gives NaN; the domain's edges behave as IEEE 754 has it.</content>
public sealed partial class Tensor
{
    /// <summary>|x|; gradient 0 at 0.</summary>
    public Tensor abs() => Unary<Abs>.Of("abs", this);

    /// <summary>eˣ.</summary>
    public Tensor exp() => Unary<Exp>.Of("exp", this);

    /// <summary>The natural logarithm; −∞ at 0.</summary>
    public Tensor log() => Unary<Log>.Of("log", this);

    /// <summary>log(1 + x), exact for small x too; −∞ at −1.</summary>
    public Tensor log1p() => Unary<LogOnePlus>.Of("log1p", this);

    /// <summary>eˣ − 1, exact for small x too.</summary>
    public Tensor expm1() => Unary<ExpMinusOne>.Of("expm1", this);

    /// <summary>The natural logarithm of max(x, ε), so that it is finite at 0; no gradient below ε.</summary>
    public Tensor safelog(double epsilon = 1e-12) => clamp(epsilon, double.PositiveInfinity).log();

    /// <summary>√x; its gradient is ∞ at 0.</summary>
    public Tensor sqrt() => Unary<Sqrt>.Of("sqrt", this);

    /// <summary>1 / (1 + e⁻ˣ).</summary>
    public Tensor sigmoid() => Unary<Sigmoid>.Of("sigmoid", this);

    /// <summary>max(x, 0); gradient 0 at 0.</summary>
    public Tensor relu() => Unary<Relu>.Of("relu", this);

    /// <summary>log(1 + eˣ), computed so that large |x| neither overflows nor vanishes.</summary>
    public Tensor softplus() => Unary<Softplus>.Of("softplus", this);

    /// <summary>x limited to [low, high]; no gradient outside.</summary>
    /// <exception cref="ArgumentException">low is above high.</exception>
    public Tensor clamp(double low, double high)
    {
        if (!(low <= high)) throw new ArgumentException($"clamp: low {low} is above high {high}");
        RefuseIntegers("clamp", this);
        return new Clamp(contiguous(), low, high).Run(dtype, shape);
    }

    private readonly struct Abs : IMap1, IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> x)
            where T : unmanaged => Vector512.Abs(x);

        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged =>
            (Vector512.GreaterThan(x, Vector512<T>.Zero) & g) - (Vector512.LessThan(x, Vector512<T>.Zero) & g);
    }

    private readonly struct Exp : IMap1, IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> x)
            where T : unmanaged => Lanes.Exp(x);

        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g * y;
    }

    private readonly struct Log : IMap1, IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> x)
            where T : unmanaged => Lanes.Log(x);

        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g / x;
    }

    private readonly struct Sqrt : IMap1, IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> x)
            where T : unmanaged => Vector512.Sqrt(x);

        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g / (y + y);
    }

    private readonly struct LogOnePlus : IMap1, IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> x)
            where T : unmanaged => Lanes.LogOnePlus(x);

        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g / (Vector512<T>.One + x);
    }

    private readonly struct ExpMinusOne : IMap1, IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> x)
            where T : unmanaged => Lanes.ExpMinusOne(x);

        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g * Lanes.Exp(x);
    }

    private readonly struct Sigmoid : IMap1, IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> x)
            where T : unmanaged => Lanes.Sigmoid(x);

        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g * y * (Vector512<T>.One - y);
    }

    private readonly struct Relu : IMap1, IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> x)
            where T : unmanaged => Vector512.Max(x, Vector512<T>.Zero);

        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => Vector512.GreaterThan(y, Vector512<T>.Zero) & g;
    }

    private readonly struct Softplus : IMap1, IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> x)
            where T : unmanaged => Lanes.Softplus(x);

        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g * Lanes.Sigmoid(x);
    }

    /// <summary>A function whose value is a map of x, and whose backward rule is one of gradient, x and y.</summary>
    private sealed class Unary<TFunction>(Tensor x) : Operation(x)
        where TFunction : IMap1, IMap3
    {
        public static Tensor Of(string operation, Tensor x)
        {
            RefuseIntegers(operation, x);
            return new Unary<TFunction>(x.contiguous()).Run(x.dtype, x.shape);
        }

        protected override void Forward<T>() => Elementwise.Map1<T, TFunction>(Inputs[0].Data<T>(), Output.Data<T>());

        protected override void Backward<T>()
        {
            if (!Wants(0)) return;
            var into = InputGradient<T>(0, out bool accumulate);
            Elementwise.Map3<T, TFunction>(OutputGradient<T>(), Inputs[0].Data<T>(), 1, Output.Data<T>(), 1, into, accumulate);
        }
    }

    private sealed class Clamp(Tensor x, double low, double high) : Operation(x)
    {
        protected override void Forward<T>() =>
            Elementwise.Map3<T, Limited>(Inputs[0].Data<T>(), [T.CreateChecked(low)], 0, [T.CreateChecked(high)], 0, Output.Data<T>(), accumulate: false);

        protected override void Backward<T>()
        {
            if (!Wants(0)) return;
            var into = InputGradient<T>(0, out bool accumulate);
            Elementwise.Map3<T, WhereKept>(OutputGradient<T>(), Inputs[0].Data<T>(), 1, Output.Data<T>(), 1, into, accumulate);
        }

        private readonly struct Limited : IMap3
        {
            public static Vector512<T> Apply<T>(Vector512<T> x, Vector512<T> low, Vector512<T> high)
                where T : unmanaged => Vector512.Min(Vector512.Max(x, low), high);
        }

        /// <summary>The gradient passes where the bounds left x as it was, but not at NaN.</summary>
        private readonly struct WhereKept : IMap3
        {
            public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
                where T : unmanaged => Vector512.Equals(x, y) & g;
        }
    }
}
