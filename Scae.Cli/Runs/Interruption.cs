using System;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading;
using Scae.Cli.Reports;

namespace Scae.Cli.Runs;

/// <summary>
/// While it exists, handles Ctrl-C and the signal to terminate: the first one asks the work to stop and save, the second
/// one ends the process at once. Some work, such as the search for neighbours, can't be stopped for minutes; one line then
/// says so. A batch system that ends a job tells all of its processes, and a script that tells its training, too, makes two
/// signals of one: a second signal to terminate counts only when some time has passed.
/// </summary>
internal sealed class Interruption : IDisposable
{
    // Work that stops sooner reports it itself.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private readonly Stopwatch _sinceFirst = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;
    private Timer? _timer;

    public Interruption()
    {
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    }

    public CancellationToken Token => _stop.Token;

    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
        _timer?.Dispose();
        _stop.Dispose();
    }

    private void Stop(PosixSignalContext context)
    {
        bool isFirst = !_stop.IsCancellationRequested;
        context.Cancel = isFirst || (context.Signal == PosixSignal.SIGTERM && _sinceFirst.Elapsed < s_patience);
        if (!context.Cancel) Terminal.ShowCursor();
        if (!isFirst) return;
        _sinceFirst.Start();
        _timer = new Timer(_ => Notice.Tell("stopping when what is under way is done; a second Ctrl-C ends the program at once"), null, s_patience, Timeout.InfiniteTimeSpan);
        _stop.Cancel();
    }
}
