using System;
using System.Linq;

namespace Scae.Cli.Export;

/// <summary>
/// The encoder of SCAE's part capsules, as Scae.Core's PartEncoder.forward computes it without noise: images
/// [images, 1, side, side] → the parts' poses [images, parts, 6], features, and presence.
/// </summary>
internal static class PartsEncoder
{
    private static readonly long[] s_strides = [2, 2, 1, 1];

    // See Pose.ofRaw.
    private const double LeastScale = 0.01, Steepness = 5;

    public static GraphBuilder Graph(Weights weights)
    {
        var graph = new GraphBuilder("scae parts");
        int side = weights.Integer("canvas"), parts = weights.Integer("parts"), features = weights.Integer("features");
        string h = graph.Input("images", "images", 1, side, side);
        for (int i = 0; i < s_strides.Length; i++)
        {
            string layer = $"encoder.convolutions.{i}";
            h = graph.Relu(graph.Node(
                "Conv", [h, weights.In(graph, layer + ".filters"), weights.In(graph, layer + ".bias")], GraphBuilder.Attribute("strides", s_strides[i], s_strides[i])));
        }

        int channels = weights.Shape("encoder.position")[0];
        string places = graph.Reshape(graph.Add(h, weights.In(graph, "encoder.position")), 0, channels, -1);
        string numbers = Pool(graph, weights, parts, channels, places);
        graph.Output("poses", Pose(graph, graph.Slice(numbers, 0, 6)), "images", parts, 6);
        graph.Output("features", graph.Slice(numbers, 6, 6 + features), "images", parts, features);
        graph.Output("presence", graph.Reshape(graph.Node("Sigmoid", [graph.Slice(numbers, 6 + features, 7 + features)]), 0, parts), "images", parts);
        return graph;
    }

    /// <summary>PartPooling.pool: averages over places, weighed by each part's softmax, and what the head says of them.</summary>
    private static string Pool(GraphBuilder graph, Weights weights, int parts, int channels, string places)
    {
        float[] head = weights.Values("encoder.head.weight"), bias = weights.Values("encoder.head.bias");
        int columns = bias.Length, count = (columns / parts) - 1;
        bool isOwn = weights.Settings["pooling"] == "own";

        // The column of the head that is number j of what map m pools: a part's numbers side by side, or the program's reshape.
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

    /// <summary>Pose.ofRaw of affine poses.</summary>
    private static string Pose(GraphBuilder graph, string raw)
    {
        string[] entries = graph.Nodes("Split", [raw], 6, GraphBuilder.Attribute("axis", -1));
        string Scale(int i) => graph.Add(graph.Node("Sigmoid", [entries[i]]), graph.Number(LeastScale));
        string Steep(int i) => graph.Node("Tanh", [graph.Multiply(entries[i], graph.Number(Steepness))]);
        string angle = graph.Multiply(entries[2], graph.Number(2 * Math.PI));
        string cos = graph.Node("Cos", [angle]), sin = graph.Node("Sin", [angle]);
        string width = Scale(0), height = Scale(1), shear = Steep(3);
        string heightSin = graph.Multiply(height, sin), heightCos = graph.Multiply(height, cos);
        return graph.Concat(
            graph.Add(graph.Multiply(width, cos), graph.Multiply(shear, heightSin)),
            graph.Subtract(graph.Multiply(shear, heightCos), graph.Multiply(width, sin)),
            Steep(4),
            heightSin,
            heightCos,
            Steep(5));
    }
}
