using System;
using Scae.Cli.Runs;
using Scae.Core.Experiments;
using Scae.Core.Training;

namespace Scae.Cli.Reports;

/// <summary>Shows nothing of a training: --quiet and --json.</summary>
internal sealed class SilentDisplay : IProgressDisplay
{
    public Outcome Show(Specification specification, Preset preset, long seed, Plan plan, TrainingState state, Func<Action<Progress>, Outcome> training) =>
        training(_ => { });

    public Summary Finish(string what, Func<Summary> work) => work();
}
