using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.FSharp.Core;
using Scae.Cli.Plots;
using Scae.Core.Figures;
using Scae.Tensors;

namespace Scae.Cli.Runs;

/// <summary>The pictures of a run as files: PNG and SVG of each figure, and the animation as GIF.</summary>
internal static class FigureFiles
{
    /// <summary>
    /// Draws the pictures of a training, and returns the paths of the files, in order. When it is asked to stop, it throws
    /// <see cref="OperationCanceledException"/> before the next file.
    /// </summary>
    public static List<string> Write(RunFolder folder, IReadOnlyList<Figure> figures, FSharpOption<Animation>? animation, CancellationToken stop = default)
    {
        Directory.CreateDirectory(folder.Figures);
        var written = figures.SelectMany(figure => new[] { "png", "svg" }, (figure, kind) => PathOf(folder, figure.Name, kind)).ToList();
        IEnumerable<Action> files = figures.Select<Figure, Action>(figure => () => Write(folder.Figures, figure));
        if (animation is not null)
        {
            string path = PathOf(folder, animation.Value.Name, "gif");
            written.Add(path);
            // The animation takes longest. When it begins first, the other files are drawn on cores that it can't use.
            files = files.Prepend(() => AtomicFile.Write(path, stream => FigureRenderer.RenderGif(animation.Value, stream)));
        }

        try
        {
            Parallel.ForEach(files, new ParallelOptions { CancellationToken = stop, MaxDegreeOfParallelism = Parallelism.Threads }, write => write());
        }
        catch (AggregateException several)
        {
            RunFailure.Rethrow(several);
        }

        return written;
    }

    /// <summary>Writes one figure as PNG and SVG.</summary>
    public static void Write(string folder, Figure figure)
    {
        AtomicFile.Write(Path.Combine(folder, $"{figure.Name}.png"), stream => FigureRenderer.RenderPng(figure, stream));
        AtomicFile.Write(Path.Combine(folder, $"{figure.Name}.svg"), stream => FigureRenderer.RenderSvg(figure, stream));
    }

    private static string PathOf(RunFolder folder, string name, string kind) => Path.Combine(folder.Figures, $"{name}.{kind}");
}
