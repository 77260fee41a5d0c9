using System;
using System.Diagnostics;
using System.Threading;
using Scae.Core.Training;

namespace Scae.Cli.Runs;

/// <summary>
/// What a training asks and tells: it stops when the token says so, a checkpoint is due when enough time has passed since
/// the last one, and progress goes to a function.
/// </summary>
internal sealed class Supervisor(CancellationToken stop, TimeSpan saveEvery, Action<Progress> report) : ISupervisor
{
    private long _saved = Stopwatch.GetTimestamp();

    public bool ShouldStop() => stop.IsCancellationRequested;

    public bool ShouldSave() => Stopwatch.GetElapsedTime(_saved) >= saveEvery;

    public void Report(Progress value)
    {
        report(value);
        if (value.IsSaveDue || value is Progress.Evaluated) _saved = Stopwatch.GetTimestamp();
    }
}
