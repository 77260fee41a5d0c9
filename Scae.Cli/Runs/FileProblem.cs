using System;
using System.IO;

namespace Scae.Cli.Runs;

/// <summary>What the system says of a file that can't be written, in words for a line.</summary>
internal static class FileProblem
{
    // What an IOException carries of EFBIG, ENOSPC, and of Windows' ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL.
    private const int TooLarge = 27;
    private const int NoSpace = 28;
    private const int DiskFull = unchecked((int)0x80070070);
    private const int HandleDiskFull = unchecked((int)0x80070027);

    /// <summary>Whether an exception is of a file or folder.</summary>
    public static bool Is(Exception problem) => problem is IOException or UnauthorizedAccessException;

    /// <summary>A file that may not grow so far is no argument that makes no sense, as which the runtime reports it.</summary>
    public static IOException OfGrowth(ArgumentOutOfRangeException problem) => new(problem.Message, TooLarge);

    /// <summary>Writes, or says in one line that a folder couldn't be written, why, and what then.</summary>
    public static void Tell(string folder, string advice, Action write)
    {
        try
        {
            write();
        }
        catch (Exception problem) when (Is(problem))
        {
            throw new RunFailure($"{folder}: {Text(problem)}; {advice}");
        }
    }

    /// <summary>The problem; where it is of one file, with its path.</summary>
    public static string Text(Exception problem) => problem switch
    {
        DirectoryNotFoundException => "the folder is gone",
        UnauthorizedAccessException => "access is denied",
        IOException { HResult: NoSpace or DiskFull or HandleDiskFull } => "the disk is full",
        IOException { HResult: TooLarge } => "a file there can't be as large as it should (ulimit -f, or the disk's limit)",
        _ => problem.Message.TrimEnd('.'),
    };
}
