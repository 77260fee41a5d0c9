using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Threading;
using Microsoft.FSharp.Core;
using Scae.Cli.Reports;
using Scae.Cli.Runs;
using Scae.Core.Data;
using Scae.Core.Experiments;

namespace Scae.Cli.Data;

/// <summary>Finds the files of MNIST, or other files in the same format, on this machine or on the network.</summary>
internal static class MnistFiles
{
    public const string Variable = "SCAE_DATA";

    // EMNIST's largest file has 547 million; a few compressed bytes can promise terabytes.
    private const int MostOwnBytes = 1_000_000_000;

    /// <summary>
    /// Data from the folder that --data names, else from $SCAE_DATA, else from the user's cache folder, else from the
    /// network. A folder named with --data must exist and hold the files: no other place is searched.
    /// </summary>
    public static Resources Resources(string? folder, CancellationToken stop = default)
    {
        if (folder is not null && !Directory.Exists(folder)) throw new RunFailure($"--data {folder}: there is no such folder", ExitCode.Usage);
        string? shared = Environment.GetEnvironmentVariable(Variable);
        if (folder is null && !string.IsNullOrEmpty(shared) && !Directory.Exists(shared)) Notice.TellOnce($"{Variable}={shared}: there is no such folder; what is needed comes from elsewhere");
        string[] folders = folder is not null ? [folder] : string.IsNullOrEmpty(shared) ? [CacheFolder()] : [shared, CacheFolder()];
        var mirrors = Mirrors.Public(stop);
        return From(folders, folder is null ? Fetch : null, folders.Length - (folder is null ? 1 : 0));

        FSharpResult<byte[], string> Fetch(MnistFile file)
        {
            Notice.TellOnce($"fetching MNIST (12 MB) from {mirrors.Names} into {folders[^1]}");
            return mirrors.Download(file);
        }
    }

