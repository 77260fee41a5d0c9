using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Scae.Cli.Reports;

namespace Scae.Cli.Runs;

/// <summary>
/// What fails among trainings beside each other. What is one training's own fault, such as diverging, keeps no other from its turn;
/// a full disk or a lack of memory ends the sweep when those under way are finished. Either may be hours before the end: the user
/// hears of it within seconds, and again at the end.
/// </summary>
internal sealed class SweepFailures : IDisposable
{
    // How many failures are told one by one.
    private const int MostNamed = 10;

    // What ends sooner says so itself.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly List<string> _failed = [];
    private readonly List<Timer> _timers = [];

    /// <summary>What a training comes to; null where it was stopped, or failed by its own fault.</summary>
    public Summary? Of(Func<Summary?> training)
    {
        try
        {
            return training();
        }
        catch (RunFailure failure) when (failure.IsOfOneRun)
        {
            lock (_lock) _failed.Add(failure.Message);
            TellLater($"{failure.Message}; the other trainings go on", MostNamed);
            return null;
        }
        catch (RunFailure failure)
        {
            TellLater($"{failure.Message}; no other training begins, and those under way are finished", int.MaxValue);
            throw;
        }
    }

    /// <summary>
    /// Fails where one of so many trainings has; of several each has a line, and the last one counts them. What the others are of
    /// that are finished, can be said.
    /// </summary>
    public void ThrowIfAny(long count, string of = "")
    {
        Dispose();
        if (_failed.Count == 0) return;
        string others = _failed.Count < count ? $"; the others{of} are finished" : string.Empty;
        if (_failed.Count == 1) throw new RunFailure(_failed[0] + others);
        TellAll();
        throw new RunFailure($"{_failed.Count} of {count} trainings failed{others}");
    }

    /// <summary>Tells of all, some of whom would be told later, before what ends the sweep is told.</summary>
    public void TellAll()
    {
        Dispose();
        lock (_lock)
        {
            foreach (string line in _failed.Take(MostNamed)) Notice.Tell(line);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var timer in _timers) timer.Dispose();
            _timers.Clear();
        }
    }

    private void TellLater(string line, int most)
    {
        lock (_lock)
        {
            if (_timers.Count < most) _timers.Add(new Timer(_ => Notice.Tell(line), null, s_patience, Timeout.InfiniteTimeSpan));
        }
    }
}
