using System;
using System.Threading;
using Scae.Cli.Reports;

namespace Scae.Cli.Runs;

/// <summary>
/// The first failure among trainings beside each other. It ends the sweep when those under way are finished, which may take hours:
/// the user hears of it within seconds.
/// </summary>
internal sealed class FirstFailure : IDisposable
{
    // What ends sooner says so itself.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private Timer? _timer;

    /// <summary>What a training comes to.</summary>
    public Summary? Of(Func<Summary?> training)
    {
        try
        {
            return training();
        }
        catch (RunFailure failure)
        {
            string line = $"{failure.Message}; no other training begins, and those under way are finished";
            lock (_lock) _timer ??= new Timer(_ => Notice.Tell(line), null, s_patience, Timeout.InfiniteTimeSpan);
            throw;
        }
    }

    public void Dispose()
    {
        lock (_lock) _timer?.Dispose();
    }
}
