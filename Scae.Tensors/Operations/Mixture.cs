using System;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>
/// Bernoulli mixtures of binary images, with one operation for each thing that expectation maximization needs. With x in
/// {0, 1}, the probability of a pixel is p_k = x·μ_k + (1 − x)·(1 − μ_k), so no slot needs an exponential or a logarithm.
/// </content>
public sealed partial class Tensor
{
    /// <summary>
    /// Responsibilities γ_k = (p_k + floor) / Σ_j (p_j + floor), with p limited to [clip, 1 − clip]: means μ [b, k, d] and
    /// binary x [b, d] → [b, k, d], which sum to 1 over k; NaN where every p is 0, for which clip and floor must be 0. No
    /// gradient flows where p is limited, nor to x.
    /// </summary>
    /// <exception cref="ShapeError">The shapes aren't of that form or the dtypes differ.</exception>
    /// <exception cref="ArgumentException">clip isn't in [0, ½), or floor is negative or infinite.</exception>
    public Tensor bernoulliResponsibilities(Tensor x, double clip = 1e-6, double floor = 0)
    {
        CheckMixture("bernoulliResponsibilities", this, x);
        CheckClip("bernoulliResponsibilities", clip, floor);
        return new ResponsibilitiesOperation(contiguous(), x.contiguous(), clip, floor).Run(dtype, shape);
    }

    /// <summary>
    /// The log-likelihood of each pixel under slots of equal weight, log((1/k)·Σ_j p_j), with p limited to
    /// [clip, 1 − clip]: means μ [b, k, d] and binary x [b, d] → [b, d]. No gradient flows where p is limited, nor to x.
    /// </summary>
    /// <exception cref="ShapeError">The shapes aren't of that form or the dtypes differ.</exception>
    /// <exception cref="ArgumentException">clip isn't in [0, ½).</exception>
    public Tensor bernoulliMixture(Tensor x, double clip = 1e-6)
    {
        CheckMixture("bernoulliMixture", this, x);
        CheckClip("bernoulliMixture", clip);
        return new MixtureOperation(contiguous(), x.contiguous(), clip).Run(dtype, x.shape);
    }

    /// <summary>
    /// γ_k·(x̃ − μ_k), where γ are the responsibilities of <see cref="bernoulliResponsibilities"/> for the image x, which
    /// are never stored: means μ [b, k, d], binary x [b, d], x̃ [b, d] → [b, k, d]. No gradient flows to x and x̃. It flows
    /// to μ through γ only when <paramref name="throughResponsibilities"/>.
    /// </summary>
    /// <exception cref="ShapeError">The shapes aren't of that form or the dtypes differ.</exception>
    /// <exception cref="ArgumentException">clip isn't in [0, ½).</exception>
    public Tensor bernoulliResidual(Tensor x, Tensor input, double clip = 1e-6, double floor = 0, bool throughResponsibilities = true)
    {
        CheckMixture("bernoulliResidual", this, x);
        CheckMixture("bernoulliResidual", this, input);
        CheckClip("bernoulliResidual", clip, floor);
        return new BernoulliResidualOperation(contiguous(), x.contiguous(), input.contiguous(), clip, floor, throughResponsibilities).Run(dtype, shape);
    }

    /// <summary>
    /// What slots pay for the pixels that they answer for and for those that they don't, summed over slots and pixels: Σ
    /// −γ·log p − λ·(1 − γ)·log(1 − μ), with p and 1 − μ limited to [clip, 1 − clip]: means μ and responsibilities γ
    /// [b, k, d], binary x [b, d] → [b]. No gradient flows where a probability is limited, nor to x.
    /// </summary>
    /// <exception cref="ShapeError">The shapes aren't of that form or the dtypes differ.</exception>
    /// <exception cref="ArgumentException">clip isn't in [0, ½).</exception>
    public Tensor bernoulliSlotLoss(Tensor gamma, Tensor x, double lambda = 1, double clip = 1e-6)
    {
        CheckMixture("bernoulliSlotLoss", this, x);
        CheckClip("bernoulliSlotLoss", clip);
        CheckSameShape("bernoulliSlotLoss", this, gamma);
        return new SlotLossOperation(contiguous(), gamma.contiguous(), x.contiguous(), lambda, clip).Run(dtype, [_shape[0]]);
    }