    /// <summary>
    /// Data from given folders or, where there is one, from a function that fetches files. Each file is looked for once.
    /// When one can't be fetched, the others aren't tried. The user's own images (--digits idx) are looked for only in the
    /// first <paramref name="named"/> folders, which are those that the user named: the cache holds MNIST.
    /// </summary>
    public static Resources From(IReadOnlyList<string> folders, Func<MnistFile, FSharpResult<byte[], string>>? fetch, int named = int.MaxValue)
    {
        var known = new ConcurrentDictionary<string, Lazy<FSharpResult<byte[], string>>>();
        var own = new Lazy<FSharpResult<IReadOnlyList<string>, string>>(() => OwnImages.Find([.. Places(folders.Take(named))]));
        var digest = new Lazy<FSharpOption<string>?>(Digest);
        string? missing = null;
        return new Resources(
            FuncConvert.FromFunc<MnistFile, FSharpResult<byte[], string>>(Find),
            FuncConvert.FromFunc(Missing),
            FuncConvert.FromFunc(Pairs),
            FuncConvert.FromFunc(() => digest.Value),
            FuncConvert.FromFunc(() => SpriteFiles.Read(folders)),
            FuncConvert.FromFunc(SpritesMissing));

        FSharpResult<byte[], string> Find(MnistFile file) => known.GetOrAdd(file.Name, _ => new(() => Bytes(folders, Once, file, fetch is not null))).Value;

        FSharpResult<byte[], string> Once(MnistFile file)
        {
            if (missing is not null) return Failed(missing);
            var fetched = fetch is null ? Failed("which --data names") : fetch(file);
            if (fetched.IsError) missing = fetched.ErrorValue;
            return fetched;
        }

        FSharpOption<string>? Missing()
        {
            bool isMissing = OwnImages.Files.Any(file => Find(file).IsError) && missing is not null;
            return !isMissing ? null : FSharpOption<string>.Some(fetch is null ? $"it isn't in {folders[0]}" : missing!);
        }

        // dSprites is never fetched, so someone who names no folder with --data doesn't expect the file, and gets no notice.
        FSharpOption<string>? SpritesMissing()
        {
            var why = SpriteFiles.Missing(folders);
            if (why is not null && fetch is null) Notice.TellOnce($"no dSprites ({why.Value}): our own drawings serve; --sprites file insists");
            return why;
        }

        FSharpResult<DigitSets, string> Pairs() => named == 0
            ? FSharpResult<DigitSets, string>.NewError($"--digits idx: say with --data or {Variable} in which folder the images are")
            : Mnist.sets(FuncConvert.FromFunc<MnistFile, FSharpResult<byte[], string>>(Own));

        FSharpResult<byte[], string> Own(MnistFile file)
        {
            if (own.Value.IsError) return Failed(own.Value.ErrorValue);
            string path = own.Value.ResultValue[OwnImages.Files.IndexOf(file)];
            return Read(path, bytes => Mnist.uncompressedTo(MostOwnBytes, path, bytes));
        }

        FSharpOption<string>? Digest()
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (var file in OwnImages.Files)
            {
                var bytes = Own(file);
                if (bytes.IsError) return null;
                hash.AppendData(bytes.ResultValue);
            }

            return FSharpOption<string>.Some(Convert.ToHexStringLower(hash.GetHashAndReset()));
        }
    }

    /// <summary>
    /// The uncompressed bytes of a file, from the first folder that has it; otherwise it is fetched and kept in the last
    /// folder. The error is one line that says what can be done.
    /// </summary>
    public static FSharpResult<byte[], string> Bytes(IReadOnlyList<string> folders, Func<MnistFile, FSharpResult<byte[], string>> fetch, MnistFile file, bool mayFetch = true)
    {
        if (Locate(folders, [.. Mnist.names(file).SelectMany(name => new[] { name, name + ".gz" })]) is { } path)
        {
            var found = Read(path, bytes => Mnist.verified(file, path, bytes));
            return found.IsOk ? found : Failed($"{found.ErrorValue}; {(mayFetch ? "delete it, and it is fetched again" : "put the original there")}; --digits idx takes other images");
        }

        var fetched = fetch(file);
        if (fetched.IsError)
            return Failed($"{file.Name}.gz isn't in {string.Join(", ", folders)} ({fetched.ErrorValue}): put the four MNIST files there, name their folder with --data or {Variable}, or use --digits strokes");
        Keep(folders[^1], $"{file.Name}.gz", fetched.ResultValue);
        return Mnist.uncompressed(file.Name, fetched.ResultValue);
    }

    private static FSharpResult<byte[], string> Failed(string message) => FSharpResult<byte[], string>.NewError(message);

    /// <summary>Each folder, and its subfolder mnist.</summary>
    private static IEnumerable<string> Places(IEnumerable<string> folders) => folders.SelectMany(folder => new[] { folder, Path.Combine(folder, "mnist") });

    /// <summary>The path of the first file that has one of the names.</summary>
    private static string? Locate(IEnumerable<string> folders, IReadOnlyList<string> names) =>
        Places(folders).SelectMany(place => names.Select(name => Path.Combine(place, name))).FirstOrDefault(File.Exists);

    private static FSharpResult<byte[], string> Read(string path, Func<byte[], FSharpResult<byte[], string>> check)
    {
        try
        {
            return check(File.ReadAllBytes(path));
        }
        catch (Exception problem) when (FileProblem.Is(problem))
        {
            return Failed($"{path}: can't be read");
        }
    }

    /// <summary>The user's cache folder, or the temporary folder for users without a home.</summary>
    private static string CacheFolder()
    {
        string home = Known(Environment.SpecialFolder.UserProfile);
        string caches = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { } named && Path.IsPathFullyQualified(named) ? named
            : OperatingSystem.IsWindows() ? Known(Environment.SpecialFolder.LocalApplicationData)
            : OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches")
            : Path.Combine(home, ".cache");
        return Path.Combine(Path.IsPathFullyQualified(caches) ? caches : Path.GetTempPath(), "scae", "mnist");

        // Gives the folder's name even if it doesn't exist yet.
        static string Known(Environment.SpecialFolder kind) => Environment.GetFolderPath(kind, Environment.SpecialFolderOption.DoNotVerify);
    }

    /// <summary>
    /// Keeps a file in the cache. A process that is killed while it writes leaves nothing under the file's name. A cache
    /// that can't be written is no error, since the caller has the bytes.
    /// </summary>
    private static void Keep(string folder, string name, byte[] bytes)
    {
        string unfinished = Path.Combine(folder, $".{name}.{Guid.NewGuid():N}");
        try
        {
            Directory.CreateDirectory(folder);
            using (var stream = new FileStream(unfinished, FileMode.CreateNew))
            {
                stream.Write(bytes);
                stream.Flush(true);
            }

            File.Move(unfinished, Path.Combine(folder, name), overwrite: true);
        }
        catch (Exception problem) when (FileProblem.Is(problem) || problem is ArgumentOutOfRangeException)
        {
            // The file is fetched again next time.
            AtomicFile.Remove(unfinished);
        }
    }
}
