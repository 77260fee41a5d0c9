using System;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Scae.Tensors;

public readonly partial struct Key
{
    // 4 KiB of words: they are transformed while they are in the first-level cache.
    private const int ChunkLength = 1024;

    /// <summary>Fills a span with uniformly distributed 32-bit words.</summary>
    public void FillBits(Span<uint> destination) => FillWords(destination, 0, Purpose.Words);

    /// <summary>
    /// Fills a span with values uniform in [<paramref name="lo"/>, <paramref name="hi"/>): lo + (hi − lo)·m·2⁻²⁴ for a
    /// uniform 24-bit m, rounded down where it would round to hi. When lo = hi, every value is lo.
    /// </summary>
    /// <exception cref="ArgumentException">lo exceeds hi, or hi − lo isn't finite.</exception>
    public void FillUniform(Span<float> destination, float lo = 0f, float hi = 1f)
    {
        float width = CheckRange(lo, hi, float.IsFinite(hi - lo)) ? hi - lo : 0f;
        if (width == 0f)
        {
            destination.Fill(lo);
            return;
        }

        float scale = width * (1f / (1 << 24)), last = MathF.BitDecrement(hi);
        for (int start = 0; start < destination.Length; start += ChunkLength)
        {
            var values = destination.Slice(start, Math.Min(ChunkLength, destination.Length - start));
            var words = MemoryMarshal.Cast<float, uint>(values);
            FillWords(words, start, Purpose.Words);

            // A product and a sum, each rounded: the same in a lane and in the remainder.
            int i = 0;
            for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                var m = Vector.ConvertToSingle(Vector.AsVectorInt32(new Vector<uint>(words[i..]) >>> 8));
                Vector.Min((m * scale) + new Vector<float>(lo), new Vector<float>(last)).CopyTo(values[i..]);
            }

            for (; i < values.Length; i++) values[i] = Math.Min(((int)(words[i] >> 8) * scale) + lo, last);
        }
    }

    /// <summary>
    /// Fills a span with values uniform in [<paramref name="lo"/>, <paramref name="hi"/>) with 53 random bits. The upper
    /// 24 are those of the <see cref="float"/> form: both draw the same value, to within their precision.
    /// </summary>
    /// <exception cref="ArgumentException">lo exceeds hi, or hi − lo isn't finite.</exception>
    public void FillUniform(Span<double> destination, double lo = 0.0, double hi = 1.0)
    {
        double width = CheckRange(lo, hi, double.IsFinite(hi - lo)) ? hi - lo : 0.0;
        if (width == 0.0)
        {
            destination.Fill(lo);
            return;
        }

        double last = Math.BitDecrement(hi);
        Span<uint> upper = stackalloc uint[Threefry.GroupLength];
        Span<uint> lower = stackalloc uint[Threefry.GroupLength];
        for (int start = 0; start < destination.Length; start += Threefry.GroupLength)
        {
            ulong group = (ulong)start / Threefry.GroupLength;
            Threefry.FillGroup(this, group, Purpose.Words, 0, upper);
            Threefry.FillGroup(this, group, Purpose.LowBits, 0, lower);
            int count = Math.Min(Threefry.GroupLength, destination.Length - start);
            for (int i = 0; i < count; i++)
            {
                long m = ((long)(upper[i] >> 8) << 29) | (lower[i] >> 3);
                destination[start + i] = Math.Min((m * (1.0 / (1L << 53)) * width) + lo, last);
            }
        }
    }

    /// <summary>
    /// Fills a span with normally distributed values by the Box–Muller transform of words i and i + 32 of each group of
    /// 64. Always finite for finite arguments: |z| ≤ √(64 ln 2) ≈ 6.7 standard deviations.
    /// </summary>
    /// <remarks>
    /// Logarithm, sine and cosine are our own polynomials of sums and products, since those of TensorPrimitives differ
    /// between full vectors and remainders, and those of the operating system between machines.
    /// </remarks>
    public void FillNormal(Span<float> destination, float mean = 0f, float standardDeviation = 1f)
    {
        Span<float> partial = stackalloc float[Threefry.GroupLength];
        for (int start = 0; start < destination.Length; start += Threefry.GroupLength)
        {
            int count = Math.Min(Threefry.GroupLength, destination.Length - start);
            var group = count == Threefry.GroupLength ? destination.Slice(start, count) : partial;
            FillWords(MemoryMarshal.Cast<float, uint>(group), start, Purpose.Words);
            Transforms.Normal(group, mean, standardDeviation);
            if (count < Threefry.GroupLength) group[..count].CopyTo(destination[start..]);
        }
    }

    /// <summary>
    /// The <see cref="float"/> normals, widened: a model in float64 starts where its float32 twin starts. Mean and
    /// standard deviation are applied in <see cref="double"/>.
    /// </summary>
    public void FillNormal(Span<double> destination, double mean = 0.0, double standardDeviation = 1.0)
    {
        Span<float> group = stackalloc float[Threefry.GroupLength];
        for (int start = 0; start < destination.Length; start += Threefry.GroupLength)
        {
            FillWords(MemoryMarshal.Cast<float, uint>(group), start, Purpose.Words);
            Transforms.Normal(group, 0f, 1f);
            int count = Math.Min(Threefry.GroupLength, destination.Length - start);
            for (int i = 0; i < count; i++) destination[start + i] = (group[i] * standardDeviation) + mean;
        }
    }

    /// <summary>
    /// Fills a span with standard Gumbel values −ln(−ln u), u = (2m + 1)·2⁻²⁴ for a uniform 23-bit m. Always finite:
    /// between −2.82 and 16.7.
    /// </summary>
    public void FillGumbel(Span<float> destination)
    {
        Span<float> partial = stackalloc float[Threefry.GroupLength];
        for (int start = 0; start < destination.Length; start += Threefry.GroupLength)
        {
            int count = Math.Min(Threefry.GroupLength, destination.Length - start);
            var group = count == Threefry.GroupLength ? destination.Slice(start, count) : partial;
            FillWords(MemoryMarshal.Cast<float, uint>(group), start, Purpose.Words);
            Transforms.Gumbel(group);
            if (count < Threefry.GroupLength) group[..count].CopyTo(destination[start..]);
        }
    }

    /// <summary>The <see cref="float"/> Gumbel values, widened.</summary>
    public void FillGumbel(Span<double> destination)
    {
        Span<float> group = stackalloc float[Threefry.GroupLength];
        for (int start = 0; start < destination.Length; start += Threefry.GroupLength)
        {
            FillWords(MemoryMarshal.Cast<float, uint>(group), start, Purpose.Words);
            Transforms.Gumbel(group);
            int count = Math.Min(Threefry.GroupLength, destination.Length - start);
            for (int i = 0; i < count; i++) destination[start + i] = group[i];
        }
    }

    /// <summary>
    /// Fills a span with ones with probability <paramref name="p"/> (to within 2⁻³³) and zeros otherwise. Exactly all
    /// zeros for p = 0, all ones for p = 1.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">p isn't in [0, 1].</exception>
    public void FillBernoulli(Span<float> destination, double p)
    {
        ulong threshold = BernoulliThreshold(p);
        if (threshold > uint.MaxValue)
        {
            destination.Fill(1f);
            return;
        }

        for (int start = 0; start < destination.Length; start += ChunkLength)
        {
            var values = destination.Slice(start, Math.Min(ChunkLength, destination.Length - start));
            var words = MemoryMarshal.Cast<float, uint>(values);
            FillWords(words, start, Purpose.Words);
            int i = 0;
            for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                var hit = Vector.LessThan(new Vector<uint>(words[i..]), new Vector<uint>((uint)threshold));
                (hit & Vector.AsVectorUInt32(Vector<float>.One)).CopyTo(words[i..]);
            }

            for (; i < values.Length; i++) values[i] = words[i] < threshold ? 1f : 0f;
        }
    }

    /// <summary>The values of the <see cref="float"/> form, widened.</summary>
    /// <exception cref="ArgumentOutOfRangeException">p isn't in [0, 1].</exception>
    public void FillBernoulli(Span<double> destination, double p)
    {
        ulong threshold = BernoulliThreshold(p);
        Span<uint> group = stackalloc uint[Threefry.GroupLength];
        for (int start = 0; start < destination.Length; start += Threefry.GroupLength)
        {
            FillWords(group, start, Purpose.Words);
            int count = Math.Min(Threefry.GroupLength, destination.Length - start);
            for (int i = 0; i < count; i++) destination[start + i] = group[i] < threshold ? 1.0 : 0.0;
        }
    }

    /// <summary>
    /// Fills a span with integers uniform in [<paramref name="lo"/>, <paramref name="hi"/>), without bias, by Lemire's
    /// multiplication ("Fast Random Integer Generation in an Interval", 2019). A rejected word is drawn again from counters
    /// that belong to its element alone.
    /// </summary>
    /// <exception cref="ArgumentException">The interval is empty.</exception>
    public void FillIntegers(Span<int> destination, int lo, int hi)
    {
        if (lo >= hi) throw new ArgumentException($"integers: the interval [{lo}, {hi}) is empty; lo must be below hi");
        uint range = (uint)(hi - (long)lo), rejected = unchecked(0u - range) % range;
        var words = MemoryMarshal.Cast<int, uint>(destination);
        FillWords(words, 0, Purpose.Words);
        for (int i = 0; i < words.Length; i++)
        {
            ulong product = (ulong)words[i] * range;
            for (uint attempt = 0; (uint)product < rejected; attempt++)
                product = (ulong)Threefry.Block(this, (uint)i, 0, Purpose.Redraw, attempt).W0 * range;
            destination[i] = (int)(lo + (long)(product >> 32));
        }
    }

    /// <summary>Fills a span of length n with a uniformly drawn permutation of 0, …, n − 1.</summary>
    public void FillPermutation(Span<int> destination) => Stream().FillPermutation(destination);

    /// <summary>Shuffles a span uniformly (Fisher–Yates).</summary>
    public void Shuffle<T>(Span<T> values) => Stream().Shuffle(values);

    /// <summary>
    /// Fills a span with the words of this key from number <paramref name="start"/> on, which must be a multiple of the
    /// group length.
    /// </summary>
    private void FillWords(Span<uint> destination, int start, uint purpose)
    {
        ulong group = (ulong)start / Threefry.GroupLength;
        for (; destination.Length >= Threefry.GroupLength; destination = destination[Threefry.GroupLength..], group++)
            Threefry.FillGroup(this, group, purpose, 0, destination[..Threefry.GroupLength]);
        if (destination.IsEmpty) return;
        Span<uint> rest = stackalloc uint[Threefry.GroupLength];
        Threefry.FillGroup(this, group, purpose, 0, rest);
        rest[..destination.Length].CopyTo(destination);
    }

    internal static ulong BernoulliThreshold(double p) =>
        p is >= 0.0 and <= 1.0
            ? (ulong)Math.Round(p * 4294967296.0)
            : throw new ArgumentOutOfRangeException(nameof(p), FormattableString.Invariant($"bernoulli: p = {p} isn't in [0, 1]"));

    private static bool CheckRange(double lo, double hi, bool finite) =>
        lo <= hi && finite
            ? true
            : throw new ArgumentException(
                FormattableString.Invariant($"uniform: [{lo}, {hi}) isn't an interval of finite width with lo ≤ hi"));
}