    private static void CheckMixture(string operation, Tensor means, Tensor x)
    {
        CheckSameDtype(operation, means, x);
        if (means.dim != 3 || x.dim != 2 || means._shape[0] != x._shape[0] || means._shape[2] != x._shape[1] || means._shape[1] == 0)
            throw ShapeError.Of(operation, $"means {Shape.Text(means.Sizes)}, image {Shape.Text(x.Sizes)}; needs [b, k, d] and [b, d] with k > 0");
    }

    private static void CheckClip(string operation, double clip, double floor = 0)
    {
        if (!(floor >= 0 && double.IsFinite(floor))) throw new ArgumentException($"{operation}: floor {floor}; must be finite and at least 0");
        if (!(clip >= 0 && clip < 0.5)) throw new ArgumentException($"{operation}: clip {clip}; must be at least 0 and below 0.5");
    }

    private static void CheckSameShape(string operation, Tensor means, Tensor gamma)
    {
        CheckSameDtype(operation, means, gamma);
        if (!means.Sizes.SequenceEqual(gamma.Sizes))
            throw ShapeError.Of(operation, $"means {Shape.Text(means.Sizes)}, responsibilities {Shape.Text(gamma.Sizes)}; both must agree");
    }

    /// <summary>Walks the pixels of [b, k, d] in vectors, all slots of a pixel together.</summary>
    private abstract class SlotOperation(Tensor[] inputs, double clip) : Operation(inputs)
    {
        protected int Images => Inputs[0]._shape[0];

        protected int Slots => Inputs[0]._shape[1];

        protected int Pixels => Inputs[0]._shape[2];

        protected Vector512<T> Least<T>()
            where T : unmanaged, INumberBase<T> => Vector512.Create(T.CreateChecked(clip));

        protected Vector512<T> Most<T>()
            where T : unmanaged, INumberBase<T> => Vector512.Create(T.CreateChecked(1 - clip));

        /// <summary>How many of the inputs, from the first, get a gradient.</summary>
        protected virtual int Differentiable => 1;

        private bool IsLong => Inputs[0].nelement >= Sharing.ManyElements;

        protected sealed override void Forward<T>()
        {
            if (Pixels % Vector512<T>.Count == 0) Sharing.Run(new ForwardImages<T, Whole>(this), Images, IsLong);
            else Sharing.Run(new ForwardImages<T, Ragged>(this), Images, IsLong);
        }

        protected sealed override void Backward<T>()
        {
            bool addFirst = true, addSecond = true;
            if (Wants(0)) InputGradient<T>(0, out addFirst);
            if (Differentiable > 1 && Wants(1)) InputGradient<T>(1, out addSecond);
            if (Pixels % Vector512<T>.Count == 0) Sharing.Run(new BackwardImages<T, Whole>(this, addFirst, addSecond), Images, IsLong);
            else Sharing.Run(new BackwardImages<T, Ragged>(this, addFirst, addSecond), Images, IsLong);
        }

        /// <summary>The forward rule for images from, …, to − 1.</summary>
        protected abstract void Forward<T, TEnds>(int from, int to)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>;

        /// <summary>
        /// The backward rule for images from, …, to − 1. It adds to the gradients of the first and second input, or
        /// overwrites them.
        /// </summary>
        protected abstract void Backward<T, TEnds>(int from, int to, bool addFirst, bool addSecond)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>;

        protected Span<T> GradientOf<T>(int input)
            where T : unmanaged => Inputs[input].Gradient!.Span<T>();

        private readonly struct ForwardImages<T, TEnds>(SlotOperation operation) : IRange
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            public void Run(int from, int to) => operation.Forward<T, TEnds>(from, to);
        }

