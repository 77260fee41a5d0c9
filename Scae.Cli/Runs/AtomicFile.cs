using System;
using System.IO;
using System.Text;
using System.Threading;

namespace Scae.Cli.Runs;

/// <summary>
/// Writes files so that they are there as a whole or not at all. The bytes go to a neighbouring file, are flushed to the
/// disk, and get the name in one step. A process that is killed at any moment leaves what was there before.
/// </summary>
internal static class AtomicFile
{
    public const string Unfinished = ".unfinished";

    /// <summary>
    /// Writes a file. If a second name is given, the old file is kept under it; a process that is killed between the two
    /// renamings leaves only that one. Without flushing, the file may be lost when the machine stops.
    /// </summary>
    public static void Write(string path, ReadOnlySpan<byte> bytes, string? before = null, bool flush = true)
    {
        string unfinished = path + Unfinished;

        // Opened outside the try block: an unfinished file that is open elsewhere belongs to another process, and must not be
        // removed here.
        var file = new FileStream(unfinished, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            using (file)
            {
                Put(file, bytes);
                file.Flush(flushToDisk: flush);
            }

            if (before is not null && File.Exists(path)) Rename(path, before);
            Rename(unfinished, path);
        }
        catch (Exception problem) when (FileProblem.Is(problem))
        {
            Remove(unfinished);
            throw;
        }
    }

    private static void Rename(string from, string to) => Patiently(from, () => File.Move(from, to, overwrite: true));

    /// <summary>Deletes a file, if there is one.</summary>
    public static void Delete(string path) => Patiently(path, () => File.Delete(path));

    // On Windows, a file that somebody is just reading can't be deleted, and no other can get its name.
    private static void Patiently(string path, Action change)
    {
        for (int pause = 10; ; pause *= 2)
        {
            try
            {
                change();
                return;
            }
            catch (Exception problem) when (OperatingSystem.IsWindows() && FileProblem.Is(problem) && File.Exists(path) && pause <= 640)
            {
                Thread.Sleep(pause);
            }
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
    /// Removes unfinished files with certain names that killed processes left in a folder. Subfolders are left alone, as
    /// they may belong to others.
    /// </summary>
    public static void RemoveUnfinished(string folder, Func<string, bool> isOwn)
    {
        if (!Directory.Exists(folder)) return;
        foreach (string path in Directory.EnumerateFiles(folder, "*" + Unfinished))
        {
            if (isOwn(Path.GetFileName(path)[..^Unfinished.Length])) Remove(path);
        }
    }

    /// <summary>Removes a file, if that is possible.</summary>
    public static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception problem) when (FileProblem.Is(problem))
        {
            // The folder is gone, or can't be written. The failure that is being handled says so.
        }
    }

    /// <summary>
    /// Writes to what a user names with --out. If it is a link, the link stays and the file that it leads to is replaced.
    /// If it isn't a regular file but a pipe or a device, the bytes are written to it directly.
    /// </summary>
    public static void WriteNamed(string path, Action<Stream> write)
    {
        using var memory = new MemoryStream();
        write(memory);
        var bytes = memory.GetBuffer().AsSpan(0, (int)memory.Length);
        if (IsStandardOutput(path))
        {
            // If a file that output is redirected to were opened again, it would be written from its beginning, and later
            // output would overwrite that.
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
    /// Opens what is there if it isn't a regular file; otherwise null. A pipe is opened only once: when this first opening
    /// ends, its reader may be gone, and a second one would count as another writer.
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
            // It is a link to something that isn't there yet, or a read-only file in a folder that may be written. Either is replaced.
        }

        return null;
    }

    /// <summary>Whether a path that a user names is standard output; nothing else may be written there then.</summary>
    public static bool IsStandardOutput(string path) =>
        !OperatingSystem.IsWindows() && Path.GetFullPath(path) is "/dev/stdout" or "/dev/fd/1" or "/proc/self/fd/1";

    // Some devices support seeking. /dev/shm is an ordinary folder of files.
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
