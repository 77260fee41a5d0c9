using System;
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
    public static int Run(bool json)
    {
        var specifications = Experiments.all.Select(experiment => experiment.Specification).ToList();
        if (json)
        {
            var all = new JsonArray();
            foreach (var specification in specifications) all.Add(ToJson(specification));
            Console.Out.WriteLine(all.ToJsonString(Json.Indented));
            return ExitCode.Success;
        }

        foreach (var specification in specifications)
        {
            var console = Tables.Console;
            console.MarkupLineInterpolated($"[bold]{specification.Experiment}[/]: {specification.Summary}");
            console.MarkupLineInterpolated($"  {specification.Paper}");
            var presets = Tables.New("preset", "what it is");
            foreach (var preset in specification.Presets) presets.AddRow(Markup.Escape(preset.Name), Markup.Escape(preset.Summary));
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

    private static JsonObject ToJson(Specification specification) => new()
    {
        ["experiment"] = specification.Experiment,
        ["title"] = specification.Title,
        ["paper"] = specification.Paper,
        ["presets"] = new JsonArray([.. specification.Presets.Select(preset => (JsonNode)preset.Name)]),
    };
}