        private readonly struct BackwardImages<T, TEnds>(SlotOperation operation, bool addFirst, bool addSecond) : IRange
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            public void Run(int from, int to) => operation.Backward<T, TEnds>(from, to, addFirst, addSecond);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        protected static Vector512<T> Load<T, TEnds>(ReadOnlySpan<T> all, int at, int left)
            where T : unmanaged =>
            typeof(TEnds) == typeof(Whole) || left >= Vector512<T>.Count ? Vector512.LoadUnsafe(ref MemoryMarshal.GetReference(all), (nuint)at) : Lanes.LoadPart(all.Slice(at, left));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        protected static void Store<T, TEnds>(Vector512<T> lanes, Span<T> all, int at, int left)
            where T : unmanaged
        {
            if (typeof(TEnds) == typeof(Whole) || left >= Vector512<T>.Count) lanes.StoreUnsafe(ref MemoryMarshal.GetReference(all), (nuint)at);
            else Lanes.StorePart(lanes, all.Slice(at, left));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        protected static void Store<T, TEnds>(Vector512<T> lanes, Span<T> all, int at, int left, bool accumulate)
            where T : unmanaged =>
            Store<T, TEnds>(accumulate ? lanes + Load<T, TEnds>(all, at, left) : lanes, all, at, left);

        /// <summary>
        /// Marks a loop over rows of whole vectors: it has no code for their ends, which would take registers from the
        /// loop.
        /// </summary>
        protected readonly struct Whole;

        /// <summary>Marks a loop over rows whose last vector may reach beyond their end.</summary>
        protected readonly struct Ragged;

        /// <summary>p = μ·(2x − 1) + (1 − x), before it is limited.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        protected static Vector512<T> Probability<T>(Vector512<T> mean, Vector512<T> sign, Vector512<T> x)
            where T : unmanaged => (mean * sign) + (Vector512<T>.One - x);

        /// <summary>2x − 1, which is also ∂p/∂μ.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        protected static Vector512<T> Sign<T>(Vector512<T> x)
            where T : unmanaged => x + x - Vector512<T>.One;

        // One instruction each; p stands second because a comparison with NaN yields the second operand.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        protected static Vector512<T> Limit<T>(Vector512<T> p, Vector512<T> least, Vector512<T> most)
            where T : unmanaged => Vector512.MinNative(most, Vector512.MaxNative(least, p));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        protected static Vector512<T> Inside<T>(Vector512<T> p, Vector512<T> least, Vector512<T> most)
            where T : unmanaged => Vector512.GreaterThanOrEqual(p, least) & Vector512.LessThanOrEqual(p, most);
    }

    private sealed class ResponsibilitiesOperation(Tensor means, Tensor x, double clip, double floor) : SlotOperation([means, x], clip)
    {
        protected override void Forward<T, TEnds>(int from, int to)
        {
            ReadOnlySpan<T> means = Inputs[0].Data<T>(), image = Inputs[1].Data<T>();
            var gamma = Output.Data<T>();
            int k = Slots, d = Pixels;
            Vector512<T> least = Least<T>(), most = Most<T>(), extra = Vector512.Create(T.CreateChecked(floor));
            for (int b = from; b < to; b++)
            {
                for (int i = 0; i < d; i += Vector512<T>.Count)
                {
                    int at = (b * k * d) + i, left = d - i;
                    var x = Load<T, TEnds>(image, (b * d) + i, left);
                    var sign = Sign(x);
                    var sum = Vector512<T>.Zero;
                    for (int s = 0; s < k; s++)
                    {
                        var p = Limit(Probability(Load<T, TEnds>(means, at + (s * d), left), sign, x), least, most) + extra;
                        sum += p;
                        Store<T, TEnds>(p, gamma, at + (s * d), left);
                    }

                    // One division a pixel instead of one a slot.
                    var share = Vector512<T>.One / sum;
                    for (int s = 0; s < k; s++) Store<T, TEnds>(Load<T, TEnds>(gamma, at + (s * d), left) * share, gamma, at + (s * d), left);
                }
            }
        }

