using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Scae.Cli.Runs;
using Scae.Core.CommandLine;

namespace Scae.Cli.Slurm;

/// <summary>
/// A sweep as array jobs of Slurm, more than one if an array can't count that far. Each task of a script trains one run. A
/// task that is requeued or submitted again goes on from its run's checkpoint; a task whose time runs out saves and asks to
/// be requeued.
/// </summary>
/// <param name="Sweep">What is swept.</param>
/// <param name="Given">The resources that a task is given.</param>
/// <param name="Folder">The sweep's folder as an absolute path, since tasks may start in another folder.</param>
/// <param name="Program">The words that start scae.</param>
internal sealed record ArrayJob(SweepOptions Sweep, SlurmOptions Given, string Folder, IReadOnlyList<string> Program)
{
    /// <summary>How many seconds before its end a task is told to save.</summary>
    public const int Warning = 60;

    /// <summary>The folder of the script and of what the tasks print.</summary>
    public string Place => Path.Combine(Folder, "slurm");

    /// <summary>The script that sbatch takes.</summary>
    /// <param name="tasks">The places of the unfinished runs in ascending order, counted from the offset.</param>
    /// <param name="offset">The place that the array's task 0 has in the sweep.</param>
    public string Script(IReadOnlyList<int> tasks, int offset = 0)
    {
        string task = offset == 0 ? "$SLURM_ARRAY_TASK_ID" : $"$(({offset} + SLURM_ARRAY_TASK_ID))";
        string command = string.Join(' ', Program.Concat(Words()).Select(Shell.Quote));
        List<string> lines =
        [
            "#!/bin/bash",
            $"#SBATCH --job-name=scae-{Sweep.Experiment.Specification.Experiment}",
            $"#SBATCH --array={Ranges([.. tasks.Select(place => place - offset)])}",
            "#SBATCH --ntasks=1",
            $"#SBATCH --cpus-per-task={Given.Cpus}",
            "#SBATCH --requeue",
            "#SBATCH --open-mode=append",
            $"#SBATCH --signal=B:USR1@{Warning}",
        ];
        if (Given.Partition is { } partition) lines.Add($"#SBATCH --partition={partition.Value}");
        if (Given.Time is { } time) lines.Add($"#SBATCH --time={time.Value}");
        lines.AddRange(
        [
            "# Written by scae sweep --slurm. A task trains one run of the sweep and goes on from its checkpoint where there is one.",
            $"{command} --task \"{task}\" --threads \"${{SLURM_CPUS_PER_TASK:-{Given.Cpus}}}\" &",
            "training=$!",
            "# The time is nearly up: the training saves, and the task waits for its next turn.",
            "save_and_requeue() {",
            "    kill -TERM \"$training\"",
            "    wait \"$training\"",
            "    scontrol requeue \"${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID\" && exit 0",
            "    exit 1",
            "}",
            "trap save_and_requeue USR1",
            "trap 'kill -TERM \"$training\"' TERM",
            "wait \"$training\"",
            "result=$?",
            "# A signal ends the first wait before the training has saved.",
            "while kill -0 \"$training\" 2>/dev/null; do wait \"$training\"; result=$?; done",
            "exit \"$result\"",
        ]);
        return string.Join('\n', lines) + "\n";
    }

    /// <summary>The command that collects the results of the sweep's finished runs.</summary>
    public string Collecting => string.Join(' ', new[] { "scae" }.Concat(Words()).Append("--collect").Select(Shell.Quote));

    /// <summary>Numbers as sbatch takes them: 0-3,5.</summary>
    public static string Ranges(IReadOnlyList<int> numbers)
    {
        var ranges = new List<(int First, int Last)>();
        foreach (int number in numbers)
        {
            if (ranges.Count > 0 && ranges[^1].Last == number - 1) ranges[^1] = (ranges[^1].First, number);
            else ranges.Add((number, number));
        }

        return string.Join(',', ranges.Select(range => range.First == range.Last ? $"{range.First}" : $"{range.First}-{range.Last}"));
    }

    /// <summary>The words of the sweep as it was asked for, without the options that say who trains it.</summary>
    private List<string> Words()
    {
        List<string> words = ["sweep", Sweep.Experiment.Specification.Experiment];
        if (Sweep.Compared.IsEmpty) words.AddRange(["--preset", Sweep.Preset.Name]);
        else words.AddRange(["--presets", string.Join(',', Sweep.Compared.Select(preset => preset.Name))]);
        words.AddRange(["--seeds", Sweep.Seeds.Count == 1 ? $"{Sweep.Seeds.First}" : $"{Sweep.Seeds.First}..{Sweep.Seeds.Last}"]);
        foreach (var axis in Sweep.Vary) words.AddRange(["--vary", $"{axis.Name}={string.Join(',', axis.Values)}"]);
        foreach (var (name, value) in Sweep.Overrides) words.AddRange([$"--{name}", value]);
        words.AddRange(["--out", Folder]);
        if (Sweep.Training.Data is { } data) words.AddRange(["--data", Path.GetFullPath(data.Value)]);
        if (Sweep.Training.TensorBoard) words.Add("--tensorboard");
        return words;
    }
}
