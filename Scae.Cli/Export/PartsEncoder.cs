using System.Linq;
using Scae.Core.Models;

namespace Scae.Cli.Export;

/// <summary>The outputs of inference for parts, as names of values in a graph.</summary>
/// <param name="Poses">[images, parts, 6].</param>
/// <param name="Features">[images, parts, features].</param>
/// <param name="Presence">[images, parts].</param>
internal sealed record PartsInGraph(string Poses, string Features, string Presence);

/// <summary>
/// The encoder of SCAE's part capsules, as Scae.Core's PartEncoder.forward computes it without noise: images
/// [images, 1, side, side] → the parts' poses [images, parts, 6], features, and presence.
/// </summary>
internal static class PartsEncoder
{
    private static readonly long[] s_strides = [2, 2, 1, 1];

    /// <summary>
    /// Adds images to a graph as an input, and what is inferred of their parts, both as outputs and as values for further
    /// nodes.
    /// </summary>
    public static PartsInGraph Parts(GraphBuilder graph, ScaeConfig config)
    {
        int side = config.Canvas, parts = config.Parts, features = config.Features;
        string h = graph.Input("images", "images", 1, side, side);
        for (int i = 0; i < s_strides.Length; i++)
        {
            string layer = $"encoder.convolutions.{i}";
            h = graph.Relu(graph.Node(
                "Conv", [h, graph.Weight(layer + ".filters"), graph.Weight(layer + ".bias")], GraphBuilder.Attribute("strides", s_strides[i], s_strides[i])));
        }

        int channels = graph.Weights.Shape("encoder.position")[0];
        string places = graph.Reshape(graph.Add(h, graph.Weight("encoder.position")), 0, channels, -1);
        string numbers = Pool(graph, parts, channels, config.Pooling.IsOwn, places);
        PartsInGraph found = new(
            PoseGraph.OfRaw(graph, graph.Slice(numbers, 0, 6), isSimilarity: false),
            graph.Slice(numbers, 6, 6 + features),
            graph.Reshape(graph.Sigmoid(graph.Slice(numbers, 6 + features, 7 + features)), 0, parts));
        graph.Output("poses", found.Poses, "images", parts, 6);
        graph.Output("features", found.Features, "images", parts, features);
        graph.Output("presence", found.Presence, "images", parts);
        return found;
    }

    /// <summary>PartPooling.pool: averages over places, weighed by each part's softmax, and the head's outputs for them.</summary>
    private static string Pool(GraphBuilder graph, int parts, int channels, bool isOwn, string places)
    {
        float[] head = graph.Weights.Values("encoder.head.weight"), bias = graph.Weights.Values("encoder.head.bias");
        int columns = bias.Length, count = (columns / parts) - 1;

        // The column of the head for number j among those that are pooled with a map. A part's numbers lie side by side, or
        // are spread by the released program's reshape.
        int Column(int map, int j) => isOwn ? (map * count) + j : (j * parts) + map;
        float[] toLogits = [.. Enumerable.Range(0, parts * channels).Select(i => head[(i % channels * columns) + (count * parts) + (i / channels)])];
        float[] layers = [.. from map in Enumerable.Range(0, parts)
                             from channel in Enumerable.Range(0, channels)
                             from j in Enumerable.Range(0, count)
                             select head[(channel * columns) + Column(map, j)]];
        float[] biases = [.. from map in Enumerable.Range(0, parts)
                             from j in Enumerable.Range(0, count)
                             select bias[Column(map, j)]];
        string attention = graph.Softmax(graph.MatMul(graph.Constant("encoder.head.logits", [parts, channels], toLogits), places));
        string averages = graph.Reshape(graph.MatMul(attention, graph.Transpose(places, 0, 2, 1)), 0, parts, 1, channels);
        string said = graph.Reshape(graph.MatMul(averages, graph.Constant("encoder.head.layers", [parts, channels, count], layers)), 0, parts, count);
        said = graph.Add(said, graph.Constant("encoder.head.biases", [parts, count], biases));
        return isOwn ? said : graph.Reshape(graph.Transpose(said, 0, 2, 1), 0, parts, count);
    }
}
