using System;
using System.IO;

namespace Scae.Cli.Runs;

/// <summary>Problems with files, in words that fit into one line.</summary>
internal static class FileProblem
{
    // An IOException's HResult for EFBIG and ENOSPC, and for Windows' ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL.
    private const int TooLarge = 27;
    private const int NoSpace = 28;
    private const int DiskFull = unchecked((int)0x80070070);
    private const int HandleDiskFull = unchecked((int)0x80070027);

    /// <summary>Whether an exception is about a file or folder.</summary>
    public static bool Is(Exception problem) => problem is IOException or UnauthorizedAccessException;

    /// <summary>
    /// Turns the exception for a file that may not grow any further into an IOException. The runtime reports it as a wrong
    /// argument.
    /// </summary>
    public static IOException OfGrowth(ArgumentOutOfRangeException problem) => new(problem.Message, TooLarge);

    /// <summary>
    /// Runs a function that writes. If it fails, one line says that the folder couldn't be written, why, and what to do.
    /// </summary>
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

    /// <summary>The problem in words, with the path if a single file is concerned.</summary>
    public static string Text(Exception problem) => problem switch
    {
        DirectoryNotFoundException => "the folder is gone",
        UnauthorizedAccessException => "access is denied",
        IOException { HResult: NoSpace or DiskFull or HandleDiskFull } => "the disk is full",
        IOException { HResult: TooLarge } => "a file there can't be as large as it should (ulimit -f, or the disk's limit)",
        _ => problem.Message.TrimEnd('.'),
    };
}
