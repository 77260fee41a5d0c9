using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.FSharp.Collections;
using Scae.Core.Training;

namespace Scae.Cli.Runs;

/// <summary>The step before which a run was saved between two evaluations, and the seconds that it had trained by then.</summary>
internal sealed record SavedAt(int Step, double Seconds);

/// <summary>The folder of a run: what lies where, and how it is written and read.</summary>
internal sealed class RunFolder
{
    private RunFolder(string path) => Path = path;

    public string Path { get; }

    public string Checkpoint => In("last.safetensors");

    public string Best => In("best.safetensors");

    public string Summary => In("summary.json");

    public string Metrics => In("metrics.jsonl");

    public string Settings => In("run.json");

    public string Figures => In("figures");

    public string Snapshots => In("snapshots");

    /// <summary>Whether there is a checkpoint to go on from.</summary>
    public bool HoldsRun => File.Exists(Checkpoint);

    /// <summary>Whether a run began here, be it that it was killed before its first checkpoint and left nothing to keep.</summary>
    public bool WasBegun => HoldsRun || File.Exists(Settings);

    public bool IsFinished => File.Exists(Summary);

    public static RunFolder At(string path) => new(path);

    /// <summary>The folder that a command was given; a word without letters, as an unset variable leaves it, names none.</summary>
    public static RunFolder Given(string command, string path) => string.IsNullOrWhiteSpace(path)
        ? throw new RunFailure($"scae {command}: needs a run's folder, such as scae {command} runs/constellations-published-0", ExitCode.Usage)
        : At(path);

    /// <summary>The folder of a run that wasn't given one: runs/EXPERIMENT-PRESET-SEED.</summary>
    public static string DefaultPath(string experiment, string preset, long seed) =>
        System.IO.Path.Combine("runs", $"{experiment}-{preset}-{seed}");

    /// <summary>The first of path, path-2, path-3, … in which no run began; one that has no checkpoint yet may be under way.</summary>
    public static string FirstFree(string path)
    {
        for (int number = 1; ; number++)
        {
            string candidate = number == 1 ? path : $"{path}-{number}";
            if (!At(candidate).WasBegun) return candidate;
        }
    }

    /// <summary>The last of path, path-2, path-3, … in which a run began; path itself if there is none.</summary>
    public static string LastUsed(string path)
    {
        string last = path;
        for (int number = 2; At($"{path}-{number}").WasBegun; number++) last = $"{path}-{number}";
        return last;
    }

    /// <summary>Makes the folder, or says in one line why it can't be written.</summary>
    public void Prepare()
    {
        try
        {
            Directory.CreateDirectory(Figures);
            Directory.CreateDirectory(Snapshots);
            AtomicFile.Write(In("writable"), string.Empty);
            File.Delete(In("writable"));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new RunFailure($"--out {Path}: the folder can't be written ({problem.Message.TrimEnd('.')}); choose another with --out");
        }
    }

    /// <summary>Removes what an earlier run left that a new one wouldn't write over.</summary>
    public void Clear()
    {
        File.Delete(Summary);
        foreach (string snapshot in SnapshotFiles()) File.Delete(snapshot);
    }

    /// <summary>A moment for the animation. One that is lost with the machine's power is a missing frame.</summary>
    public void WriteSnapshot(int step, byte[] bytes)
    {
        string path = System.IO.Path.Combine(Snapshots, $"{step:00000000}.safetensors");
        File.WriteAllBytes(path + ".unfinished", bytes);
        File.Move(path + ".unfinished", path, overwrite: true);
    }

    /// <summary>The evaluations of a state and the snapshots up to it; damaged ones are left out.</summary>
    public History ReadHistory(TrainingState state)
    {
        var snapshots = from path in SnapshotFiles()
                        let parsed = Safetensors.parse(File.ReadAllBytes(path))
                        where parsed.IsOk
                        let snapshot = Core.Training.Checkpoint.restoreSnapshot(parsed.ResultValue)
                        where snapshot.IsOk && snapshot.ResultValue.Step <= state.Step
                        select snapshot.ResultValue;
        return new History(state.Evaluations, ListModule.OfSeq(snapshots));
    }

    /// <summary>
    /// Every resolved hyperparameter, seed, version, dtype and threads, for people and for Python; and where and when the
    /// run was saved between evaluations, since the checkpoint knows no clock.
    /// </summary>
    public void WriteSettings(RunIdentity identity, int threads, SavedAt? saved)
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
        if (saved is not null) root["saved"] = new JsonObject { ["step"] = saved.Step, ["seconds"] = Math.Round(saved.Seconds, 3) };
        AtomicFile.Write(Settings, root.ToJsonString(Json.Indented) + "\n");
    }

    /// <summary>A line an evaluation; seconds since the start of training, those of earlier sessions included.</summary>
    public void WriteMetrics(IEnumerable<Evaluation> evaluations, IReadOnlyList<double> seconds)
    {
        var lines = evaluations.Select((evaluation, i) =>
        {
            var line = new JsonObject
            {
                ["epoch"] = evaluation.Epoch,
                ["step"] = evaluation.Step,
                ["seconds"] = Math.Round(seconds[i], 3),
                ["train_loss"] = Json.Number(evaluation.TrainLoss),
            };
            foreach (var (name, value) in evaluation.Metrics) line[name] = Json.Number(value);
            return line.ToJsonString();
        });
        AtomicFile.Write(Metrics, string.Concat(lines.Select(line => line + "\n")));
    }

    /// <summary>The seconds of each evaluation so far; fewer than there are evaluations if the file is damaged.</summary>
    public List<double> ReadSeconds()
    {
        var seconds = new List<double>();
        if (!File.Exists(Metrics)) return seconds;
        try
        {
            foreach (string line in File.ReadLines(Metrics)) seconds.Add(JsonNode.Parse(line)!["seconds"]!.GetValue<double>());
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or NullReferenceException)
        {
            // Times are for people; a line that can't be read ends them and nothing else depends on it.
        }

        return seconds;
    }

    /// <summary>Where the run was saved between evaluations, if it was.</summary>
    public SavedAt? ReadSaved()
    {
        if (!File.Exists(Settings)) return null;
        try
        {
            return JsonNode.Parse(File.ReadAllText(Settings))!["saved"] is { } saved
                ? new SavedAt(saved["step"]!.GetValue<int>(), saved["seconds"]!.GetValue<double>())
                : null;
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or NullReferenceException)
        {
            // As with the times of evaluations: nothing else depends on it.
            return null;
        }
    }

    /// <summary>The checkpoint's tensors, checked; a damaged or foreign file is refused in one line.</summary>
    public SafetensorsFile ReadCheckpoint()
    {
        if (!Directory.Exists(Path)) throw new RunFailure($"{Path}: there is no such folder; scae train leaves one under runs/");
        if (!File.Exists(Checkpoint)) throw new RunFailure($"{Path}: the folder holds no last.safetensors; it isn't a run, or its training never reached the end of an epoch");
        return RunFailure.Unless(Safetensors.parse(File.ReadAllBytes(Checkpoint)), Checkpoint);
    }

    private IEnumerable<string> SnapshotFiles() =>
        Directory.Exists(Snapshots) ? Directory.EnumerateFiles(Snapshots, "*.safetensors").Order(StringComparer.Ordinal) : [];

    public string In(string name) => System.IO.Path.Combine(Path, name);

    private static JsonNode? Typed(string value)
    {
        if (value is "true" or "false") return value == "true";
        return double.TryParse(value, System.Globalization.CultureInfo.InvariantCulture, out _) ? JsonNode.Parse(value.ToLowerInvariant()) : value;
    }
}
