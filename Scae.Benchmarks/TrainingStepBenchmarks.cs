using System.Collections.Generic;
using System.Linq;
using BenchmarkDotNet.Attributes;
using Scae.Core.Experiments;
using Scae.Core.Training;
using Scae.Tensors;

namespace Scae.Benchmarks;

/// <summary>One training step of each experiment's default preset, data included, on one thread.</summary>
[MemoryDiagnoser]
public class TrainingStepBenchmarks
{
    private Trainer? _trainer;

    public static IEnumerable<string> Names => Experiments.all.Select(experiment => experiment.Specification.Experiment);

    [ParamsSource(nameof(Names))]
    public string Experiment { get; set; } = "constellations";

    [GlobalSetup]
    public void SetUp()
    {
        Parallelism.Threads = 1;
        var experiment = Experiments.find(Experiment).ResultValue;
        var preset = Experiments.preset(null, experiment).ResultValue;
        var task = ExperimentModule.configure(experiment, preset, []).ResultValue;
        var session = ExperimentModule.openSeed(task, ResourcesModule.none, 0).ResultValue;
        _trainer = new Trainer(TrainingStateModule.start(task.Plan, session.Learner));
    }

    [Benchmark]
    public double Step()
    {
        _trainer!.Fill();
        double loss = _trainer.Forward();
        _trainer.Reverse();
        _trainer.Update();
        return loss;
    }
}
