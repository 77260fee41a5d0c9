using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Microsoft.FSharp.Core;
using Scae.Cli.Runs;
using Scae.Core.Data;

namespace Scae.Cli.Data;

/// <summary>Finds the published file of dSprites on this machine; it is never fetched.</summary>
internal static class SpriteFiles
{
    /// <summary>
    /// The images that are used, from the first folder, or subfolder dsprites of one, that has the file. The error is one
    /// line that says what can be done.
    /// </summary>
    public static FSharpResult<Sprites, string> Read(IReadOnlyList<string> folders)
    {
        if (Locate(folders) is not { } path)
            return Failed($"{SpriteArchive.FileName} isn't in {string.Join(", ", folders)}: put it there, name its folder with --data or SCAE_DATA, or use --sprites drawn");
        try
        {
            using var stream = File.OpenRead(path);
            return SpriteArchive.read(path, stream);
        }
        catch (Exception problem) when (FileProblem.Is(problem))
        {
            return Failed($"{path}: can't be read");
        }
    }

    /// <summary>Why the file isn't available; null if it is.</summary>
    public static FSharpOption<string>? Missing(IReadOnlyList<string> folders) =>
        Locate(folders) is null ? FSharpOption<string>.Some($"it isn't in {string.Join(", ", folders)}") : null;

    private static string? Locate(IReadOnlyList<string> folders) =>
        folders.SelectMany(folder => new[] { folder, Path.Combine(folder, "dsprites") })
            .Select(folder => Path.Combine(folder, SpriteArchive.FileName))
            .FirstOrDefault(File.Exists);

    private static FSharpResult<Sprites, string> Failed(string message) => FSharpResult<Sprites, string>.NewError(message);
}