        // ∂L/∂p_k = (g_k − Σ_j g_j·γ_j) / Σ_j p_j.
        protected override void Backward<T, TEnds>(int from, int to, bool addFirst, bool addSecond)
        {
            if (!Wants(0)) return;
            ReadOnlySpan<T> means = Inputs[0].Data<T>(), image = Inputs[1].Data<T>(), gamma = Output.Data<T>(), g = OutputGradient<T>();
            var into = GradientOf<T>(0);
            int k = Slots, d = Pixels;
            Vector512<T> least = Least<T>(), most = Most<T>(), extra = Vector512.Create(T.CreateChecked(floor));
            for (int b = from; b < to; b++)
            {
                for (int i = 0; i < d; i += Vector512<T>.Count)
                {
                    int at = (b * k * d) + i, left = d - i;
                    var x = Load<T, TEnds>(image, (b * d) + i, left);
                    var sign = Sign(x);
                    Vector512<T> sum = Vector512<T>.Zero, mean = Vector512<T>.Zero;
                    for (int s = 0; s < k; s++)
                    {
                        sum += Limit(Probability(Load<T, TEnds>(means, at + (s * d), left), sign, x), least, most) + extra;
                        mean += Load<T, TEnds>(g, at + (s * d), left) * Load<T, TEnds>(gamma, at + (s * d), left);
                    }

                    var factor = sign / sum;
                    for (int s = 0; s < k; s++)
                    {
                        var inside = Inside(Probability(Load<T, TEnds>(means, at + (s * d), left), sign, x), least, most);
                        Store<T, TEnds>(inside & ((Load<T, TEnds>(g, at + (s * d), left) - mean) * factor), into, at + (s * d), left, addFirst);
                    }
                }
            }
        }
    }

    private sealed class MixtureOperation(Tensor means, Tensor x, double clip) : SlotOperation([means, x], clip)
    {
        protected override void Forward<T, TEnds>(int from, int to)
        {
            ReadOnlySpan<T> means = Inputs[0].Data<T>(), image = Inputs[1].Data<T>();
            var y = Output.Data<T>();
            int k = Slots, d = Pixels;
            Vector512<T> least = Least<T>(), most = Most<T>(), slots = Vector512.Create(T.CreateChecked(k));
            for (int b = from; b < to; b++)
            {
                for (int i = 0; i < d; i += Vector512<T>.Count)
                {
                    int at = (b * k * d) + i, left = d - i;
                    var sum = Sum<T, TEnds>(means, image, at, b, i, left, least, most, out _);
                    Store<T, TEnds>(Lanes.Log(sum / slots), y, (b * d) + i, left);
                }
            }
        }

