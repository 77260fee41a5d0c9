using System;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;
using Scae.Cli.Commands;
using Scae.Cli.Reports;
using Scae.Cli.Runs;
using Scae.Core.CommandLine;
using Scae.Tensors;

namespace Scae.Cli;

/// <summary>The scae command. What its exit codes mean is in <see cref="ExitCode"/>.</summary>
internal static class Program
{
    // The variable with which unforeseen exceptions end the program with their stack.
    private const string Trace = "SCAE_TRACE";

    // SIGXFSZ of Linux and macOS.
    private const int FileTooLarge = 25;

    // With this handler, a write beyond ulimit -f fails with an error of one line instead of killing the process. It stays
    // registered as long as the process lives, since the signal may be handled when everything else has ended.
    private static readonly PosixSignalRegistration? s_tooLarge =
        OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create((PosixSignal)FileTooLarge, context => context.Cancel = true);

    internal static int Main(string[] words)
    {
        // Numbers and names of folders read the same everywhere, even if a machine's settings turn invariant cultures off.
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;

        // A Windows console has an old encoding of its own, which files and pipes would get, too. Programs that come after this one
        // in the same window want it back.
        var before = OperatingSystem.IsWindows() ? Console.OutputEncoding : null;
        try
        {
            if (before is not null) Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
            Console.SetOut(new StandardOutput(Console.Out));
            GC.KeepAlive(s_tooLarge);
            return Run(words);
        }
        finally
        {
            if (before is not null) Console.OutputEncoding = before;
        }
    }

    private static int Run(string[] words)
    {
        try
        {
            var parsed = Arguments.parse(words);
            if (parsed.IsError) return Fail(parsed.ErrorValue, ExitCode.Usage);
            return Execute(parsed.ResultValue);
        }
        catch (RunFailure failure)
        {
            return Fail(failure.Message, failure.ExitCode);
        }
        catch (OperationCanceledException)
        {
            return Fail("stopped", ExitCode.Stopped);
        }
        catch (OutOfMemoryException)
        {
            return Fail("the memory isn't enough; lower --batch-size, or --test-size and --validation-size, or the sizes of layers, or how much is done at once with --threads", ExitCode.Failure);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ShapeError)
        {
            return Fail(problem.Message, ExitCode.Failure);
        }
        catch (Exception problem) when (Environment.GetEnvironmentVariable(Trace) is null or "")
        {
            return Fail($"this is a fault of the program: {problem.GetType().Name}: {problem.Message}; {Trace}=1 shows where it was", ExitCode.Failure);
        }
    }

    private static int Execute(Command command)
    {
        switch (command)
        {
            case Command.ShowHelp help:
                Console.Out.WriteLine(Terminal.Width is { } width ? Page.fit(width, help.text) : help.text);
                return ExitCode.Success;
            case Command.Completion completion:
                Console.Out.Write(completion.script);
                return ExitCode.Success;
            case Command.ShowList list: return ListCommand.Run(list.experiments, list.json);
            case Command.Train train: return TrainCommand.Run(train.Item);
            case Command.Eval eval: return EvalCommand.Run(eval.Item);
            case Command.Figures figures: return FiguresCommand.Run(figures.Item);
            case Command.Export export: return ExportCommand.Run(export.Item);
            case Command.Report report: return ReportCommand.Run(report.Item);
            case Command.Sweep sweep: return SweepCommand.Run(sweep.Item);
            case Command.Verify verify: return VerifyCommand.Run(verify.Item);
            case Command.Gradcheck gradcheck: return GradcheckCommand.Run(gradcheck.Item);
            case Command.Bench bench: return BenchCommand.Run(bench.Item);
            default: throw new InvalidOperationException($"no command handles {command}");
        }
    }

    private static int Fail(string message, int exitCode)
    {
        Notice.Write(message.StartsWith("scae ", StringComparison.Ordinal) ? message : "scae: " + message);
        return exitCode;
    }
}
