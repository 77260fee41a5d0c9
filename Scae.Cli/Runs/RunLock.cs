using System;
using System.IO;

namespace Scae.Cli.Runs;

/// <summary>
/// One process at a time writes in a folder. The file <c>lock</c> is held open, and locked by the system, which frees it
/// when the process is dead, however it died. Nobody else can read a locked file, but its length can be seen: it is the
/// holder's process number.
/// </summary>
internal sealed class RunLock : IDisposable
{
    private const string Name = "lock";
    private const string Foreign = "a file that isn't scae's has the name of its lock";

    // Windows removes no file that is open, unless its holder allows that.
    private static readonly FileShare s_share = OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None;

    private readonly string _folder;
    private readonly bool _madeFolder;
    private readonly FileStream _file;

    private RunLock(string folder, bool madeFolder, FileStream file) => (_folder, _madeFolder, _file) = (folder, madeFolder, file);

    /// <summary>The lock of a folder, which is made if it isn't there; or null, and who holds it.</summary>
    public static RunLock? TryTake(string folder, out string holder, string unwritable = "choose another with --out")
    {
        bool madeFolder = Make(folder, unwritable);
        string path = Path.Combine(folder, Name);
        while (true)
        {
            FileStream? file = Open(folder, path, unwritable);
            if (file is null)
            {
                holder = Holder(path);
                return null;
            }

            // A foreign file of the name is neither taken over nor removed.
            if (!IsOwn(file))
            {
                file.Dispose();
                holder = Foreign;
                return null;
            }

            // Whoever held it before may have removed the file between its opening and its locking here: then this lock is on
            // a file that has no name any more, and the next process would make and lock another one.
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
    /// The lock of a folder; one line says who holds it since when, and <paramref name="advice"/> what to do, or
    /// <paramref name="unwritable"/> where the folder can't be written.
    /// </summary>
    public static RunLock Take(string folder, string advice, string unwritable = "choose another with --out") =>
        TryTake(folder, out string holder, unwritable)
            ?? throw (holder == Foreign
                ? new RunFailure($"{Path.Combine(folder, Name)}: {Foreign}; rename it, or choose another folder", ExitCode.Usage)
                : new RunFailure($"{folder}: {holder}; {advice}", isOfOneRun: true));

    /// <summary>Frees the folder. One that this lock made and nothing was written to goes as well.</summary>
    public void Dispose()
    {
        try
        {
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

    /// <summary>A folder's path, or the part of it that is a file.</summary>
    private static string? FileInTheWay(string folder)
    {
        string? part = folder;
        while (!string.IsNullOrEmpty(part) && !File.Exists(part)) part = Path.GetDirectoryName(part);
        return string.IsNullOrEmpty(part) ? null : part;
    }

    // What a killed process left has as many zeros as its number says, or nothing yet. Of an empty file nobody loses anything.
    private static bool IsOwn(FileStream file)
    {
        if (file.Length > int.MaxValue) return false;
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
        string since = file.LastWriteTime.ToString("HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture);
        return $"{who} has been writing there since {since}";
    }

    private static RunFailure Unwritable(string folder, Exception problem, string advice) =>
        new($"{folder}: the folder can't be written ({FileProblem.Text(problem)}); {advice}");
}
