using BenchmarkDotNet.Running;

namespace Scae.Benchmarks;

internal static class Program
{
    private static void Main(string[] args)
    {
        if (args is ["race-matmul"]) MatMulRace.Run();
        else BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
    }
}
