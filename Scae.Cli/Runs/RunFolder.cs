using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Scae.Cli.Reports;
using Scae.Core.Training;
using Scae.Tensors;

namespace Scae.Cli.Runs;

/// <summary>The folder of a run: what lies where, and how it is written and read.</summary>
internal sealed class RunFolder
{
    // The files that training, export and report write in the folder itself. A write that was killed leaves such a name with an ending.
    private static readonly string[] s_names =
    [
        "last.safetensors", "best.safetensors", "summary.json", "metrics.jsonl", "events.out.tfevents", "run.json",
        "parameters.npz", "encoder.onnx", "report.html",
    ];

    private RunFolder(string path) => Path = path;

    public string Path { get; }

    public string Checkpoint => In("last.safetensors");

    /// <summary>The checkpoint before the last one; only runs that last some minutes keep it.</summary>
    public string Previous => In("previous.safetensors");

    public string Best => In("best.safetensors");

    public string Summary => In("summary.json");

    public string Metrics => In("metrics.jsonl");

    /// <summary>The event file for TensorBoard, if the run was asked for one.</summary>
    public string Events => In("events.out.tfevents");

    public string Settings => In("run.json");

    public string Figures => In("figures");

    public string Snapshots => In("snapshots");

    /// <summary>Whether there is a checkpoint to go on from.</summary>
    public bool HoldsRun => File.Exists(Checkpoint) || File.Exists(Previous);

    /// <summary>Whether there are results of a run, with a checkpoint or without.</summary>
    public bool HoldsResults => HoldsRun || File.Exists(Best) || File.Exists(Metrics) || File.Exists(Summary);

    /// <summary>Whether a run began here, even if it was killed before its first checkpoint.</summary>
    public bool WasBegun => HoldsResults || HoldsSettings;

    // What training writes in the folder itself.
    private string[] Files => [Checkpoint, Previous, Best, Summary, Metrics, Events, Settings];

    // A file with this common name may be somebody else's.
    private bool HoldsSettings => File.Exists(Settings) && RunSettings.Identity(File.ReadAllText(Settings)) is not null;

    public bool IsFinished => File.Exists(Summary);

    public static RunFolder At(string path) => new(path);

    /// <summary>The folder that a command was given. An empty word, which results from an unset shell variable, is refused.</summary>
    public static RunFolder Given(string command, string path) => string.IsNullOrWhiteSpace(path)
        ? throw new RunFailure($"scae {command}: needs a run's folder, such as scae {command} runs/constellations-published-0", ExitCode.Usage)
        : At(path);

    /// <summary>The folder of a run for which none was given: runs/EXPERIMENT-PRESET-SEED.</summary>
    public static string DefaultPath(string experiment, string preset, long seed) =>
        System.IO.Path.Combine("runs", $"{experiment}-{preset}-{seed}");

    /// <summary>
    /// The first of path, path-2, path-3, … that is free, locked. A folder is free if no run began in it, no other process
    /// is about to begin one, and it has no files of others that a run would overwrite.
    /// </summary>
    public static (RunFolder Folder, RunLock Lock) TakeFirstFree(string path)
    {
        for (int number = 1; ; number++)
        {
            var candidate = At(number == 1 ? path : $"{path}-{number}");
            if (candidate.WasBegun || candidate.Others is not null || RunLock.TryTake(candidate.Path, out _) is not { } taken) continue;
            if (!candidate.WasBegun) return (candidate, taken);
            taken.Dispose();
        }
    }

