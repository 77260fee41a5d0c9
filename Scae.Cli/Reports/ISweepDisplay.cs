using System;
using System.Collections.Generic;
using Scae.Cli.Runs;

namespace Scae.Cli.Reports;

/// <summary>Shows the trainings of a sweep while they run, several at once. A training goes by a name of its own.</summary>
internal interface ISweepDisplay
{
    /// <summary>Runs the sweep within the display, and returns the summaries of its trainings.</summary>
    List<Summary> Show(Func<List<Summary>> sweep);

    /// <summary>The display of one training.</summary>
    IProgressDisplay Of(string training);

    /// <summary>Must be called when a training is finished, now or by an earlier sweep; the line tells its results.</summary>
    void Finished(string training, string line);

    /// <summary>
    /// Must be called when a training failed. The failure itself is told elsewhere; nothing more follows from this
    /// training.
    /// </summary>
    void Failed(string training);
}
