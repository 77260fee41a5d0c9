using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Text.Json.Nodes;
using Scae.Cli.Data;
using Scae.Cli.Reports;
using Scae.Cli.Runs;
using Scae.Core.CommandLine;
using Scae.Core.Experiments;
using Scae.Core.Training;
using Scae.Tensors;
using Spectre.Console;

namespace Scae.Cli.Commands;

/// <summary>scae bench: milliseconds per training step, data included, and how they split.</summary>
internal static class BenchCommand
{
    private const int Rounds = 5;

    public static int Run(ExperimentOptions options)
    {
        Parallelism.Threads = options.Threads?.Value ?? 1;
        var all = new JsonArray();
        foreach (var experiment in options.Experiments)
        {
            var preset = RunFailure.Unless(Experiments.preset(options.Preset, experiment));
            var task = RunFailure.Unless(ExperimentModule.configure(experiment, preset, options.Overrides));
            FreeMemory.Check(task);
            var session = RunFailure.Unless(ExperimentModule.openSeed(task, MnistFiles.Resources(options.Data?.Value), options.Seed));
            var result = Measure(new Trainer(TrainingStateModule.start(task.Plan, session.Learner)), options.Steps);
            result.Insert(0, "experiment", experiment.Specification.Experiment);
            result.Insert(1, "preset", preset.Name);
            result.Insert(2, "batch", task.Plan.BatchSize);
            result.Insert(3, "threads", Parallelism.Threads);
            all.Add(result);
            if (!options.Json) Show(experiment.Specification, preset, result);
        }

        if (options.Json) Json.Print(all);
        return ExitCode.Success;
    }

    /// <summary>Medians over several rounds. One more round before them warms up.</summary>
    private static JsonObject Measure(Trainer trainer, int steps)
    {
        MeasureRound(trainer, steps);
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        int collections = GC.CollectionCount(2);
        var rounds = Enumerable.Range(0, Rounds).Select(_ => MeasureRound(trainer, steps)).ToList();
        allocated = (GC.GetAllocatedBytesForCurrentThread() - allocated) / ((long)Rounds * steps);
        collections = GC.CollectionCount(2) - collections;
        return new JsonObject
        {
            ["steps"] = steps,
            ["ms_per_step"] = Median(rounds.Select(parts => parts.Sum())),
            ["ms_data"] = Median(rounds.Select(parts => parts[0])),
            ["ms_forward"] = Median(rounds.Select(parts => parts[1])),
            ["ms_backward"] = Median(rounds.Select(parts => parts[2])),
            ["ms_update"] = Median(rounds.Select(parts => parts[3])),
            ["operations"] = trainer.Operations,
            ["bytes_allocated_per_step"] = allocated,
            ["gen2_collections"] = collections,
        };
    }

    /// <summary>Milliseconds that a step takes for data, forward, backward and update: means over a round of steps.</summary>
    private static double[] MeasureRound(Trainer trainer, int steps)
    {
        double[] parts = new double[4];
        for (int i = 0; i < steps; i++)
        {
            long t0 = Stopwatch.GetTimestamp();
            trainer.Fill();
            long t1 = Stopwatch.GetTimestamp();
            trainer.Forward();
            long t2 = Stopwatch.GetTimestamp();
            trainer.Reverse();
            long t3 = Stopwatch.GetTimestamp();
            trainer.Update();
            long t4 = Stopwatch.GetTimestamp();
            parts[0] += Stopwatch.GetElapsedTime(t0, t1).TotalMilliseconds / steps;
            parts[1] += Stopwatch.GetElapsedTime(t1, t2).TotalMilliseconds / steps;
            parts[2] += Stopwatch.GetElapsedTime(t2, t3).TotalMilliseconds / steps;
            parts[3] += Stopwatch.GetElapsedTime(t3, t4).TotalMilliseconds / steps;
        }

        return parts;
    }

    private static double Median(IEnumerable<double> milliseconds) => Math.Round(milliseconds.Order().ElementAt(Rounds / 2), 4);

    private static void Show(Specification specification, Preset preset, JsonObject result)
    {
        var table = Tables.New(specification.Experiment + ", " + preset.Name, string.Empty);
        foreach (var (name, value) in result.Skip(2)) table.AddRow(Markup.Escape(Format.Name(name)), Markup.Escape(value!.ToString()));
        Tables.Console.Write(table);
    }
}
