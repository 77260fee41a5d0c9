using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Google.Protobuf;
using Scae.Cli.Runs;

namespace Scae.Cli.TensorBoard;

/// <summary>
/// An event file of TensorBoard, to which events are appended. Each tag's value at a step is written only once: when a run
/// goes on, values that a killed process has already written are left out.
/// </summary>
internal sealed class EventFile
{
    private const string Version = "brain.Event:2";

    private readonly string _path;
    private readonly HashSet<(string Tag, long Step)> _written = [];

    private EventFile(string path) => _path = path;

    /// <summary>
    /// Opens the file of a training that has come to a step. A torn record at its end is cut off, and so are events after
    /// that step, because those steps will be done again. The file begins anew if it doesn't exist, isn't one of ours, or
    /// began with another training.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="begin">The event for the first record after the version, as of now.</param>
    /// <param name="isSame">Whether a file that begins with the given event belongs to the same training.</param>
    /// <param name="step">The step.</param>
    public static EventFile Open(string path, Event begin, Func<Event, bool> isSame, long step)
    {
        var file = new EventFile(path);
        var events = File.Exists(path) ? file.Restore(step) : [];
        if (events is [{ FileVersion: Version }, var first, ..] && isSame(first)) return file;
        file._written.Clear();
        AtomicFile.Write(path, stream =>
        {
            EventRecord.Write(stream, new Event { WallTime = begin.WallTime, FileVersion = Version }.ToByteArray());
            EventRecord.Write(stream, begin.ToByteArray());
        });
        return file;
    }

    /// <summary>Appends events, without the values that are in the file already.</summary>
    public void Append(IEnumerable<Event> events)
    {
        // Shared, because TensorBoard may be reading the file.
        using var file = new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        foreach (var one in events)
        {
            var missing = one.Summary.Value.Where(value => !_written.Contains((value.Tag, one.Step))).ToList();
            if (missing.Count == 0) continue;
            Append(file, new Event { WallTime = one.WallTime, Step = one.Step, Summary = new EventSummary { Value = { missing } } }.ToByteArray());
            _written.UnionWith(missing.Select(value => (value.Tag, one.Step)));
        }
    }

    private static void Append(FileStream file, byte[] bytes)
    {
        try
        {
            EventRecord.Write(file, bytes);
        }
        catch (ArgumentOutOfRangeException problem)
        {
            throw FileProblem.OfGrowth(problem);
        }
    }

    /// <summary>Reads the undamaged events up to a step, and cuts the file off after them.</summary>
    private List<Event> Restore(long step)
    {
        using var file = new FileStream(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        var events = new List<Event>();
        long end = 0;
        while (EventRecord.Read(file) is { } bytes && Parse(bytes) is { } one && one.Step <= step)
        {
            events.Add(one);
            if (one.Summary is { } summary) _written.UnionWith(summary.Value.Select(value => (value.Tag, one.Step)));
            end = file.Position;
        }

        if (end < file.Length) file.SetLength(end);
        return events;
    }

    private static Event? Parse(byte[] bytes)
    {
        try
        {
            return Event.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
