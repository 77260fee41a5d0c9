using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using Scae.Cli.Runs;
using Scae.Core.CommandLine;
using Scae.Core.Experiments;
using Spectre.Console;

namespace Scae.Cli.Reports;

/// <summary>
/// The results of a sweep, or of the part that is finished: as files in its folder, and on the console as a table or JSON.
/// </summary>
internal sealed class SweepTables(SweepOptions options, SweepPlan plan)
{
    private string Folder => plan.Folder;

    /// <summary>The metric by which a run's best epoch is chosen.</summary>
    public string ChosenBy =>
        "best_" + RunFailure.Unless(ExperimentModule.restore(options.Experiment, options.Preset, options.Overrides)).Plan.BestBy.Metric;

    /// <summary>
    /// Refuses a folder in which a file of somebody else's has the name of a table that this sweep writes, or of its picture. A
    /// picture is a sweep's if the table in JSON lies beside it.
    /// </summary>
    public void SpareOthers()
    {
        bool isScan = !options.Vary.IsEmpty, isComparison = !options.Compared.IsEmpty;
        string name = isScan ? "scan" : isComparison ? "comparison" : "sweep";
        if (!IsOwn($"{name}.json"))
        {
            foreach (string kind in isScan || isComparison ? (string[])["json", "md", "png", "svg"] : ["json"]) Refuse($"{name}.{kind}");
        }

        if (!isScan && !IsOwn(ResultRows.FileName)) Refuse(ResultRows.FileName);

        bool IsOwn(string name) => File.Exists(Path.Combine(Folder, name)) && IsTable(Path.Combine(Folder, name));

        void Refuse(string name)
        {
            if (File.Exists(Path.Combine(Folder, name)))
                throw new RunFailure($"{Folder}: {name} is there, and no sweep of scae wrote it; choose another folder with --out", ExitCode.Usage);
        }
    }

    private static bool IsTable(string path)
    {
        if (Path.GetExtension(path) == ".csv") return File.ReadLines(path).FirstOrDefault() == ResultRows.Header;
        try
        {
            return JsonNode.Parse(File.ReadAllText(path))!["experiment"]!.GetValue<string>().Length > 0;
        }
        catch (Exception problem) when (Json.IsDamage(problem))
        {
            return false;
        }
    }

    /// <summary>Writes the results of the seeds of one preset.</summary>
    public void Seeds(IReadOnlyList<Summary> summaries)
    {
        var result = new SweepResult(options.Experiment.Specification.Experiment, options.Preset.Name, summaries);
        string json = result.ToJson(options.Experiment.Specification);
        Keep(() => Print(json, () => Show(result)), () =>
        {
            AtomicFile.Write(Path.Combine(Folder, "sweep.json"), json + "\n");
            ResultRows.Write(Folder, [(result, Changes(plan.Groups[0]))]);
        });
    }

    /// <summary>Writes the results of every combination with every seed.</summary>
    public void Scan(IReadOnlyList<(SweepGroup Group, List<Summary> Summaries)> groups)
    {
        var result = new ScanResult(options, ChosenBy, [.. groups.Select(group => new ScanRow(group.Group.Settings, group.Summaries))]);
        Keep(() => Print(result.ToJson(), () => Show(result)), () => result.Write(Folder));
    }

    /// <summary>Writes the results of every preset with every seed.</summary>
    public void Presets(IReadOnlyList<(SweepGroup Group, List<Summary> Summaries)> groups)
    {
        var presets = groups.Select(group => new SweepResult(options.Experiment.Specification.Experiment, group.Group.Preset.Name, group.Summaries)).ToList();
        var result = new ComparisonResult(options, presets);
        Keep(() => Print(result.ToJson(), () => Show(result)), () =>
        {
            ResultRows.Write(Folder, presets.Zip(groups, (preset, group) => (preset, Changes(group.Group))));
            result.Write(Folder);
        });
    }

    /// <summary>Writes files, then prints; also where the files can't be written, since that may have taken hours.</summary>
    private void Keep(Action print, Action write)
    {
        try
        {
            FileProblem.Tell(Folder, "the tables aren't kept there; the runs are whole, and the same command with --collect writes them", write);
        }
        finally
        {
            print();
        }
    }

    private void Print(string json, Action show)
    {
        if (options.Training.Json) Json.Print(json);
        else if (!options.Training.Quiet) show();
    }

    private string Changes(SweepGroup group) => plan.Runs.Changes(group, options.Training.Data?.Value);

    private static string Spreading(int seeds) => seeds > 1 ? ", mean ± standard deviation" : string.Empty;

    /// <summary>How many seeds the rows have (fewer where not all are finished), and what their figures are.</summary>
    private static string Each(IEnumerable<int> seeds)
    {
        int least = seeds.Min(), most = seeds.Max();
        return $"{(least < most ? $"{least} to " : string.Empty)}{Format.Seeds(most)} each{Spreading(most)}";
    }

    private void Show(SweepResult result)
    {
        var means = result.Spreads.Select(spread => Tuple.Create(spread.Metric, spread.Mean)).ToList();
        var spreads = result.Spreads.ToDictionary(spread => spread.Metric);
        Tables.Console.Write(Tables.Results(options.Experiment.Specification, result.Preset, means, (name, _) => Format.Spread(name, spreads[name].Mean, spreads[name].Deviation)));
        foreach (var rate in result.Successes(options.Experiment.Specification)) Console.Out.WriteLine(rate.Line);
        Console.Out.WriteLine($"{Format.Seeds(result.Summaries.Count)}{Spreading(result.Summaries.Count)}; runs, sweep.json and {ResultRows.FileName}: {Folder}");
    }

    private void Show(ScanResult result)
    {
        var table = Tables.New([.. options.Vary.Select(axis => axis.Name), Format.Name(result.Metric)]);
        foreach (var row in result.Rows)
        {
            var spread = result.SpreadOf(row);
            table.AddRow([.. row.Settings.Select(pair => Markup.Escape(pair.Item2)), Format.Spread(spread.Metric, spread.Mean, spread.Deviation)]);
        }

        Tables.Console.Write(table);
        Console.Out.WriteLine($"{Each(result.Rows.Select(row => row.Summaries.Count))}; {(result.HasPicture ? "table and picture" : "table")}: {Folder}");
    }

    private void Show(ComparisonResult result)
    {
        foreach (var compared in result.Tables)
        {
            var table = Tables.New(["preset", .. compared.Metrics.Select(Format.Name)]);
            foreach (var (preset, cells) in result.CellsOf(compared)) table.AddRow([.. cells.Prepend(preset).Select(Markup.Escape)]);
            Console.Out.WriteLine(compared.Title);
            Tables.Console.Write(table);
        }

        Console.Out.WriteLine($"{Each(result.Presets.Select(preset => preset.Summaries.Count))}; {(result.HasPicture ? "runs, tables and picture" : "runs and tables")}: {Folder}");
    }
}
