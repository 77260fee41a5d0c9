namespace Scae.Cli.Runs;

/// <summary>The exit codes of the process.</summary>
internal static class ExitCode
{
    /// <summary>What was asked was done.</summary>
    public const int Success = 0;

    /// <summary>It failed.</summary>
    public const int Failure = 1;

    /// <summary>The arguments make no sense.</summary>
    public const int Usage = 2;

    /// <summary>
    /// The process was asked to stop, and everything is saved. A shell reports the same code for a process that Ctrl-C
    /// ended.
    /// </summary>
    public const int Stopped = 130;
}
