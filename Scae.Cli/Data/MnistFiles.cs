using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Http;
using Microsoft.FSharp.Core;
using Scae.Core.Data;
using Scae.Core.Experiments;

namespace Scae.Cli.Data;

/// <summary>Finds the files of MNIST on this machine or on the network.</summary>
internal static class MnistFiles
{
    /// <summary>Where the files can be downloaded, in the order in which it is tried.</summary>
    private static readonly string[] s_mirrors =
    [
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://azureopendatastorage.blob.core.windows.net/mnist/",
    ];

    /// <summary>
    /// Data from the folder that --data names, else $SCAE_DATA, else the user's cache folder, else the network. A folder
    /// that is named must have the files: others aren't looked at.
    /// </summary>
    public static Resources Resources(string? folder)
    {
        string? shared = Environment.GetEnvironmentVariable("SCAE_DATA");
        string[] folders = folder is not null ? [folder] : string.IsNullOrEmpty(shared) ? [CacheFolder()] : [shared, CacheFolder()];
        Func<MnistFile, FSharpResult<byte[], string>> fetch = folder is null ? Download : _ => Failed("which --data names");
        return new Resources(FuncConvert.FromFunc((MnistFile file) => Bytes(folders, fetch, file)));
    }

    /// <summary>
    /// The uncompressed bytes of a file: from the first folder that has it, else fetched and kept in the last folder. The
    /// error is one line with both ways out.
    /// </summary>
    public static FSharpResult<byte[], string> Bytes(IReadOnlyList<string> folders, Func<MnistFile, FSharpResult<byte[], string>> fetch, MnistFile file)
    {
        if (folders.Select(folder => Locate(folder, file)).FirstOrDefault(found => found is not null) is { } path) return Read(path, file);
        var fetched = fetch(file);
        if (fetched.IsError)
            return Failed($"{file.Name}.gz isn't in {string.Join(", ", folders)} ({fetched.ErrorValue}): put the four MNIST files there, or use --digits strokes");
        Keep(folders[^1], $"{file.Name}.gz", fetched.ResultValue);
        return Mnist.uncompressed(file.Name, fetched.ResultValue);
    }

    private static FSharpResult<byte[], string> Failed(string message) => FSharpResult<byte[], string>.NewError(message);

    /// <summary>The path of a file in a folder or its subfolder mnist, with .gz or without.</summary>
    private static string? Locate(string folder, MnistFile file) =>
        new[] { folder, Path.Combine(folder, "mnist") }
            .SelectMany(place => new[] { Path.Combine(place, file.Name), Path.Combine(place, $"{file.Name}.gz") })
            .FirstOrDefault(File.Exists);

    private static FSharpResult<byte[], string> Read(string path, MnistFile file)
    {
        try
        {
            return Mnist.verified(file, path, File.ReadAllBytes(path));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return Failed($"{path}: can't be read");
        }
    }

    /// <summary>The bytes of a file's .gz from the first mirror that has it unharmed. The error is the last mirror's.</summary>
    private static FSharpResult<byte[], string> Download(MnistFile file)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(60) };
        var result = Failed("no mirrors");
        foreach (string mirror in s_mirrors)
        {
            result = From(client, mirror, file);
            if (result.IsOk) break;
        }

        return result;
    }

    private static FSharpResult<byte[], string> From(HttpClient client, string mirror, MnistFile file)
    {
        string address = $"{mirror}{file.Name}.gz";
        try
        {
            byte[] bytes = client.GetByteArrayAsync(new Uri(address)).GetAwaiter().GetResult();
            var verified = Mnist.verified(file, address, bytes);
            return verified.IsOk ? FSharpResult<byte[], string>.NewOk(bytes) : verified;
        }
        catch (Exception problem) when (problem is HttpRequestException or OperationCanceledException or IOException)
        {
            return Failed($"{mirror} can't be reached");
        }
    }

    /// <summary>The user's folder for what can be fetched again; the temporary one for users without a home.</summary>
    private static string CacheFolder()
    {
        string home = Known(Environment.SpecialFolder.UserProfile);
        string caches = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { } named && Path.IsPathFullyQualified(named) ? named
            : OperatingSystem.IsWindows() ? Known(Environment.SpecialFolder.LocalApplicationData)
            : OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches")
            : Path.Combine(home, ".cache");
        return Path.Combine(Path.IsPathFullyQualified(caches) ? caches : Path.GetTempPath(), "scae", "mnist");

        // The folder's name even where nobody has created it yet.
        static string Known(Environment.SpecialFolder kind) => Environment.GetFolderPath(kind, Environment.SpecialFolderOption.DoNotVerify);
    }

    /// <summary>
    /// A file killed while it is written never stands under its name. A cache that can't be written is no error: the bytes
    /// are there.
    /// </summary>
    private static void Keep(string folder, string name, byte[] bytes)
    {
        try
        {
            Directory.CreateDirectory(folder);
            string unfinished = Path.Combine(folder, $".{name}.{Guid.NewGuid():N}");
            using (var stream = new FileStream(unfinished, FileMode.CreateNew))
            {
                stream.Write(bytes);
                stream.Flush(true);
            }

            File.Move(unfinished, Path.Combine(folder, name), overwrite: true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // Next time it is fetched again.
        }
    }
}
