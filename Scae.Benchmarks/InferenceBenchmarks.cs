using System;
using BenchmarkDotNet.Attributes;
using Microsoft.FSharp.Core;
using Scae.Core.Data;
using Scae.Core.Models;
using Scae.Tensors;

namespace Scae.Benchmarks;

/// <summary>
/// Recognising 250 constellations scenes on one thread: the exact baseline, and a session's whole evaluation apart, the
/// untrained network's routing with its search. Training makes the search shorter, so the latter is an upper bound.
/// </summary>
public class InferenceBenchmarks
{
    private const int Scenes = 250;

    private RoutingCapsulesConfig _config = null!;
    private RoutingCapsules _model = null!;
    private Tensor _points = null!;
    private FSharpFunc<Tensor, FSharpFunc<FSharpValueOption<Tensor>, Tuple<Tensor, double>>> _search = null!;

    [GlobalSetup]
    public void SetUp()
    {
        Parallelism.Threads = 1;
        _config = RoutingCapsulesModule.standard;
        _model = RoutingCapsulesModule.init(_config, Dtype.Float32, Key.OfSeed(0));
        _search = RoutingCapsulesModule.poses(_config, Key.OfSeed(2));
        _points = ConstellationsModule.sample(ConstellationsModule.published, Scenes, Key.OfSeed(1)).Points;
    }

    [Benchmark(OperationsPerInvoke = Scenes)]
    public Tensor Exact() => ExactConstellations.solve(TemplateModule.published, _points).Item1;

    [Benchmark(OperationsPerInvoke = Scenes)]
    public Tensor Routing() => RoutingCapsulesModule.route(_config, _model, _points);

    [Benchmark(OperationsPerInvoke = Scenes)]
    public Tensor RoutingAndSearch() =>
        _search.Invoke(_points).Invoke(FSharpValueOption<Tensor>.NewValueSome(RoutingCapsulesModule.route(_config, _model, _points))).Item1;
}
