using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Google.Protobuf;
using Scae.Cli.Runs;

namespace Scae.Cli.TensorBoard;

/// <summary>
/// An event file of TensorBoard, which grows at its end. A value of a tag at a step is written once: what a killed process
/// had written already is left out when the run goes on.
/// </summary>
internal sealed class EventFile
{
    private const string Version = "brain.Event:2";

    private readonly string _path;
    private readonly HashSet<(string Tag, long Step)> _written = [];

    private EventFile(string path) => _path = path;

    /// <summary>
    /// Opens the file of a training that has come to a step. What is torn at its end is cut off, and so is what lies past that
    /// step, for the steps come again. The file begins anew where it isn't there, is none of ours, or began otherwise.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="begin">What stands in the first record after the version, as of now.</param>
    /// <param name="isSame">Whether a file that began with another event is of the same training.</param>
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
        // TensorBoard may be reading the file, whatever the system.
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

    /// <summary>The whole events up to a step; the file ends after them.</summary>
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
