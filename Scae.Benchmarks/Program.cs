using System.Globalization;
using BenchmarkDotNet.Running;

namespace Scae.Benchmarks;

internal static class Program
{
    private static void Main(string[] args)
    {
        if (args is ["race-matmul"]) MatMulRace.Run();
        else if (args is ["race-scae"]) ScaeRace.Run();
        else if (args is ["presence-gradients"]) PresenceGradients.Run();
        else if (args is ["count-ceiling", var steps, var seed]) CountCeiling.Run(int.Parse(steps, CultureInfo.InvariantCulture), int.Parse(seed, CultureInfo.InvariantCulture));
        else if (args is ["time-tvae", var cores]) TvaeStep.Run(int.Parse(cores, CultureInfo.InvariantCulture));
        else if (args is ["time-tsne", var threads]) TSneTime.Run(int.Parse(threads, CultureInfo.InvariantCulture));
        else BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
    }
}
