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

    /// <summary>
    /// Writes what a user names with --out. A link stays, and the file that it leads to is replaced; what is no file, such as a
    /// pipe or a device, is written to as it is.
    /// </summary>
    public static void WriteNamed(string path, Action<Stream> write)
    {
        using var memory = new MemoryStream();
        write(memory);
        var bytes = memory.GetBuffer().AsSpan(0, (int)memory.Length);
        if (IsStandardOutput(path))
        {
            // Opened anew, a file that output is redirected to would be written from its beginning, and what follows over it.
            using var output = Console.OpenStandardOutput();
            output.Write(bytes);
            output.Flush();
            return;
        }

        var link = new FileInfo(path);
        string target = link.LinkTarget is null ? path : link.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
        using var special = OpenSpecial(path, target);
        if (special is null) Write(target, bytes);
        else Put(special, bytes);
    }

    /// <summary>
    /// What is there and no regular file, open. A pipe is opened once: its reader takes the second opening for another writer's,
    /// and has gone by then.
    /// </summary>
    private static FileStream? OpenSpecial(string path, string target)
    {
        if (!File.Exists(path)) return null;
        try
        {
            var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            if (!file.CanSeek || IsDevice(path) || IsDevice(target)) return file;
            file.Dispose();
        }
        catch (Exception problem) when (problem is FileNotFoundException or UnauthorizedAccessException)
        {
            // A link to what isn't there yet; or a file that may only be read, in a folder that may be written: it's replaced.
        }

        return null;
    }

    private static bool IsStandardOutput(string path) =>
        !OperatingSystem.IsWindows() && Path.GetFullPath(path) is "/dev/stdout" or "/dev/fd/1" or "/proc/self/fd/1";

    // Some devices can be sought in. /dev/shm is a folder of files.
    private static bool IsDevice(string path) =>
        !OperatingSystem.IsWindows() && Path.GetFullPath(path) is var full
        && full.StartsWith("/dev/", StringComparison.Ordinal) && !full.StartsWith("/dev/shm/", StringComparison.Ordinal);

    public static void Write(string path, string text) => Write(path, Encoding.UTF8.GetBytes(text));

    public static void Write(string path, Action<Stream> write)
    {
        using var memory = new MemoryStream();
        write(memory);
        Write(path, memory.GetBuffer().AsSpan(0, (int)memory.Length));
    }
}
