using System;
using System.Diagnostics;
using System.Runtime.Intrinsics.X86;
using Scae.Tensors;

namespace Scae.Benchmarks;

/// <summary>
/// A quick race of the matrix product against OpenBLAS: repetitions of all contenders alternate, so that a noisy
/// moment hits all of them, and medians are compared.
/// </summary>
internal static class MatMulRace
{
    private const int Repetitions = 101;

    // Long enough for the clock, and well below the time slice that a busy machine gives other processes meanwhile.
    private const double FlopsPerRepetition = 2e7;

    public static void Run()
    {
        bool blas = OpenBlas.IsPresent;
        if (!blas) Console.WriteLine("libopenblas.so.0 is not installed; its column stays empty.");
        else
        {
            OpenBlas.SetThreads(1);
            Console.WriteLine($"OpenBLAS uses its {OpenBlas.Core} kernels.");
            if (Avx512F.IsSupported && Environment.GetEnvironmentVariable("OPENBLAS_CORETYPE") is null)
                Console.WriteLine("It may not know this processor: set OPENBLAS_CORETYPE=SkylakeX before the start for its AVX-512 kernels.");
        }

        int threads = Math.Max(2, Parallelism.Threads);
        Console.WriteLine($"GFLOP/s, medians of {Repetitions} alternating repetitions, float32.");
        Console.WriteLine($"{"",-26}{"1 thread",10}{"OpenBLAS",10}{"ratio",8}{$"{threads} threads",11}{"speed-up",10}");
        foreach (MatMulCase shape in MatMulCase.Large) Race(shape, blas, threads);
        foreach (MatMulCase shape in MatMulCase.Small) Race(shape, blas, 0);
    }

    private static void Race(MatMulCase shape, bool blas, int threads)
    {
        MatMulOperands operands = new(shape);
        Action one = () => { Parallelism.Threads = 1; operands.Multiply(); };
        Action many = () => { Parallelism.Threads = threads; operands.Multiply(); };
        Action other = operands.MultiplyWithOpenBlas;
        int calls = (int)Math.Max(1, FlopsPerRepetition / shape.Flops);
        double[] ours = new double[Repetitions], theirs = new double[Repetitions], together = new double[Repetitions];
        for (int i = -10; i < Repetitions; i++)
        {
            double x = Time(one, calls), y = blas ? Time(other, calls) : double.NaN, z = threads > 0 ? Time(many, calls) : double.NaN;
            if (i < 0) continue;
            (ours[i], theirs[i], together[i]) = (x, y, z);
        }

        double Rate(double[] seconds)
        {
            Array.Sort(seconds);
            return shape.Flops / seconds[seconds.Length / 2] * 1e-9;
        }

        double a = Rate(ours), b = Rate(theirs), c = Rate(together);
        Console.WriteLine($"{shape.Name,-26}{a,10:F1}{b,10:F1}{a / b,8:F2}{c,11:F1}{c / a,10:F2}".Replace("NaN", "  –"));
    }

    private static double Time(Action action, int calls)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < calls; i++) action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds / calls;
    }
}
