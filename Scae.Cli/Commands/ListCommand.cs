using System.Collections.Generic;
using System.Linq;
using System.Text.Json.Nodes;
using Scae.Cli.Reports;
using Scae.Cli.Runs;
using Scae.Core.Experiments;
using Spectre.Console;

namespace Scae.Cli.Commands;

/// <summary>scae list: experiments, presets, published figures and targets.</summary>
internal static class ListCommand
{
    public static int Run(IReadOnlyList<Experiment> experiments, bool json)
    {
        if (json)
        {
            var all = new JsonArray();
            foreach (var experiment in experiments) all.Add(ToJson(experiment));
            Json.Print(all);
            return ExitCode.Success;
        }

        foreach (var specification in experiments.Select(experiment => experiment.Specification))
        {
            var console = Tables.Console;
            console.MarkupLineInterpolated($"[bold]{specification.Experiment}[/]: {specification.Summary}");
            console.MarkupLineInterpolated($"  {specification.Paper}");
            var presets = Tables.New("preset", "what it is");
            foreach (var preset in specification.Presets) presets.AddRow(Markup.Escape(preset.Name + (preset.Name == specification.DefaultPreset ? " (default)" : string.Empty)), Markup.Escape(preset.Summary));
            console.Write(presets);
            var figures = Tables.New("metric", "value", "where from");
            foreach (var figure in specification.Published)
                figures.AddRow(Markup.Escape(Format.Name(figure.Metric)), Markup.Escape(Format.Value(figure.Metric, figure.Value)), Markup.Escape(Published(figure)));
            foreach (var target in specification.Targets)
                figures.AddRow(Markup.Escape(Format.Name(target.Metric)), Markup.Escape(new TargetCheck(target, 0).Range), Markup.Escape($"target of {target.Preset}: {target.Note}"));
            console.Write(figures);
        }

        return ExitCode.Success;
    }

    private static string Published(PublishedFigure figure) =>
        figure.Presets.IsEmpty ? $"published: {figure.Note}" : $"published ({string.Join(", ", figure.Presets)}): {figure.Note}";

    private static JsonObject ToJson(Experiment experiment)
    {
        var specification = experiment.Specification;
        return new()
        {
            ["experiment"] = specification.Experiment,
            ["title"] = specification.Title,
            ["summary"] = specification.Summary,
            ["paper"] = specification.Paper,
            ["default_preset"] = specification.DefaultPreset,
            ["presets"] = Array(specification.Presets.Select(preset => ToJson(experiment, preset))),
            ["published"] = Array(specification.Published.Select(figure => new JsonObject
            {
                ["metric"] = figure.Metric,
                ["value"] = figure.Value,
                ["presets"] = Array(figure.Presets.Select(preset => (JsonNode)preset)),
                ["note"] = figure.Note,
            })),
            ["targets"] = Array(specification.Targets.Select(target => new JsonObject
            {
                ["preset"] = target.Preset,
                ["metric"] = target.Metric,
                ["seeds"] = target.Seeds,
                ["at_least"] = target.AtLeast?.Value,
                ["at_most"] = target.AtMost?.Value,
                ["note"] = target.Note,
            })),
        };
    }

    /// <summary>A preset's hyperparameters as the command line takes them.</summary>
    private static JsonObject ToJson(Experiment experiment, Preset preset) => new()
    {
        ["name"] = preset.Name,
        ["summary"] = preset.Summary,
        ["hyperparameters"] = Array(experiment.Settings.Invoke(preset).Select(setting => new JsonObject
        {
            ["name"] = setting.Name,
            ["kind"] = setting.Kind,
            ["default"] = setting.Default,
            ["summary"] = setting.Summary,
        })),
    };

    private static JsonArray Array(IEnumerable<JsonNode> items) => new([.. items]);
}