    /// <summary>The one of path, path-2, path-3, … that a run wrote to last; path itself if there is none.</summary>
    public static string LastUsed(string path)
    {
        string parent = System.IO.Path.GetDirectoryName(path) is { Length: > 0 } named ? named : ".", name = System.IO.Path.GetFileName(path);
        if (!Directory.Exists(parent)) return path;
        var numbered = from folder in Directory.EnumerateDirectories(parent, name + "-*")
                       let number = System.IO.Path.GetFileName(folder)[(name.Length + 1)..]
                       where int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out _)
                       select $"{path}-{number}";
        return numbered.Prepend(path).Where(each => At(each).WasBegun).MaxBy(each => (File.GetLastWriteTimeUtc(At(each).Settings), each.Length, each)) ?? path;
    }

    /// <summary>
    /// Prepares the folder for a run, before there is anything to lose. Refuses a folder with the name of a run's file, a
    /// file with the name of a run's folder, and files that aren't a run's. Removes unfinished files that killed processes
    /// left.
    /// </summary>
    public void Prepare()
    {
        foreach (string file in Files)
        {
            if (Directory.Exists(file)) throw new RunFailure($"{file}: a folder is where a file of the run belongs; rename it");
        }

        foreach (string folder in (string[])[Figures, Snapshots])
        {
            if (File.Exists(folder)) throw new RunFailure($"{folder}: a file is where a folder of the run belongs; rename it");
        }

        SpareOthers();
        if (!WasBegun) return;
        AtomicFile.RemoveUnfinished(Path, name => s_names.Contains(name));
        AtomicFile.RemoveUnfinished(Figures, name => System.IO.Path.GetExtension(name) is ".png" or ".svg" or ".gif");
        AtomicFile.RemoveUnfinished(Snapshots, IsSnapshot);
    }

    /// <summary>
    /// Refuses a folder in which no run began, but which has files that a run would delete, overwrite or mix with its own:
    /// they belong to somebody else. Files of a run that was killed before it wrote run.json aren't among them.
    /// </summary>
    public void SpareOthers()
    {
        if (Others is { } name)
            throw new RunFailure($"{Path}: {name} is there, and no run of scae began there, which would write over it; choose another folder with --out", ExitCode.Usage);
    }

    // The first name of a run's that is taken in a folder where no run began. Only these names are checked, since any other
    // file of a run would make the folder one in which a run began. Hidden files belong to file managers, and no run
    // overwrites them.
    private string? Others => WasBegun ? null
        : File.Exists(Settings) ? System.IO.Path.GetFileName(Settings)
        : File.Exists(Events) ? System.IO.Path.GetFileName(Events)
        : ((string[])[Figures, Snapshots]).Where(Directory.Exists).SelectMany(folder => Directory.EnumerateFiles(folder)).Order(StringComparer.Ordinal)
            .Where(file => !System.IO.Path.GetFileName(file).StartsWith('.')).Select(file => System.IO.Path.GetRelativePath(Path, file)).FirstOrDefault();

    /// <summary>Removes what an earlier run left and a new one wouldn't overwrite; does nothing if no run began here.</summary>
    public void Clear()
    {
        if (!WasBegun) return;
        foreach (string file in (string[])[Summary, Metrics, Events, Best, Previous]) AtomicFile.Delete(file);
        foreach (string snapshot in SnapshotFiles()) AtomicFile.Delete(snapshot);
    }

    /// <summary>Keeps a snapshot for the animation. It isn't flushed to the disk: if it gets lost, only a frame is missing.</summary>
    public void WriteSnapshot(int step, byte[] bytes)
    {
        // The run's own folder isn't made again: it would have no lock.
        if (Directory.Exists(Path)) Directory.CreateDirectory(Snapshots);
        AtomicFile.Write(System.IO.Path.Combine(Snapshots, $"{step:00000000}.safetensors"), bytes, flush: false);
    }

    /// <summary>
    /// The evaluations of a state and the snapshots up to it. Damaged ones are left out, and those of other versions that hold
    /// something else.
    /// </summary>
    public History ReadHistory(TrainingState state)
    {
        var present = new Lazy<HashSet<(string, string, Dtype)>>(() => Layout(TrainingStateModule.snapshot(state)));
        var snapshots = from path in SnapshotFiles()
                        let parsed = Safetensors.parse(File.ReadAllBytes(path))
                        where parsed.IsOk
                        let snapshot = Core.Training.Checkpoint.restoreSnapshot(parsed.ResultValue)
                        where snapshot.IsOk && snapshot.ResultValue.Step <= state.Step && Layout(snapshot.ResultValue).SetEquals(present.Value)
                        select snapshot.ResultValue;
        return new History(state.Evaluations, ListModule.OfSeq(snapshots));
    }

    // What is in a snapshot, and of which shapes. These may depend on hyperparameters of measuring, too.
    private static HashSet<(string Name, string Shape, Dtype Kind)> Layout(Snapshot snapshot) =>
        [.. snapshot.Values.Select(value => (value.Item1, string.Join(',', value.Item2.shape), value.Item2.dtype))];

    public void WriteSettings(RunIdentity identity, int threads, SavedAt? saved) =>
        AtomicFile.Write(Settings, RunSettings.ToJson(identity, threads, saved));

    /// <summary>Writes one line per evaluation. Seconds count from the start of training and include earlier sessions.</summary>
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

    /// <summary>The seconds of each evaluation so far. If the file is damaged, there are fewer than evaluations.</summary>
    public List<double> ReadSeconds()
    {
        var seconds = new List<double>();
        if (!File.Exists(Metrics)) return seconds;
        try
        {
            foreach (string line in File.ReadLines(Metrics)) seconds.Add(JsonNode.Parse(line)!["seconds"]!.GetValue<double>());
        }
        catch (Exception problem) when (Json.IsDamage(problem))
        {
            // Times are only information for people. A line that can't be read ends the list, and nothing else depends on it.
        }

        return seconds;
    }

    /// <summary>The time that the run had spent when its checkpoint was written; null if that isn't known.</summary>
    public SavedAt? ReadSaved() => File.Exists(Settings) ? RunSettings.Saved(File.ReadAllText(Settings)) : null;

    /// <summary>
    /// Which run this is: what its checkpoint says, or run.json if it was killed before its first checkpoint. Results
    /// without a checkpoint are refused, because beginning again would overwrite them.
    /// </summary>
    public RunIdentity ReadIdentity()
    {
        if (!HoldsResults && File.Exists(Settings))
            return RunSettings.Identity(File.ReadAllText(Settings)) ?? throw new RunFailure($"{Settings}: the file is damaged, and there is no checkpoint; begin again without --resume", isOfOneRun: true);
        return RunFailure.Unless(Core.Training.Checkpoint.identify(ReadCheckpoint()), Checkpoint);
    }

    /// <summary>
    /// The checkpoint, verified. If the last one is damaged or missing, the one before is taken, and a line says so. If
    /// that one isn't usable either, an error of one line says what is wrong.
    /// </summary>
    public SafetensorsFile ReadCheckpoint() => ReadCheckpoint(out _);

    /// <summary>The same, and whether it is the last one.</summary>
    public SafetensorsFile ReadCheckpoint(out bool isLast)
    {
        if (!Directory.Exists(Path)) throw new RunFailure($"{Path}: there is no such folder; scae train leaves one under runs/");
        if (!HoldsRun)
        {
            string what = HoldsResults
                ? $"{Path}: the folder holds results of a run, but its last.safetensors is gone; nothing can go on from them, and nothing was changed"
                : $"{Path}: the folder holds no last.safetensors; it isn't a run, or its training never reached its first checkpoint";
            throw new RunFailure(what, isOfOneRun: true);
        }

        var last = Whole(Checkpoint);
        isLast = last.IsOk;
        if (isLast) return last.ResultValue;
        var previous = Whole(Previous);
        if (previous.IsError) throw new RunFailure($"{Checkpoint}: {last.ErrorValue}", isOfOneRun: true);
        Notice.TellOnce($"{Checkpoint}: {last.ErrorValue}; going on from {System.IO.Path.GetFileName(Previous)}, the checkpoint before it");
        return previous.ResultValue;
    }

    /// <summary>
    /// Whether a path is a run's own, or leads there by a link: that of its checkpoints, its numbers and its lock, and any in its folders
    /// of pictures and snapshots, but not that of what other commands make of a run.
    /// </summary>
    public static bool IsOfRun(string path)
    {
        var file = new FileInfo(path);
        string target = file.LinkTarget is null ? file.FullName : file.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? file.FullName;
        string folder = System.IO.Path.GetDirectoryName(target) ?? target;
        var run = At(folder);
        string[] own = [.. run.Files, run.In(RunLock.Name)];
        if (run.WasBegun) return own.Any(file => IsSame(file, target));
        var outer = At(System.IO.Path.GetDirectoryName(folder) ?? folder);
        return outer.WasBegun && (IsSame(outer.Figures, folder) || IsSame(outer.Snapshots, folder));

        // Some systems don't tell small letters from capitals.
        static bool IsSame(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
    }

    private static FSharpResult<SafetensorsFile, string> Whole(string path)
    {
        if (!File.Exists(path)) return FSharpResult<SafetensorsFile, string>.NewError("the file is missing");
        var file = Safetensors.parse(File.ReadAllBytes(path));
        if (file.IsError) return file;
        var identity = Core.Training.Checkpoint.identify(file.ResultValue);
        return identity.IsOk ? file : FSharpResult<SafetensorsFile, string>.NewError(identity.ErrorValue);
    }

    private IEnumerable<string> SnapshotFiles() =>
        Directory.Exists(Snapshots) ? Directory.EnumerateFiles(Snapshots).Where(path => IsSnapshot(System.IO.Path.GetFileName(path))).Order(StringComparer.Ordinal) : [];

    // As WriteSnapshot names them: at least eight digits.
    private static bool IsSnapshot(string name) =>
        System.IO.Path.GetExtension(name) == ".safetensors" && System.IO.Path.GetFileNameWithoutExtension(name) is { Length: >= 8 } step && step.All(char.IsAsciiDigit);

    public string In(string name) => System.IO.Path.Combine(Path, name);
}
