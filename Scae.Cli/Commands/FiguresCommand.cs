using System;
using System.Collections.Generic;
using System.Text.Json.Nodes;
using Scae.Cli.Data;
using Scae.Cli.Runs;
using Scae.Core.CommandLine;
using Scae.Core.Experiments;
using Scae.Tensors;

namespace Scae.Cli.Commands;

/// <summary>scae figures: draws the pictures of a run again.</summary>
internal static class FiguresCommand
{
    public static int Run(RunOptions options)
    {
        if (options.Threads is { } threads) Parallelism.Threads = threads.Value;
        var folder = RunFolder.Given("figures", options.Folder);
        if (!folder.HoldsRun) folder.ReadCheckpoint();
        using var taken = RunLock.Take(folder.Path, "its pictures can be drawn when it is done", "pictures belong in the run's own folder: copy the run to where you may write");
        var saved = SavedRun.Open(folder, MnistFiles.Resources(options.Data?.Value), evaluationSeed: null, measuring: []);
        folder.Prepare();
        var history = folder.ReadHistory(saved.State);
        var figures = Results.figures(saved.Session, saved.State, history);
        List<string> written = [];
        FileProblem.Tell(folder.Figures, "what was drawn before is there, and the same command draws the rest when that is mended", () => written = FigureFiles.Write(folder, figures, SessionModule.animation(saved.Session, history)));
        if (options.Json)
        {
            var names = new JsonArray();
            foreach (string path in written) names.Add(path);
            Json.Print(new JsonObject { ["figures"] = names });
        }
        else
        {
            foreach (string path in written) Console.Out.WriteLine(path);
        }

        return ExitCode.Success;
    }
}
