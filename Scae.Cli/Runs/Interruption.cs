using System;
using System.Diagnostics;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Scae.Cli.Reports;

namespace Scae.Cli.Runs;

/// <summary>
/// While it exists, handles Ctrl-C, the signal to terminate and the loss of the terminal: the first one asks the work to stop
/// and save, the second one ends the process at once. Some work, such as the search for neighbours, can't be stopped for
/// minutes; one line then says so. A batch system that ends a job tells all of its processes, and a script that tells its
/// training, too, makes two signals of one; so do a terminal that closes and its shell. So a second signal other than Ctrl-C
/// counts only when some time has passed. Under nohup the loss of the terminal stays ignored. Windows ends a program whose console
/// closes as soon as its handler returns, or after five seconds; so the handler waits for the work there.
/// </summary>
internal sealed class Interruption : IDisposable
{
    // Work that stops sooner reports it itself.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    // Less than what Windows gives a program whose console closes.
    private static readonly TimeSpan s_closing = TimeSpan.FromSeconds(4.5);

    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Stopwatch _sinceFirst = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration[] _signals;
    private Timer? _timer;
    private bool _isOver;

    public Interruption() =>
        _signals = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(signal => PosixSignalRegistration.Create(signal, Stop))];

    public CancellationToken Token => _stop.Token;

    public void Dispose()
    {
        _over.TrySetResult();

        // A signal that comes now may still be handled afterwards, on a thread of its own.
        foreach (var signal in _signals) signal.Dispose();
        lock (_lock)
        {
            _isOver = true;
            _timer?.Dispose();
            _stop.Dispose();
        }
    }

    private void Stop(PosixSignalContext context)
    {
        lock (_lock)
        {
            if (_isOver) return;
            bool isFirst = !_stop.IsCancellationRequested;
            context.Cancel = isFirst || (context.Signal != PosixSignal.SIGINT && _sinceFirst.Elapsed < s_patience);
            if (!context.Cancel) Terminal.ShowCursor();
            if (isFirst)
            {
                _sinceFirst.Start();
                _timer = new Timer(_ => Notice.Tell("stopping when what is under way is done; a second Ctrl-C ends the program at once"), null, s_patience, Timeout.InfiniteTimeSpan);
                _stop.Cancel();
            }
        }

        if (OperatingSystem.IsWindows() && context.Signal != PosixSignal.SIGINT) _over.Task.Wait(s_closing);
    }
}
