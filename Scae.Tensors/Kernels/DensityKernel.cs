using System;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// The sizes of a computation of densities. A set has m points of n numbers, and k normal distributions for each point.
/// </summary>
internal readonly record struct DensitySizes(int Sets, int Densities, int Points, int Numbers)
{
    /// <summary>Densities of one set.</summary>
    public int All => Densities * Points;
}

/// <summary>
/// Log-densities of points under isotropic normal distributions, one set at a time. The differences of a set are turned
/// into planes (see <see cref="Planes"/>), and nothing is kept for the backward pass. Sets are independent.
/// </summary>
internal static unsafe class DensityKernel
{
    private const int WorkSlot = 0;
    private const double HalfLogTwoPi = 0.91893853320467274178;

    /// <summary>y = −½ Σ ((x − μ)/σ)² − n·(log σ + ½ log 2π).</summary>
    public static void Forward<T>(in DensitySizes sizes, ReadOnlySpan<T> points, ReadOnlySpan<T> means, ReadOnlySpan<T> sigmas, Span<T> output)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (T* x = points, mu = means, s = sigmas, y = output)
            Sharing.Run(new Densities<T>(new() { Sizes = sizes, Points = x, Means = mu, Sigmas = s, Output = y }), sizes.Sets, IsLong(sizes));
    }

    /// <summary>
    /// ∂μ = g·(x − μ)/σ² = −∂x, ∂σ = g·(Σ((x − μ)/σ)² − n)/σ. They are added to what is there, except that ∂μ overwrites it
    /// unless <paramref name="addToMeans"/>. A gradient whose span is empty isn't computed.
    /// </summary>
    public static void Backward<T>(
        in DensitySizes sizes, ReadOnlySpan<T> points, ReadOnlySpan<T> means, ReadOnlySpan<T> sigmas, ReadOnlySpan<T> outputGradient,
        Span<T> toPoints, Span<T> toMeans, bool addToMeans, Span<T> toSigmas)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (T* x = points, mu = means, s = sigmas, g = outputGradient, dx = toPoints, dmu = toMeans, ds = toSigmas)
        {
            DensityProblem<T> problem = new()
            {
                Sizes = sizes,
                Points = x,
                Means = mu,
                Sigmas = s,
                Gradient = g,
                ToPoints = dx,
                ToMeans = dmu,
                AddToMeans = addToMeans,
                ToSigmas = ds,
            };
            Sharing.Run(new Slopes<T>(problem), sizes.Sets, IsLong(sizes));
        }
    }

    private static bool IsLong(in DensitySizes sizes) => (long)sizes.Sets * sizes.All * sizes.Numbers >= Sharing.ManyElements;

    private struct DensityProblem<T>
        where T : unmanaged
    {
        public DensitySizes Sizes;
        public T* Points, Means, Sigmas, Output, Gradient, ToPoints, ToMeans, ToSigmas;
        public bool AddToMeans;
    }

    /// <summary>The memory in which one set is worked on: planes of differences, sigmas, and rows.</summary>
    private readonly ref struct Workplace<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public readonly T* Planes, Sigmas, Rows;
        public readonly int Pitch;
        private readonly Span<T> _memory;

        public Workplace(in DensitySizes sizes)
        {
            Pitch = Kernels.Planes.Pitch<T>(sizes.All);
            _memory = Scratch.Take<T>(WorkSlot, ((sizes.Numbers + 1) * Pitch) + (sizes.Numbers * sizes.All));
            fixed (T* start = _memory) Planes = start;
            Sigmas = Planes + (sizes.Numbers * Pitch);
            Rows = Sigmas + Pitch;
        }

        /// <summary>Fills the planes with the differences of set b and with its sigmas, in whole vectors.</summary>
        public void Fill(in DensityProblem<T> problem, int b)
        {
            var (_, densities, points, n) = problem.Sizes;
            int row = points * n, all = densities * points;
            ReadOnlySpan<T> x = new(problem.Points + ((long)b * row), row);
            for (int k = 0; k < densities; k++)
                TensorPrimitives.Subtract(x, new ReadOnlySpan<T>(problem.Means + ((((long)b * densities) + k) * row), row), new Span<T>(Rows + (k * row), row));
            Kernels.Planes.Split(n, all, Rows, Planes, Pitch);
            new ReadOnlySpan<T>(problem.Sigmas + ((long)b * all), all).CopyTo(new Span<T>(Sigmas, all));
            new Span<T>(Sigmas + all, Pitch - all).Fill(T.One);
        }
    }

    private readonly struct Densities<T>(DensityProblem<T> problem) : IRange
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(VectorLoop.Options)]
        public void Run(int from, int to)
        {
            Workplace<T> work = new(problem.Sizes);
            int n = problem.Sizes.Numbers, all = problem.Sizes.All, pitch = work.Pitch;
            Vector512<T> half = Lanes.Constant<T>(0.5), numbers = Lanes.Constant<T>(n), normal = Lanes.Constant<T>(HalfLogTwoPi);
            for (int b = from; b < to; b++)
            {
                work.Fill(problem, b);
                for (int i = 0; i < pitch; i += Vector512<T>.Count)
                {
                    var sigma = Vector512.Load(work.Sigmas + i);
                    var squares = Vector512<T>.Zero;
                    for (int p = 0; p < n; p++)
                    {
                        var z = Vector512.Load(work.Planes + (p * pitch) + i) / sigma;
                        squares += z * z;
                    }

                    (-(half * squares) - (numbers * (Lanes.Log(sigma) + normal))).Store(work.Sigmas + i);
                }

                new ReadOnlySpan<T>(work.Sigmas, all).CopyTo(new Span<T>(problem.Output + ((long)b * all), all));
            }
        }
    }

    private readonly struct Slopes<T>(DensityProblem<T> problem) : IRange
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(VectorLoop.Options)]
        public void Run(int from, int to)
        {
            Workplace<T> work = new(problem.Sizes);
            int n = problem.Sizes.Numbers, all = problem.Sizes.All, pitch = work.Pitch, width = Vector512<T>.Count;
            var numbers = Lanes.Constant<T>(n);
            for (int b = from; b < to; b++)
            {
                work.Fill(problem, b);
                ReadOnlySpan<T> gradient = new(problem.Gradient + ((long)b * all), all);
                for (int i = 0; i < pitch; i += width)
                {
                    var g = i + width <= all ? Vector512.Create(gradient[i..]) : Lanes.LoadPart(gradient[i..]);
                    var sigma = Vector512.Load(work.Sigmas + i);
                    Vector512<T> rate = g / sigma, squares = Vector512<T>.Zero;
                    for (int p = 0; p < n; p++)
                    {
                        var z = Vector512.Load(work.Planes + (p * pitch) + i) / sigma;
                        squares += z * z;
                        (rate * z).Store(work.Planes + (p * pitch) + i);
                    }

                    (rate * (squares - numbers)).Store(work.Sigmas + i);
                }

                Planes.Join(n, all, work.Planes, pitch, work.Rows);
                Add(b, new ReadOnlySpan<T>(work.Rows, n * all), new ReadOnlySpan<T>(work.Sigmas, all));
            }
        }

        private void Add(int b, ReadOnlySpan<T> slopes, ReadOnlySpan<T> toSigmas)
        {
            int row = problem.Sizes.Points * problem.Sizes.Numbers;
            if (problem.ToMeans != null)
            {
                Span<T> into = new(problem.ToMeans + ((long)b * slopes.Length), slopes.Length);
                if (problem.AddToMeans) TensorPrimitives.Add(into, slopes, into);
                else slopes.CopyTo(into);
            }

            if (problem.ToSigmas != null)
            {
                Span<T> into = new(problem.ToSigmas + ((long)b * toSigmas.Length), toSigmas.Length);
                TensorPrimitives.Add(into, toSigmas, into);
            }

            if (problem.ToPoints == null) return;
            Span<T> points = new(problem.ToPoints + ((long)b * row), row);
            for (int at = 0; at < slopes.Length; at += row) TensorPrimitives.Subtract(points, slopes.Slice(at, row), points);
        }
    }
}
