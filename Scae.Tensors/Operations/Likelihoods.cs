using System;
using System.Runtime.Intrinsics;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Logarithms of likelihoods, element by element, each in one operation.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// log p(x) of a Bernoulli variable with success probability σ(logit): x·l − log(1 + eˡ), stable for any l; x may be
    /// any number in [0, 1]. Broadcasts.
    /// </summary>
    /// <exception cref="ShapeError">The shapes don't broadcast or the dtypes differ.</exception>
    public Tensor bernoulliLogLikelihood(Tensor logits) =>
        Binary<BernoulliValue, TimesRight, BernoulliLogitSlope>.Of("bernoulliLogLikelihood", this, logits);

    /// <summary>
    /// log p(x) of a normal variable: −½((x − μ)/σ)² − log σ − ½ log 2π. Broadcasts; σ must be positive.
    /// </summary>
    /// <exception cref="ShapeError">The shapes don't broadcast or the dtypes differ.</exception>
    public Tensor gaussianLogLikelihood(Tensor mean, Tensor sigma)
    {
        CheckSameDtype("gaussianLogLikelihood", this, mean);
        CheckSameDtype("gaussianLogLikelihood", mean, sigma);
        int[] target = Shape.Broadcast("gaussianLogLikelihood", Shape.Broadcast("gaussianLogLikelihood", Sizes, mean.Sizes), sigma.Sizes, () => $"{Shape.Text(Sizes)}, {Shape.Text(mean.Sizes)} and {Shape.Text(sigma.Sizes)}");
        return new GaussianLogLikelihood(Spread(target), mean.Spread(target), sigma.Spread(target)).Run(dtype, target);
    }

    /// <summary>The same with one σ for all.</summary>
    /// <exception cref="ShapeError">The shapes don't broadcast or the dtypes differ.</exception>
    public Tensor gaussianLogLikelihood(Tensor mean, double sigma) => gaussianLogLikelihood(mean, scalar(sigma, dtype));

    private readonly struct BernoulliValue : IMap2
    {
        public static Vector512<T> Apply<T>(Vector512<T> a, Vector512<T> b)
            where T : unmanaged
        {
            // x·l − max(l, 0) is exact for x of 0 or 1, and the rest is as precise as log(1 + e^−|l|).
            var (zero, far) = (Vector512<T>.Zero, Vector512.Abs(b));
            var value = (a * b) - Vector512.ConditionalSelect(Vector512.LessThan(b, zero), zero, b) - Lanes.Softplus(-far);

            // For an infinite l the value is (x − σ(l))·l, or 0 where x = σ(l). The formula above would give ∞ − ∞ or 0·∞.
            var miss = a - Vector512.ConditionalSelect(Vector512.GreaterThan(b, zero), Vector512<T>.One, zero);
            var sure = Vector512.ConditionalSelect(Vector512.Equals(miss, zero), zero, miss * b);
            return Vector512.ConditionalSelect(Vector512.Equals(far, Lanes.Constant<T>(double.PositiveInfinity)), sure, value);
        }
    }

    private readonly struct BernoulliLogitSlope : IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => g * (x - Lanes.Sigmoid(y));
    }

    private readonly struct GaussianValue : IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged
        {
            var z = (g - x) / y;
            var half = Vector512<T>.One / (Vector512<T>.One + Vector512<T>.One);
            return -(half * z * z) - Lanes.Log(y) - Lanes.Constant<T>(0.91893853320467274178);
        }
    }

    private readonly struct GaussianMeanSlope : IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => (g - x) / y / y;
    }

    private readonly struct GaussianSigmaSlope : IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged
        {
            var z = (g - x) / y;
            return ((z * z) - Vector512<T>.One) / y;
        }
    }

    /// <summary>∂μ = (x − μ)/σ² = −∂x, ∂σ = (((x − μ)/σ)² − 1)/σ.</summary>
    private sealed class GaussianLogLikelihood(Tensor x, Tensor mean, Tensor sigma) : Operation(x, mean, sigma)
    {
        protected override void Forward<T>() => Map<T, GaussianValue>(Output.Data<T>());

        protected override void Backward<T>()
        {
            var slope = Scratch.Take<T>(4, Output.nelement);
            if (Wants(0) || Wants(1)) Map<T, GaussianMeanSlope>(slope);
            if (Wants(0)) Elementwise.Map3<T, MinusProduct>(OutputGradient<T>(), slope, 1, slope, 1, InputGradient<T>(0, out bool first), first);
            if (Wants(1)) Elementwise.Map3<T, TimesLeft>(OutputGradient<T>(), slope, 1, slope, 1, InputGradient<T>(1, out bool second), second);
            if (!Wants(2)) return;
            Map<T, GaussianSigmaSlope>(slope);
            Elementwise.Map3<T, TimesLeft>(OutputGradient<T>(), slope, 1, slope, 1, InputGradient<T>(2, out bool third), third);
        }

        private void Map<T, TMap>(Span<T> destination)
            where T : unmanaged
            where TMap : IMap3 =>
            Elementwise.Map3<T, TMap>(Inputs[0].Data<T>(), Inputs[1].Data<T>(), 1, Inputs[2].Data<T>(), 1, destination, accumulate: false);
    }

    private readonly struct MinusProduct : IMap3
    {
        public static Vector512<T> Apply<T>(Vector512<T> g, Vector512<T> x, Vector512<T> y)
            where T : unmanaged => -(g * x);
    }
}
