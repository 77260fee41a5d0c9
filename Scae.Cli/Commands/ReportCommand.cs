using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json.Nodes;
using Scae.Cli.Reports;
using Scae.Cli.Runs;
using Scae.Core.CommandLine;
using Scae.Reports;

namespace Scae.Cli.Commands;

/// <summary>scae report: runs as one HTML file.</summary>
internal static class ReportCommand
{
    public static int Run(ReportOptions options)
    {
        var runs = ReportedFolder.ReadAll(options.Folders);
        string path = options.Out?.Value ?? (options.Folders.Length == 1 ? Path.Combine(options.Folders.Head, "report.html") : "report.html");
        if (Directory.Exists(path) || Path.EndsInDirectorySeparator(path)) throw new RunFailure($"--out {path}: this is a folder; name a file, such as {Shell.Quote(Path.Combine(path, "report.html"))}", ExitCode.Usage);
        if (RunFolder.IsOfRun(path)) throw new RunFailure($"--out {path}: this place is the run's own; choose another", ExitCode.Usage);
        if (options.Json && AtomicFile.IsStandardOutput(path)) throw new RunFailure($"--json --out {path}: both would be written there; leave one of them out", ExitCode.Usage);
        // A pipe or a device may have no ending.
        if (!ReportCurves.IsMeant(path) && Path.GetExtension(path).ToLowerInvariant() is not ("" or ".html" or ".htm"))
            throw new RunFailure($"--out {path}: must end in .html, or in .png or .svg for the curves as a picture", ExitCode.Usage);
        if (options.Out is null) SpareOther(path);
        Action write = ReportCurves.IsMeant(path) ? () => ReportCurves.Write(runs, path) : Page(runs, path);
        try
        {
            if (Path.GetDirectoryName(path) is { Length: > 0 } folder) Directory.CreateDirectory(folder);
            write();
        }
        catch (Exception problem) when (FileProblem.Is(problem))
        {
            throw new RunFailure($"{path}: the report can't be written ({FileProblem.Text(problem)}); choose another file with --out");
        }

        if (AtomicFile.IsStandardOutput(path)) return ExitCode.Success;
        if (options.Json) Json.Print(new JsonObject { ["report"] = path, ["runs"] = new JsonArray([.. runs.Select(run => (JsonNode)run.Folder.Path)]) });
        else Console.Out.WriteLine(path);
        return ExitCode.Success;
    }

    /// <summary>Refuses the name that nobody chose if a page of somebody else's has it.</summary>
    private static void SpareOther(string path)
    {
        if (File.Exists(path) && !ReportModule.isReport(File.ReadAllText(path)))
            throw new RunFailure($"{path}: the file is there, and was not written by scae report; name another with --out", ExitCode.Usage);
    }

    /// <summary>Writes the page, which is made at once: what is wrong with it isn't the file's fault.</summary>
    private static Action Page(List<ReportedFolder> runs, string path)
    {
        byte[] html = Encoding.UTF8.GetBytes(ReportModule.html(ReportBuilder.Of(runs)));
        return () => AtomicFile.WriteNamed(path, stream => stream.Write(html));
    }
}
