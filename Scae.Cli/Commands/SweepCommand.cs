using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using Scae.Cli.Data;
using Scae.Cli.Reports;
using Scae.Cli.Runs;
using Scae.Core.CommandLine;
using Scae.Core.Experiments;
using Scae.Tensors;
using Spectre.Console;

namespace Scae.Cli.Commands;

/// <summary>scae sweep: several seeds, or combinations of hyperparameters; mean ± standard deviation.</summary>
internal static class SweepCommand
{
    public static int Run(SweepOptions options)
    {
        string name = options.Experiment.Specification.Experiment;
        string folder = options.Out?.Value ?? Path.Combine("runs", options.Compared.IsEmpty ? $"{name}-{options.Preset.Name}-sweep" : $"{name}-sweep");
        Parallelism.Threads = 1;
        using var interruption = new Interruption();
        if (!options.Compared.IsEmpty) RunPresets(options, folder, interruption.Token);
        else if (options.Vary.IsEmpty) RunSeeds(options, folder, interruption.Token);
        else RunScan(options, folder, interruption.Token);
        return ExitCode.Success;
    }

    private static SweepRun Trainings(SweepOptions options, string folder, bool pictures, CancellationToken stop) =>
        Trainings(options, options.Preset, folder, pictures, stop);

    private static SweepRun Trainings(SweepOptions options, Preset preset, string folder, bool pictures, CancellationToken stop) => new(
        options.Experiment, preset, folder, options.Threads?.Value ?? Environment.ProcessorCount, MnistFiles.Resources(options.Data?.Value, stop), pictures, options.TensorBoard);

    private static bool IsSilent(SweepOptions options) => options.Quiet || options.Json;

    private static void RunSeeds(SweepOptions options, string folder, CancellationToken stop)
    {
        var summaries = Trainings(options, folder, pictures: true, stop).Seeds([.. options.Overrides], options.Seeds, Report, stop);
        var result = new SweepResult(options.Experiment.Specification.Experiment, options.Preset.Name, summaries);
        FileProblem.Tell(folder, "the runs are whole; the same command goes on", () => AtomicFile.Write(Path.Combine(folder, "sweep.json"), result.ToJson() + "\n"));
        if (options.Json) Console.Out.WriteLine(result.ToJson());
        else if (!options.Quiet) Show(options.Experiment.Specification, result, folder);

        void Report(Summary summary)
        {
            if (!IsSilent(options)) Console.Out.WriteLine($"seed {summary.Seed}: {Format.Metrics(summary.Metrics)}  {Format.Duration(summary.Spent.Total)}");
        }
    }

    private static void Show(Specification specification, SweepResult result, string folder)
    {
        var means = result.Spreads.Select(spread => Tuple.Create(spread.Metric, spread.Mean)).ToList();
        var spreads = result.Spreads.ToDictionary(spread => spread.Metric);
        Tables.Console.Write(Tables.Results(specification, result.Preset, means, (name, _) => Format.Spread(name, spreads[name].Mean, spreads[name].Deviation)));
        Console.Out.WriteLine($"{Format.Seeds(result.Summaries.Count)}{Spreading(result.Summaries.Count)}; runs and sweep.json: {folder}");
    }

    /// <summary>Every combination with every seed.</summary>
    private static void RunScan(SweepOptions options, string folder, CancellationToken stop)
    {
        string metric = "best_" + RunFailure.Unless(ExperimentModule.configure(options.Experiment, options.Preset, options.Overrides)).Plan.BestBy.Metric;
        var combinations = Scan.combinations(options.Vary);
        var kinds = combinations.Select(settings => (IReadOnlyList<Tuple<string, string>>)[.. options.Overrides, .. settings]).ToList();
        var summaries = Trainings(options, folder, pictures: false, stop).Run(kinds, options.Seeds, FolderOf, Report, stop);
        int seeds = (int)options.Seeds.Count;
        var rows = combinations.Select((settings, i) => new ScanRow(settings, Spread.OfAll(summaries.GetRange(i * seeds, seeds))));
        var result = new ScanResult(options, metric, [.. rows]);
        FileProblem.Tell(folder, "the runs are whole; the same command goes on", () => result.Write(folder));
        if (options.Json) Console.Out.WriteLine(result.ToJson());
        else if (!options.Quiet) Show(result, seeds, folder);

        string FolderOf(IReadOnlyList<Tuple<string, string>> overrides, long seed) =>
            Path.Combine(folder, Scan.folder(combinations[kinds.IndexOf(overrides)]), $"seed-{seed}");

        void Report(SweepJob job, Summary summary)
        {
            if (IsSilent(options)) return;
            string settings = string.Join(", ", job.Overrides.Skip(options.Overrides.Length).Select(pair => $"{pair.Item1} {pair.Item2}"));
            Console.Out.WriteLine($"{settings}, seed {job.Seed}: {Format.Name(metric)} {Format.Value(metric, summary.Metric(metric) ?? double.NaN)}  {Format.Duration(summary.Spent.Total)}");
        }
    }

    private static void Show(ScanResult result, int seeds, string folder)
    {
        var table = Tables.New([.. result.Options.Vary.Select(axis => axis.Name), Format.Name(result.Metric)]);
        foreach (var row in result.Rows)
        {
            var spread = result.SpreadOf(row);
            table.AddRow([.. row.Settings.Select(pair => Markup.Escape(pair.Item2)), Format.Spread(spread.Metric, spread.Mean, spread.Deviation)]);
        }

        Tables.Console.Write(table);
        Console.Out.WriteLine($"{Format.Seeds(seeds)} each{Spreading(seeds)}; table and picture: {folder}");
    }

    /// <summary>Every preset with every seed.</summary>
    private static void RunPresets(SweepOptions options, string folder, CancellationToken stop)
    {
        var presets = options.Compared.Select(preset => new SweepResult(options.Experiment.Specification.Experiment, preset.Name, Summaries(preset))).ToList();
        var result = new ComparisonResult(options, presets);
        result.Write(folder);
        if (options.Json) Console.Out.WriteLine(result.ToJson());
        else if (!options.Quiet) Show(result, folder);

        List<Summary> Summaries(Preset preset) =>
            Trainings(options, preset, Path.Combine(folder, preset.Name), pictures: true, stop).Seeds([.. options.Overrides], options.Seeds, Report, stop);

        void Report(Summary summary)
        {
            if (!IsSilent(options)) Console.Out.WriteLine($"{summary.Preset}, seed {summary.Seed}: {Format.Duration(summary.Spent.Total)}");
        }
    }

    private static void Show(ComparisonResult result, string folder)
    {
        foreach (var compared in result.Tables)
        {
            var table = Tables.New(["preset", .. compared.Metrics.Select(Format.Name)]);
            foreach (var (preset, cells) in result.CellsOf(compared)) table.AddRow([.. cells.Prepend(preset).Select(Markup.Escape)]);
            Console.Out.WriteLine(compared.Title);
            Tables.Console.Write(table);
        }

        int seeds = result.Presets[0].Summaries.Count;
        Console.Out.WriteLine($"{Format.Seeds(seeds)} each{Spreading(seeds)}; runs, tables and picture: {folder}");
    }

    private static string Spreading(int seeds) => seeds > 1 ? ", mean ± standard deviation" : string.Empty;
}
