using System;
using System.Collections.Generic;
using Scae.Cli.Runs;

namespace Scae.Cli.Reports;

/// <summary>Shows nothing of a sweep: --quiet and --json.</summary>
internal sealed class SilentSweepDisplay : ISweepDisplay
{
    public List<Summary> Show(Func<List<Summary>> sweep) => sweep();

    public IProgressDisplay Of(string training) => new SilentDisplay();

    public void Failed(string training)
    {
    }

    public void Finished(string training, string line)
    {
    }
}
