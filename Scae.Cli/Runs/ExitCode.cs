namespace Scae.Cli.Runs;

/// <summary>What the process tells its caller.</summary>
internal static class ExitCode
{
    /// <summary>What was asked was done.</summary>
    public const int Success = 0;

    /// <summary>It failed.</summary>
    public const int Failure = 1;

    /// <summary>The arguments make no sense.</summary>
    public const int Usage = 2;

    /// <summary>It was asked to stop, and everything is saved: what a shell gives a process that Ctrl-C ended.</summary>
    public const int Stopped = 130;
}