        protected override void Backward<T, TEnds>(int from, int to, bool addFirst, bool addSecond)
        {
            if (!Wants(0)) return;
            ReadOnlySpan<T> means = Inputs[0].Data<T>(), image = Inputs[1].Data<T>(), g = OutputGradient<T>();
            var into = GradientOf<T>(0);
            int k = Slots, d = Pixels;
            Vector512<T> least = Least<T>(), most = Most<T>();
            for (int b = from; b < to; b++)
            {
                for (int i = 0; i < d; i += Vector512<T>.Count)
                {
                    int at = (b * k * d) + i, left = d - i;
                    var sum = Sum<T, TEnds>(means, image, at, b, i, left, least, most, out var x);
                    var sign = Sign(x);
                    var gradient = Load<T, TEnds>(g, (b * d) + i, left) * sign / sum;
                    for (int s = 0; s < k; s++)
                    {
                        var inside = Inside(Probability(Load<T, TEnds>(means, at + (s * d), left), sign, x), least, most);
                        Store<T, TEnds>(inside & gradient, into, at + (s * d), left, addFirst);
                    }
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private Vector512<T> Sum<T, TEnds>(ReadOnlySpan<T> means, ReadOnlySpan<T> image, int at, int b, int i, int left, Vector512<T> least, Vector512<T> most, out Vector512<T> x)
            where T : unmanaged
        {
            int k = Slots, d = Pixels;
            x = Load<T, TEnds>(image, (b * d) + i, left);
            var sign = Sign(x);
            var sum = Vector512<T>.Zero;
            for (int s = 0; s < k; s++) sum += Limit(Probability(Load<T, TEnds>(means, at + (s * d), left), sign, x), least, most);
            return sum;
        }
    }

    private sealed class BernoulliResidualOperation(Tensor means, Tensor x, Tensor input, double clip, double floor, bool through) : SlotOperation([means, x, input], clip)
    {
        protected override void Forward<T, TEnds>(int from, int to)
        {
            ReadOnlySpan<T> means = Inputs[0].Data<T>(), target = Inputs[1].Data<T>(), input = Inputs[2].Data<T>();
            var y = Output.Data<T>();
            int k = Slots, d = Pixels;
            Vector512<T> least = Least<T>(), most = Most<T>(), extra = Vector512.Create(T.CreateChecked(floor));
            for (int b = from; b < to; b++)
            {
                for (int i = 0; i < d; i += Vector512<T>.Count)
                {
                    int at = (b * k * d) + i, left = d - i;
                    Vector512<T> x = Load<T, TEnds>(target, (b * d) + i, left), seen = Load<T, TEnds>(input, (b * d) + i, left), sign = Sign(x), sum = Vector512<T>.Zero;
                    for (int s = 0; s < k; s++) sum += Limit(Probability(Load<T, TEnds>(means, at + (s * d), left), sign, x), least, most) + extra;
                    var share = Vector512<T>.One / sum;
                    for (int s = 0; s < k; s++)
                    {
                        var mean = Load<T, TEnds>(means, at + (s * d), left);
                        Store<T, TEnds>((Limit(Probability(mean, sign, x), least, most) + extra) * share * (seen - mean), y, at + (s * d), left);
                    }
                }
            }
        }

        // With a_k = g_k·(x̃ − μ_k): ∂L/∂μ_k = −g_k·γ_k + (a_k − Σ_j a_j·γ_j) / Σ_j p_j · ∂p_k/∂μ_k.
        protected override void Backward<T, TEnds>(int from, int to, bool addFirst, bool addSecond)
        {
            if (!Wants(0)) return;
            ReadOnlySpan<T> means = Inputs[0].Data<T>(), target = Inputs[1].Data<T>(), input = Inputs[2].Data<T>(), g = OutputGradient<T>();
            var into = GradientOf<T>(0);
            int k = Slots, d = Pixels;
            Vector512<T> least = Least<T>(), most = Most<T>(), extra = Vector512.Create(T.CreateChecked(floor));
            for (int b = from; b < to; b++)
            {
                for (int i = 0; i < d; i += Vector512<T>.Count)
                {
                    int at = (b * k * d) + i, left = d - i;
                    Vector512<T> x = Load<T, TEnds>(target, (b * d) + i, left), seen = Load<T, TEnds>(input, (b * d) + i, left), sign = Sign(x);
                    Vector512<T> sum = Vector512<T>.Zero, mean = Vector512<T>.Zero;
                    for (int s = 0; s < k; s++)
                    {
                        var mu = Load<T, TEnds>(means, at + (s * d), left);
                        var p = Limit(Probability(mu, sign, x), least, most) + extra;
                        sum += p;
                        mean += Load<T, TEnds>(g, at + (s * d), left) * (seen - mu) * p;
                    }

                    var share = Vector512<T>.One / sum;
                    mean *= share;
                    var factor = through ? sign * share : Vector512<T>.Zero;
                    for (int s = 0; s < k; s++)
                    {
                        Vector512<T> mu = Load<T, TEnds>(means, at + (s * d), left), gradient = Load<T, TEnds>(g, at + (s * d), left), p = Probability(mu, sign, x);
                        var gamma = (Limit(p, least, most) + extra) * share;
                        var throughGamma = Inside(p, least, most) & (((gradient * (seen - mu)) - mean) * factor);
                        Store<T, TEnds>(throughGamma - (gradient * gamma), into, at + (s * d), left, addFirst);
                    }
                }
            }
        }
    }

    private sealed class SlotLossOperation(Tensor means, Tensor gamma, Tensor x, double lambda, double clip) : SlotOperation([means, gamma, x], clip)
    {
        protected override int Differentiable => 2;

        protected override void Forward<T, TEnds>(int from, int to)
        {
            ReadOnlySpan<T> means = Inputs[0].Data<T>(), gamma = Inputs[1].Data<T>(), image = Inputs[2].Data<T>();
            var y = Output.Data<T>();
            int k = Slots, d = Pixels;
            Vector512<T> least = Least<T>(), most = Most<T>(), other = Vector512.Create(T.CreateChecked(lambda));
            var part = Scratch.Take<T>(0, Vector512<T>.Count);
            for (int b = from; b < to; b++)
            {
                Vector512<double> lower = default, upper = default;
                for (int row = b * k; row < (b + 1) * k; row++)
                {
                    for (int i = 0; i < d; i += Vector512<T>.Count)
                    {
                        int at = (row * d) + i, left = d - i;
                        Vector512<T> x = Load<T, TEnds>(image, (b * d) + i, left), mean = Load<T, TEnds>(means, at, left), own = Load<T, TEnds>(gamma, at, left);
                        var p = Limit(Probability(mean, Sign(x), x), least, most);
                        var dark = Limit(Vector512<T>.One - mean, least, most);
                        var loss = -(own * Lanes.Log(p)) - (other * (Vector512<T>.One - own) * Lanes.Log(dark));
                        if (left < Vector512<T>.Count)
                        {
                            // Lanes beyond the row hold the loss of an image of zeros, which must not count.
                            part.Clear();
                            Lanes.StorePart(loss, part[..left]);
                            loss = Load<T, TEnds>(part, 0, Vector512<T>.Count);
                        }

                        Reduce.Add(loss, ref lower, ref upper);
                    }
                }

                y[b] = Reduce.Narrow<T>(Lanes.Sum(lower + upper));
            }
        }

        protected override void Backward<T, TEnds>(int from, int to, bool addFirst, bool addSecond)
        {
            ReadOnlySpan<T> means = Inputs[0].Data<T>(), gamma = Inputs[1].Data<T>(), image = Inputs[2].Data<T>(), g = OutputGradient<T>();
            int k = Slots, d = Pixels;
            Vector512<T> least = Least<T>(), most = Most<T>(), other = Vector512.Create(T.CreateChecked(lambda));
            if (Wants(0))
            {
                var into = GradientOf<T>(0);
                for (int row = from * k; row < to * k; row++)
                {
                    var scale = Vector512.Create(g[row / k]);
                    for (int i = 0; i < d; i += Vector512<T>.Count)
                    {
                        int at = (row * d) + i, left = d - i;
                        Vector512<T> x = Load<T, TEnds>(image, (row / k * d) + i, left), mean = Load<T, TEnds>(means, at, left), own = Load<T, TEnds>(gamma, at, left);
                        var sign = Sign(x);
                        Vector512<T> p = Probability(mean, sign, x), dark = Vector512<T>.One - mean;
                        var pays = Inside(p, least, most) & (own * sign / p);
                        var elsewhere = Inside(dark, least, most) & (other * (Vector512<T>.One - own) / dark);
                        Store<T, TEnds>(scale * (elsewhere - pays), into, at, left, addFirst);
                    }
                }
            }

            if (Wants(1))
            {
                var into = GradientOf<T>(1);
                for (int row = from * k; row < to * k; row++)
                {
                    var scale = Vector512.Create(g[row / k]);
                    for (int i = 0; i < d; i += Vector512<T>.Count)
                    {
                        int at = (row * d) + i, left = d - i;
                        Vector512<T> x = Load<T, TEnds>(image, (row / k * d) + i, left), mean = Load<T, TEnds>(means, at, left);
                        var p = Limit(Probability(mean, Sign(x), x), least, most);
                        var dark = Limit(Vector512<T>.One - mean, least, most);
                        Store<T, TEnds>(scale * ((other * Lanes.Log(dark)) - Lanes.Log(p)), into, at, left, addSecond);
                    }
                }
            }
        }
    }
}
