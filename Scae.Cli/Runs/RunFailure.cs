using System;
using System.Diagnostics.CodeAnalysis;
using System.Linq;
using System.Runtime.ExceptionServices;
using Microsoft.FSharp.Core;

namespace Scae.Cli.Runs;

/// <summary>Something went wrong that the user can fix. The message is one line that says what is wrong and how to fix it.</summary>
internal sealed class RunFailure(string message, int exitCode = ExitCode.Failure, bool isOfOneRun = false) : Exception(message)
{
    public int ExitCode { get; } = exitCode;

    /// <summary>
    /// Whether the failure concerns only one run or its folder, so that other runs of the same sweep may still succeed.
    /// </summary>
    public bool IsOfOneRun { get; } = isOfOneRun;

    /// <summary>The value of a result, or this failure with the result's error.</summary>
    public static T Unless<T>(FSharpResult<T, string> result, string? context = null, int exitCode = Runs.ExitCode.Failure) =>
        result.IsOk ? result.ResultValue : throw new RunFailure(context is null ? result.ErrorValue : $"{context}: {result.ErrorValue}", exitCode);

    /// <summary>
    /// Throws that exception of several threads which is to be reported: the first failure that the user can fix, or else the
    /// first of all, with the stack of its thread.
    /// </summary>
    [DoesNotReturn]
    public static void Rethrow(AggregateException several)
    {
        var problems = several.Flatten().InnerExceptions;
        ExceptionDispatchInfo.Throw(problems.OfType<RunFailure>().FirstOrDefault() ?? problems[0]);
    }
}
