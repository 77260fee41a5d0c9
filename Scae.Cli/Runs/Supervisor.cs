using System;
using System.Threading;
using Scae.Core.Training;

namespace Scae.Cli.Runs;

/// <summary>
/// Answers a training's questions and passes on its progress. The training stops when the token says so, and a checkpoint
/// is due when enough time has passed since the last one. Progress goes to a function, and a clock learns what the time was
/// spent on.
/// </summary>
internal sealed class Supervisor(CancellationToken stop, TimeSpan saveEvery, RunClock clock, TimeProvider time, Action<Progress> report) : ISupervisor
{
    private long _saved = time.GetTimestamp();

    public bool ShouldStop() => stop.IsCancellationRequested;

    public bool ShouldSave() => time.GetElapsedTime(_saved) >= saveEvery;

    public void Report(Progress value)
    {
        if (value.IsStepped) clock.Stepped();
        else if (value.IsEvaluated) clock.Evaluated();
        report(value);
        if (value.IsSaveDue || value.IsEvaluated) _saved = time.GetTimestamp();
        clock.Mark();
    }
}
