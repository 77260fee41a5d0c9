using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.IO;
using System.Linq;
using Microsoft.FSharp.Core;
using Scae.Core.Data;

namespace Scae.Cli.Data;

/// <summary>
/// The files of a user's own images (--digits idx): four whose names end as MNIST's do. What is before that, such as
/// emnist-letters-, says which set a file belongs to; files of different sets are never taken together.
/// </summary>
internal static class OwnImages
{
    /// <summary>The files, in the order of <see cref="Mnist"/>: images and labels to train with, images and labels to test on.</summary>
    public static readonly ImmutableArray<MnistFile> Files = [Mnist.trainImages, Mnist.trainLabels, Mnist.testImages, Mnist.testLabels];

    /// <summary>
    /// The paths of the four files. The first place that has any of them must have them all, for a later one has other
    /// images; where it has several sets, one without a prefix is taken. The error is one line.
    /// </summary>
    /// <param name="places">Folders, not all of which need exist.</param>
    public static FSharpResult<IReadOnlyList<string>, string> Find(IReadOnlyList<string> places)
    {
        foreach (string place in places.Where(Directory.Exists))
        {
            var sets = SetsIn(place);
            if (sets.Count == 0) continue;
            var whole = sets.Where(set => set.Value.All(path => path is not null)).Select(set => set.Key).ToList();
            if (whole.Count == 0)
            {
                var (prefix, paths) = sets.MaxBy(set => set.Value.Count(path => path is not null));
                return Failed($"{prefix}{Files[Array.IndexOf(paths, null)].Name} isn't in {place}");
            }

            if (whole.Count > 1 && whole[0].Length > 0)
                return Failed($"{place} has several sets of images ({string.Join(", ", whole.Select(prefix => prefix.TrimEnd('-')))}); put the files of one into a folder of their own");
            return FSharpResult<IReadOnlyList<string>, string>.NewOk(sets[whole[0]]!);
        }

        return Failed($"{Files[0].Name} isn't in {string.Join(", ", places)}");
    }

    /// <summary>By prefix, the path of each of the four files in a folder, null for one that isn't there.</summary>
    private static SortedDictionary<string, string?[]> SetsIn(string place)
    {
        var sets = new SortedDictionary<string, string?[]>(StringComparer.Ordinal);
        for (int i = 0; i < Files.Length; i++)
        {
            // The first ending is the best: uncompressed, and named as MNIST is.
            foreach (string ending in Endings(Files[i]))
            {
                foreach (string path in Directory.EnumerateFiles(place, "*" + ending))
                {
                    string name = Path.GetFileName(path), prefix = name[..^ending.Length];
                    if (prefix.Length > 0 && !prefix.EndsWith('-')) continue;
                    if (!sets.TryGetValue(prefix, out var paths)) sets[prefix] = paths = new string?[Files.Length];
                    paths[i] ??= path;
                }
            }
        }

        return sets;
    }

    private static IEnumerable<string> Endings(MnistFile file) =>
        from name in Mnist.names(file).SelectMany(name => new[] { name, name.Replace("t10k", "test", StringComparison.Ordinal) }).Distinct()
        from ending in new[] { name, name + ".gz" }
        select ending;

    private static FSharpResult<IReadOnlyList<string>, string> Failed(string what) => FSharpResult<IReadOnlyList<string>, string>.NewError(
        $"{what}: --digits idx needs images and labels to train with and to test on, under names that end as MNIST's do; say with --data or {MnistFiles.Variable} where they are");
}
