using System;
using System.Collections.Generic;
using System.Linq;
using Scae.Core.Models;

namespace Scae.Cli.Export;

/// <summary>
/// The encoders of topographic autoencoders, as Scae.Core's TopographicVae.encode and topographic compute them from means:
/// frames [sequences, S, C, side, side] → z, u and T [sequences, S, capsules, entries]. A plain autoencoder has only z.
/// </summary>
internal static class TopographicEncoder
{
    public static GraphBuilder Graph(TopographicVaeConfig config, Weights weights)
    {
        var graph = new GraphBuilder("tvae", weights);
        int latents = config.Capsules * config.Entries, pixels = config.Channels * config.Side * config.Side;
        string frames = graph.Reshape(graph.Input("frames", "sequences", config.Frames, config.Channels, config.Side, config.Side), -1, pixels);
        string z = Mean(graph, "z", latents, frames);
        Output("z", z);
        if (config.Grouping.IsPlain) return graph;
        string u = Mean(graph, "u", latents, frames);
        Output("u", u);
        string variance = graph.Add(Energy(graph, config, u), graph.Number(config.Epsilon));
        Output("t", graph.Divide(graph.Add(z, graph.Weight("mu")), graph.Node("Sqrt", [variance])));
        return graph;

        void Output(string name, string value) =>
            graph.Output(name, graph.Reshape(value, -1, config.Frames, config.Capsules, config.Entries), "sequences", config.Frames, config.Capsules, config.Entries);
    }

    private static string Mean(GraphBuilder graph, string encoder, int latents, string frames)
    {
        string first = graph.Relu(graph.Linear(encoder + ".first", frames));
        string second = graph.Relu(graph.Linear(encoder + ".second", first));
        return graph.Slice(graph.Linear(encoder + ".third", second), 0, latents);
    }

    /// <summary>
    /// W·u² [b·S, s], as a convolution of maps that are extended so that they wrap: the frames and entries of a capsule, or
    /// the edges of a torus.
    /// </summary>
    private static string Energy(GraphBuilder graph, TopographicVaeConfig config, string u)
    {
        int latents = config.Capsules * config.Entries, edge = (int)Math.Sqrt(latents);
        var (rows, maps, columns) = config.Grouping.IsTorus ? (edge, 1, edge) : (config.Frames, config.Capsules, config.Entries);
        var offsets = GroupingModule.offsets(config.Grouping, config.Kernel, config.Width);
        int top = offsets.Min(offset => offset.Item1), left = offsets.Min(offset => offset.Item2);
        int height = offsets.Max(offset => offset.Item1) - top + 1, width = offsets.Max(offset => offset.Item2) - left + 1;
        float[] counts = new float[height * width];
        foreach (var (down, right) in offsets) counts[((down - top) * width) + right - left]++;

        string squares = graph.Transpose(graph.Reshape(graph.Multiply(u, u), -1, rows, maps, columns), 0, 2, 1, 3);
        string wrapped = graph.Gather(squares, graph.Integers([.. Around(top, height, rows)]), 2);
        wrapped = graph.Reshape(graph.Gather(wrapped, graph.Integers([.. Around(left, width, columns)]), 3), -1, 1, rows + height - 1, columns + width - 1);
        string sums = graph.Node("Conv", [wrapped, graph.Constant([1, 1, height, width], counts)]);
        return graph.Reshape(graph.Transpose(graph.Reshape(sums, -1, maps, rows, columns), 0, 2, 1, 3), -1, latents);
    }

    /// <summary>The places of a circle that a kernel sees, one after the other, when it starts at the first offset.</summary>
    private static IEnumerable<long> Around(int first, int kernel, int size) =>
        Enumerable.Range(first, size + kernel - 1).Select(place => (long)(((place % size) + size) % size));
}
