using System;
using System.Linq;
using Microsoft.FSharp.Core;

namespace Scae.Cli.Runs;

/// <summary>Something went wrong that the user can mend; the message is one line that says what and how.</summary>
internal sealed class RunFailure(string message, int exitCode = ExitCode.Failure, bool isOfOneRun = false) : Exception(message)
{
    public int ExitCode { get; } = exitCode;

    /// <summary>Whether it lies in one run or its folder, so that another of the same sweep may well be finished.</summary>
    public bool IsOfOneRun { get; } = isOfOneRun;

    /// <summary>The value of a result, or this failure with the result's error.</summary>
    public static T Unless<T>(FSharpResult<T, string> result, string? context = null, int exitCode = Runs.ExitCode.Failure) =>
        result.IsOk ? result.ResultValue : throw new RunFailure(context is null ? result.ErrorValue : $"{context}: {result.ErrorValue}", exitCode);

    /// <summary>The one exception to report of several threads': the first failure the user can mend, else the first of all.</summary>
    public static Exception Of(AggregateException several)
    {
        var problems = several.Flatten().InnerExceptions;
        return problems.OfType<RunFailure>().FirstOrDefault() ?? problems[0];
    }
}
