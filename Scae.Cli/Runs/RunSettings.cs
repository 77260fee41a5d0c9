using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.Json.Nodes;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Scae.Core.Training;

namespace Scae.Cli.Runs;

/// <summary>The step that comes next after a checkpoint, and what the run had spent by then.</summary>
internal sealed record SavedAt(int Step, Spent Spent);

/// <summary>
/// run.json: every resolved hyperparameter, seed, version, dtype and threads, for people and for Python; and the time that
/// the run had spent when its checkpoint was written, because checkpoints hold no times.
/// </summary>
internal static class RunSettings
{
    public static string ToJson(RunIdentity identity, int threads, SavedAt? saved)
    {
        var settings = new JsonObject();
        foreach (var (name, value) in identity.Settings) settings[name] = Typed(value);
        var root = new JsonObject
        {
            ["experiment"] = identity.Experiment,
            ["preset"] = identity.Preset,
            ["seed"] = identity.Seed,
            ["version"] = identity.Version,
            ["dtype"] = "float32",
            ["threads"] = threads,
            ["settings"] = settings,
        };
        if (identity.Data is { } data) root["data_sha256"] = data.Value;
        if (saved is not null) root["saved"] = ToJson(saved);
        return root.ToJsonString(Json.Indented) + "\n";
    }

    /// <summary>The identity of the run; null if the text isn't what <see cref="ToJson(RunIdentity, int, SavedAt?)"/> wrote.</summary>
    public static RunIdentity? Identity(string text) => Read(text, root => new RunIdentity(
        root["experiment"]!.GetValue<string>(),
        root["preset"]!.GetValue<string>(),
        root["seed"]!.GetValue<long>(),
        ListModule.OfSeq(root["settings"]!.AsObject().Select(pair => Tuple.Create(pair.Key, pair.Value!.ToString()))),
        root["version"]!.GetValue<string>(),
        root["data_sha256"] is { } data ? FSharpOption<string>.Some(data.GetValue<string>()) : null));

    /// <summary>The time that had been spent when the checkpoint was written; null if that isn't known.</summary>
    public static SavedAt? Saved(string text) => Read(text, root => root["saved"] is { } saved
        ? new SavedAt(saved["step"]!.GetValue<int>(), new Spent(
            Seconds(saved, "train_seconds"), Seconds(saved, "evaluate_seconds"), Seconds(saved, "figures_seconds"), Seconds(saved, "seconds"), saved["ms_per_step"]?.GetValue<double>()))
        : null);

    /// <summary>Whether a run's data is in a folder of the user's own, which the command that repeats it must name.</summary>
    public static bool HasOwnData(IEnumerable<Tuple<string, string>> settings)
    {
        var values = settings.ToDictionary(pair => pair.Item1, pair => pair.Item2);
        string source = values.GetValueOrDefault("source", "digits");
        return source switch
        {
            "sprites" => values.GetValueOrDefault("sprites") == "file",
            "shapes" => false,
            _ => values.GetValueOrDefault("digits") == "idx",
        };
    }

    private static JsonObject ToJson(SavedAt saved)
    {
        var result = new JsonObject
        {
            ["step"] = saved.Step,
            ["seconds"] = Math.Round(saved.Spent.Total, 3),
            ["train_seconds"] = Math.Round(saved.Spent.Train, 3),
            ["evaluate_seconds"] = Math.Round(saved.Spent.Evaluate, 3),
            ["figures_seconds"] = Math.Round(saved.Spent.Figures, 3),
        };
        if (saved.Spent.Step is { } step) result["ms_per_step"] = Math.Round(step, 4);
        return result;
    }

    private static double Seconds(JsonNode saved, string name) => saved[name]!.GetValue<double>();

    private static T? Read<T>(string text, Func<JsonNode, T?> read)
        where T : class
    {
        try
        {
            return read(JsonNode.Parse(text)!);
        }
        catch (Exception problem) when (Json.IsDamage(problem))
        {
            return null;
        }
    }

    // Separators of thousands aren't allowed: "2,4,5" is a list and stays text.
    private static JsonNode? Typed(string value)
    {
        if (value is "true" or "false") return value == "true";
        return double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _) ? JsonNode.Parse(value.ToLowerInvariant()) : value;
    }
}
