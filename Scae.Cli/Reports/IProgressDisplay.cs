using System;
using Scae.Cli.Runs;
using Scae.Core.Experiments;
using Scae.Core.Training;

namespace Scae.Cli.Reports;

/// <summary>Shows a training while it runs.</summary>
internal interface IProgressDisplay
{
    /// <summary>
    /// Runs the training within the display. The display passes it the function to call at each progress, and returns its
    /// outcome.
    /// </summary>
    Outcome Show(Specification specification, Preset preset, long seed, Plan plan, TrainingState state, Func<Action<Progress>, Outcome> training);

    /// <summary>Shows what is done after the last step, which may take minutes, and does it.</summary>
    Summary Finish(string what, Func<Summary> work);
}
