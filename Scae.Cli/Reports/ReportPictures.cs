using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Microsoft.FSharp.Collections;
using Scae.Cli.Plots;
using Scae.Cli.Runs;
using Scae.Reports;

namespace Scae.Cli.Reports;

/// <summary>The pictures of the runs in a report, and the bytes that each run may take for them.</summary>
internal static class ReportPictures
{
    // The PNG files are drawn for screens of twice the resolution.
    private const int PixelsPerDot = 2;

    private const string Curves = "training-curves";

    /// <summary>
    /// How many bytes each run's pictures may take. Runs get equal shares, but what a run doesn't need is shared by the
    /// others.
    /// </summary>
    public static Dictionary<ReportedFolder, long> Rooms(IReadOnlyList<ReportedFolder> runs)
    {
        var needs = runs.Select(run => (Run: run, Bytes: Files(run.Folder).Sum(path => new FileInfo(path).Length))).OrderBy(need => need.Bytes).ToList();
        Dictionary<ReportedFolder, long> rooms = [];
        long left = ReportModule.PictureBytes;
        foreach (var (i, need) in needs.Index())
        {
            rooms[need.Run] = Math.Min(need.Bytes, left / (needs.Count - i));
            left -= rooms[need.Run];
        }

        return rooms;
    }

    /// <summary>A run's pictures, as many as there is room for, and a text that says what was left out.</summary>
    public static (FSharpList<Picture> Pictures, string Omitted) Of(RunFolder folder, long room)
    {
        var pictures = new List<Picture>();
        var omitted = new List<string>();
        foreach (string path in Files(folder))
        {
            byte[] bytes = File.ReadAllBytes(path);
            if (bytes.Length > room || bytes.Length < ImageSize.Header)
            {
                omitted.Add(Path.GetFileName(path));
                continue;
            }

            room -= bytes.Length;
            string name = Path.GetFileNameWithoutExtension(path).Replace('-', ' ');
            pictures.Add(path.EndsWith(".gif", StringComparison.Ordinal)
                ? new Picture($"{name}, animated", "image/gif", ImageSize.OfGif(bytes).Width, bytes)
                : new Picture(name, "image/png", ImageSize.OfPng(bytes).Width / PixelsPerDot, bytes));
        }

        return (ListModule.OfSeq(pictures), omitted.Count == 0 ? string.Empty : $"Left out, damaged or beyond what a report has room for: {string.Join(", ", omitted)}.");
    }

    /// <summary>
    /// Files in the order in which they are taken: the training curves, then other PNG files by name, then the animation.
    /// </summary>
    private static IEnumerable<string> Files(RunFolder folder) => Directory.Exists(folder.Figures)
        ? Named(folder, "*.png").OrderBy(path => Path.GetFileNameWithoutExtension(path) != Curves).Concat(Named(folder, "*.gif"))
        : [];

    private static IEnumerable<string> Named(RunFolder folder, string pattern) => Directory.EnumerateFiles(folder.Figures, pattern).Order(StringComparer.Ordinal);
}
