using System;
using System.IO;
using System.Text;

namespace Scae.Cli.Runs;

/// <summary>
/// Files that are there whole or not at all: the bytes go to a neighbouring file, are flushed to the disk, and take the
/// name in one step. A process that is killed at any moment leaves what was there before.
/// </summary>
internal static class AtomicFile
{
    public const string Unfinished = ".unfinished";

    /// <summary>
    /// Writes a file. What had the name before is kept under another, if one is given: a process that is killed between the
    /// two leaves that one alone. What isn't flushed may be lost when the machine stops.
    /// </summary>
    public static void Write(string path, ReadOnlySpan<byte> bytes, string? before = null, bool flush = true)
    {
        string unfinished = path + Unfinished;

        // Opened before anything is caught: an unfinished file that is open elsewhere is another process's to remove.
        var file = new FileStream(unfinished, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            using (file)
            {
                Put(file, bytes);
                file.Flush(flushToDisk: flush);
            }

            if (before is not null && File.Exists(path)) File.Move(path, before, overwrite: true);
            File.Move(unfinished, path, overwrite: true);
        }
        catch (Exception problem) when (FileProblem.Is(problem))
        {
            Remove(unfinished);
            throw;
        }
    }

    private static void Put(FileStream file, ReadOnlySpan<byte> bytes)
    {
        try
        {
            file.Write(bytes);
        }
        catch (ArgumentOutOfRangeException problem)
        {
            throw FileProblem.OfGrowth(problem);
        }
    }

    /// <summary>
    /// Removes unfinished files of some names that killed processes left in a folder; not in its subfolders, which may be others'.
    /// </summary>
    public static void RemoveUnfinished(string folder, Func<string, bool> isOwn)
    {
        if (!Directory.Exists(folder)) return;
        foreach (string path in Directory.EnumerateFiles(folder, "*" + Unfinished))
        {
            if (isOwn(Path.GetFileName(path)[..^Unfinished.Length])) Remove(path);
        }
    }

    /// <summary>Removes a file where that is possible.</summary>
    public static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception problem) when (FileProblem.Is(problem))
        {
            // The folder is gone, or can't be written: then the failure that is on its way says so.
        }
    }

    public static void Write(string path, string text) => Write(path, Encoding.UTF8.GetBytes(text));

    public static void Write(string path, Action<Stream> write)
    {
        using var memory = new MemoryStream();
        write(memory);
        Write(path, memory.GetBuffer().AsSpan(0, (int)memory.Length));
    }
}
