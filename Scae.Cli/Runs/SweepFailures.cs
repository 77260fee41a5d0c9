using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Scae.Cli.Reports;

namespace Scae.Cli.Runs;

/// <summary>
/// Failures of trainings that run at the same time. If the failure concerns only one training, as when it diverges, the
/// others go on. If it concerns all, as a full disk or a lack of memory does, the sweep ends when the trainings under way
/// are finished. Either may happen hours before the end, so the user hears of it within seconds, and again at the end.
/// </summary>
internal sealed class SweepFailures : IDisposable
{
    // How many failures are told one by one.
    private const int MostNamed = 10;

    // A sweep that ends sooner reports it itself.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly List<string> _failed = [];
    private readonly List<string> _undrawn = [];
    private readonly List<Timer> _timers = [];

    /// <summary>Runs a training and returns its summary; null if it was stopped, or if a failure concerned only this training.</summary>
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
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            TellLater($"{Words(problem)}; no other training begins, and those under way are finished", int.MaxValue);
            throw;
        }
    }

    /// <summary>Notes that a training is finished, but without its pictures; the line says why.</summary>
    public void Undrawn(string line)
    {
        lock (_lock) _undrawn.Add(line);
        TellLater(line, MostNamed);
    }

    /// <summary>Throws if any of so many trainings failed, or has no pictures.</summary>
    public void ThrowIfAny(long count)
    {
        if (Found(count) is { } line) throw new RunFailure(line);
    }

    /// <summary>
    /// Says if any of so many trainings failed, or has no pictures; otherwise null. Of several each is told by a line of its own, and
    /// the one that is returned counts them. The text <paramref name="of"/> can say which trainings "the others" are, those that are
    /// finished.
    /// </summary>
    public string? Found(long count, string of = "")
    {
        Dispose();
        if (_failed.Count + _undrawn.Count == 0) return null;
        string others = _failed.Count < count ? $"; the others{of} are finished" : string.Empty;
        if (_failed.Count + _undrawn.Count == 1) return _undrawn.Count == 1 ? _undrawn[0] : _failed[0] + others;
        TellAll();
        return _failed.Count == 0
            ? $"{_undrawn.Count} of {count} trainings{of} have no pictures; their numbers are there"
            : $"{_failed.Count} of {count} trainings{of} failed{(_failed.Count < count ? "; the others are finished" : string.Empty)}";
    }

    private static string Words(Exception problem) => problem switch
    {
        RunFailure => problem.Message,
        OutOfMemoryException => "the memory isn't enough",
        _ when FileProblem.Is(problem) => FileProblem.Text(problem),
        _ => $"{problem.GetType().Name}: {problem.Message.TrimEnd('.')}",
    };

    /// <summary>
    /// Tells of all failures, including those whose line is still waiting, before the failure that ends the sweep is told.
    /// </summary>
    public void TellAll()
    {
        Dispose();
        lock (_lock)
        {
            foreach (string line in _failed.Take(MostNamed).Concat(_undrawn.Take(MostNamed))) Notice.Tell(line);
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
