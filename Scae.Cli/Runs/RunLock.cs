using System;
using System.Globalization;
using System.IO;

namespace Scae.Cli.Runs;

/// <summary>
/// Ensures that only one process at a time writes in a folder. The file <c>lock</c> is held open and locked by the system,
/// which frees it when the process ends, however that happens. Others can't read a locked file, but they can see its
/// length: this is the holder's process number.
/// </summary>
internal sealed class RunLock : IDisposable
{
    public const string Name = "lock";
    private const string Foreign = "a file that isn't scae's has the name of its lock";

    // Windows doesn't remove a file that is open, unless its holder allows that.
    private static readonly FileShare s_share = OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None;

    private readonly string _folder;
    private readonly bool _madeFolder;
    private readonly FileStream _file;

    private RunLock(string folder, bool madeFolder, FileStream file) => (_folder, _madeFolder, _file) = (folder, madeFolder, file);

    /// <summary>
    /// Takes the lock of a folder, which is made if it doesn't exist. If another process holds the lock, the result is
    /// null, and holder says who.
    /// </summary>
    public static RunLock? TryTake(string folder, out string holder, string unwritable = "choose another with --out")
    {
        bool madeFolder = Make(folder, unwritable);
        string path = Path.Combine(folder, Name);
        // A folder or a link of that name isn't scae's either; what a link leads to may lie anywhere.
        if (Directory.Exists(path) || new FileInfo(path).LinkTarget is not null)
        {
            holder = Foreign;
            return null;
        }

        while (true)
        {
            FileStream? file = Open(folder, path, unwritable);
            if (file is null)
            {
                holder = Holder(path);
                return null;
            }

            // A file with this name that isn't scae's is neither taken over nor removed.
            if (!IsOwn(file))
            {
                file.Dispose();
                holder = Foreign;
                return null;
            }

            // The previous holder may have removed the file after it was opened here and before it was locked. This lock
            // would then be on a file without a name, and the next process would create and lock another one.
            Mark(folder, madeFolder, file, unwritable);
            if (new FileInfo(path) is { Exists: true } named && named.Length == Environment.ProcessId)
            {
                holder = string.Empty;
                return new RunLock(folder, madeFolder, file);
            }

            file.Dispose();
        }
    }

    /// <summary>
    /// Takes the lock of a folder. If another process holds it, an error of one line says which and since when, followed by
    /// <paramref name="advice"/>; if the folder can't be written, by <paramref name="unwritable"/>.
    /// </summary>
    public static RunLock Take(string folder, string advice, string unwritable = "choose another with --out") =>
        TryTake(folder, out string holder, unwritable)
            ?? throw (holder == Foreign
                ? new RunFailure($"{Path.Combine(folder, Name)}: {Foreign}; rename it, or choose another folder", ExitCode.Usage)
                : new RunFailure($"{folder}: {holder}; {advice}", isOfOneRun: true));

    /// <summary>
    /// Whether the lock in a folder is this process's. If it had locked the folder, and the lock is another's or gone, then the folder
    /// was removed or renamed, and what has its name now isn't this process's.
    /// </summary>
    public static bool IsHeld(string folder) => new FileInfo(Path.Combine(folder, Name)) is { Exists: true } file && file.Length == Environment.ProcessId;

    /// <summary>
    /// Frees the folder. If this lock made the folder and nothing was written to it, it is removed. What has taken the folder's place
    /// meanwhile is left alone.
    /// </summary>
    public void Dispose()
    {
        try
        {
            if (!IsHeld(_folder)) return;
            File.Delete(Path.Combine(_folder, Name));
            _file.Dispose();
            if (_madeFolder) Directory.Delete(_folder);
        }
        catch (Exception problem) when (FileProblem.Is(problem))
        {
            // The folder holds a run, or is gone.
        }
        finally
        {
            _file.Dispose();
        }
    }

    private static bool Make(string folder, string unwritable)
    {
        if (Directory.Exists(folder)) return false;
        if (FileInTheWay(folder) is { } file) throw new RunFailure($"{folder}: {file} is a file; {unwritable}", ExitCode.Usage);
        try
        {
            Directory.CreateDirectory(folder);
            return true;
        }
        catch (Exception problem) when (FileProblem.Is(problem))
        {
            throw Unwritable(folder, problem, unwritable);
        }
    }

    /// <summary>The part of a folder's path that is a file, if there is one.</summary>
    private static string? FileInTheWay(string folder)
    {
        string? part = folder;
        while (!string.IsNullOrEmpty(part) && !File.Exists(part)) part = Path.GetDirectoryName(part);
        return string.IsNullOrEmpty(part) ? null : part;
    }

    // A killed process left as many zeros as its number says, or an empty file. Taking over an empty file of others does no harm.
    private static bool IsOwn(FileStream file)
    {
        if (!file.CanSeek || file.Length > int.MaxValue) return false;
        Span<byte> part = stackalloc byte[4096];
        while (file.Read(part) is var count and > 0)
        {
            if (part[..count].ContainsAnyExcept((byte)0)) return false;
        }

        return true;
    }

    /// <summary>Makes the file as long as this process's number.</summary>
    private static void Mark(string folder, bool madeFolder, FileStream file, string unwritable)
    {
        try
        {
            file.SetLength(Environment.ProcessId);
        }
        catch (ArgumentOutOfRangeException problem)
        {
            new RunLock(folder, madeFolder, file).Dispose();
            throw Unwritable(folder, FileProblem.OfGrowth(problem), unwritable);
        }
    }

    private static FileStream? Open(string folder, string path, string unwritable)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, s_share);
        }
        catch (UnauthorizedAccessException problem)
        {
            throw Unwritable(folder, problem, unwritable);
        }
        catch (IOException problem)
        {
            if (!File.Exists(path)) throw Unwritable(folder, problem, unwritable);
            return null;
        }
    }

    private static string Holder(string path)
    {
        var file = new FileInfo(path);
        string who = file is { Exists: true, Length: > 0 } ? $"process {file.Length}" : "another process";
        string since = file.LastWriteTime.ToString(file.LastWriteTime.Date == DateTime.Today ? "HH:mm:ss" : "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
        return $"{who} has been writing there since {since}";
    }

    private static RunFailure Unwritable(string folder, Exception problem, string advice) =>
        new($"{folder}: the folder can't be written ({FileProblem.Text(problem)}); {advice}");
}
