using System;
using System.Collections.Generic;
using Scae.Cli.Runs;

namespace Scae.Cli.Reports;

/// <summary>Shows the trainings of a sweep while they run, several at once. A training goes by a name of its own.</summary>
internal interface ISweepDisplay
{
    /// <summary>Runs the sweep within the display, and returns what its trainings came to.</summary>
    List<Summary> Show(Func<List<Summary>> sweep);

    /// <summary>The display of one training.</summary>
    IProgressDisplay Of(string training);

    /// <summary>A training is finished, now or by an earlier sweep; the line says what it came to.</summary>
    void Finished(string training, string line);

    /// <summary>A training failed, which is told otherwise: nothing more of it comes.</summary>
    void Failed(string training);
}
