using System;
using Microsoft.FSharp.Collections;
using Scae.Cli.Reports;
using Scae.Core.Experiments;
using Scae.Core.Training;

namespace Scae.Cli.Runs;

/// <summary>A run opened again from its checkpoint.</summary>
internal sealed record SavedRun(Experiment Experiment, RunIdentity Identity, Session Session, TrainingState State)
{
    /// <summary>
    /// Opens the run in a folder with the scenes that it was trained with or, if an evaluation seed is given, with fresh
    /// ones. Hyperparameters that matter only to measuring can be given in place of the run's.
    /// </summary>
    public static SavedRun Open(RunFolder folder, Resources resources, long? evaluationSeed, FSharpList<Tuple<string, string>> measuring)
    {
        var file = folder.ReadCheckpoint();
        var identity = RunFailure.Unless(Checkpoint.identify(file), folder.Checkpoint);
        var experiment = RunFailure.Unless(Experiments.find(identity.Experiment), folder.Checkpoint);
        var preset = RunFailure.Unless(Experiments.preset(identity.Preset, experiment), folder.Checkpoint);
        RunFailure.Unless(ExperimentModule.restore(experiment, preset, identity.Settings), folder.Checkpoint);
        if (identity.Data is { } was && DigitSourceModule.fingerprint(resources, identity.Settings) is { } now && was.Value != now.Value)
        {
            string others = $"{folder.Path}: the run was trained with other images of --digits idx than are there";
            if (evaluationSeed is null) throw new RunFailure($"{others}; name their folder with --data", ExitCode.Usage);
            Notice.Tell($"{others}, and is measured on these");
        }

        var task = RunFailure.Unless(ExperimentModule.remeasure(experiment, preset, identity.Settings, measuring), exitCode: ExitCode.Usage);
        FreeMemory.CheckMeasuring(task);
        var session = RunFailure.Unless(evaluationSeed is { } seed
            ? ExperimentModule.openFresh(task, resources, identity.Seed, seed)
            : ExperimentModule.openSeed(task, resources, identity.Seed));
        var state = RunFailure.Unless(Checkpoint.restore(file, task.Plan, session.Learner), folder.Checkpoint);
        return new SavedRun(experiment, identity, session, state);
    }
}
