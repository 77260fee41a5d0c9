using System;

namespace Scae.Cli.Export;

/// <summary>
/// The encoder of constellations' small program, as Scae.Core's ConstellationCapsules.encode computes it: points
/// [scenes, points, 2] → the pose (log s, θ, t_x, t_y) of every capsule, and how its attention weighs the points.
/// </summary>
internal static class ConstellationsEncoder
{
    public static GraphBuilder Graph(Weights weights)
    {
        var graph = new GraphBuilder("constellations", weights);
        int heads = graph.Weights.Integer("heads");
        int[] seeds = graph.Weights.Shape("pooling.seeds");
        string h = graph.Linear("embedding", graph.Input("points", "scenes", "points", 2));
        h = graph.Add(h, Attend(graph, "selfAttention", heads, h, h).Seen);
        h = graph.Add(h, graph.Linear("back", graph.Relu(graph.Linear("hidden", h))));
        string queries = graph.Constant("pooling.seeds", [1, .. seeds], graph.Weights.Values("pooling.seeds"));
        var (pooled, attention) = Attend(graph, "pooling.attention", heads, queries, h);
        graph.Output("poses", graph.Linear("pose", pooled), "scenes", seeds[0], 4);
        graph.Output("attention", attention, "scenes", heads, seeds[0], "points");
        return graph;
    }

    /// <summary>softmax((x·W_q)(h·W_k)ᵀ/√d)·(h·W_v)·W_o for each head, and the softmax.</summary>
    private static (string Seen, string Weights) Attend(GraphBuilder graph, string layer, int heads, string x, string h)
    {
        int share = graph.Weights.Shape(layer + ".query")[1] / heads;
        string queries = ByHead("query", x, 0, 2, 1, 3), keys = ByHead("key", h, 0, 2, 3, 1), values = ByHead("value", h, 0, 2, 1, 3);
        string attention = graph.Softmax(graph.Multiply(graph.MatMul(queries, keys), graph.Number(1 / Math.Sqrt(share))));
        string seen = graph.Reshape(graph.Transpose(graph.MatMul(attention, values), 0, 2, 1, 3), 0, -1, (long)heads * share);
        return (graph.MatMul(seen, graph.Weight(layer + ".output")), attention);

        string ByHead(string name, string of, params long[] axes) =>
            graph.Transpose(graph.Reshape(graph.MatMul(of, graph.Weight($"{layer}.{name}")), 0, -1, heads, share), axes);
    }
}
