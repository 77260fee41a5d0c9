using System.Collections.Generic;
using BenchmarkDotNet.Attributes;
using Scae.Tensors;

namespace Scae.Benchmarks;

/// <summary>The matrix product in large sizes and in those of training steps, on one thread and on two.</summary>
[MemoryDiagnoser]
public class MatMulBenchmarks
{
    private int _before;
    private MatMulOperands? _operands;

    /// <summary>Large products first, then the small ones.</summary>
    public static IEnumerable<MatMulCase> Cases => [.. MatMulCase.Large, .. MatMulCase.Small];

    [ParamsSource(nameof(Cases))]
    public MatMulCase Case { get; set; } = MatMulCase.Small[0];

    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _before = Parallelism.Threads;
        Parallelism.Threads = Threads;
        _operands = new MatMulOperands(Case);
    }

    [GlobalCleanup]
    public void CleanUp() => Parallelism.Threads = _before;

    [Benchmark]
    public void Multiply() => _operands!.Multiply();
}
