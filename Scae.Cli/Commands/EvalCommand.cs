using System;
using System.Linq;
using System.Text.Json.Nodes;
using Scae.Cli.Reports;
using Scae.Cli.Runs;
using Scae.Core;
using Scae.Core.CommandLine;
using Scae.Tensors;

namespace Scae.Cli.Commands;

/// <summary>scae eval: a run's parameters on scenes that it has never seen.</summary>
internal static class EvalCommand
{
    public static int Run(RunOptions options)
    {
        if (options.Threads is { } threads) Parallelism.Threads = threads.Value;
        var saved = SavedRun.Open(RunFolder.At(options.Folder), options.Resources, options.Seed);
        var metrics = Training.summarize(saved.State).ToList();
        if (options.Json)
        {
            var result = new JsonObject
            {
                ["experiment"] = saved.Identity.Experiment,
                ["preset"] = saved.Identity.Preset,
                ["seed"] = saved.Identity.Seed,
                ["evaluation_seed"] = options.Seed,
                ["step"] = saved.State.Step,
                ["metrics"] = Json.Object(metrics),
            };
            Console.Out.WriteLine(result.ToJsonString(Json.Indented));
            return ExitCode.Success;
        }

        Tables.Console.Write(Tables.Results(saved.Experiment.Specification, saved.Identity.Preset, metrics));
        Console.Out.WriteLine($"step {saved.State.Step} of {options.Folder}, fresh scenes of seed {options.Seed}");
        return ExitCode.Success;
    }
}
