using System;
using Scae.Core.Layers;

namespace Scae.Cli.Export;

/// <summary>The set transformer of capsule autoencoders, as Scae.Core's SetTransformer.forward computes it.</summary>
internal sealed class SetGraph(GraphBuilder graph, SetTransformerConfig config)
{
    // See PresenceMask.
    private const double HardMost = 1e32, LogAbsent = -1e30;

    /// <summary>
    /// Points [b, n, inputs] with presence [b, n] in [0, 1] → [b, seeds, outputs], by the parameters of the layer with the
    /// given name.
    /// </summary>
    public string Forward(string layer, string points, string presence)
    {
        // A hard mask is subtracted from scores before they are divided by the root of the width of a block's head. With the
        // same factor, the mask is rounded in the same way here.
        double scale = 1 / Math.Sqrt((config.Width + config.Heads - 1) / config.Heads);
        string? mask = Mask(presence, config.Mask.IsHard ? scale : 1);
        string present = graph.Reshape(presence, 0, -1, 1), h = graph.Linear(layer + ".embedding", points);
        for (int i = 0; i < config.Layers; i++)
        {
            string block = $"{layer}.blocks.{i}";
            string seen = Attend(block + ".attention", h, h, mask);
            string y = graph.NormalisedIfAny(block + ".attentionNorm", graph.Multiply(graph.Add(seen, h), present));
            string hidden = graph.Relu(graph.Linear(block + ".hidden", y));
            h = graph.NormalisedIfAny(block + ".backNorm", graph.Add(y, graph.Linear(block + ".back", hidden)));
        }

        int[] seeds = graph.Weights.Shape(layer + ".seeds");
        string queries = graph.Constant(layer + ".seeds", [1, .. seeds], graph.Weights.Values(layer + ".seeds"));
        double pooled = 1 / Math.Sqrt(config.Width);
        return Attend(layer + ".pooling", queries, graph.Linear(layer + ".projection", h), config.Mask.IsHard ? Mask(presence, pooled) : mask);
    }

    /// <summary>MaskedAttention.attend: what queries x get from a set h.</summary>
    private string Attend(string layer, string x, string h, string? mask)
    {
        int inner = graph.Weights.Shape(layer + ".query.bias")[0], share = inner / config.Heads;
        string queries = ByHead("query", x, 0, 2, 1, 3), keys = ByHead("key", h, 0, 2, 3, 1), values = ByHead("value", h, 0, 2, 1, 3);
        string scores = graph.Multiply(graph.MatMul(queries, keys), graph.Number(1 / Math.Sqrt(share)));
        string attention = graph.Softmax(mask is null ? scores : graph.Add(scores, mask));
        string seen = graph.Reshape(graph.Transpose(graph.MatMul(attention, values), 0, 2, 1, 3), 0, -1, inner);
        return graph.Linear(layer + ".output", seen);

        string ByHead(string name, string of, params long[] axes) =>
            graph.Transpose(graph.Reshape(graph.Linear($"{layer}.{name}", of), 0, -1, config.Heads, share), axes);
    }

    /// <summary>What presence adds to scores, [b, 1, 1, n]; null where presence has no effect.</summary>
    private string? Mask(string presence, double scale)
    {
        if (config.Mask.IsNone) return null;
        string added = config.Mask.IsHard
            ? graph.Multiply(graph.Multiply(graph.Subtract(presence, graph.Number(1)), graph.Number(HardMost)), graph.Number(scale))
            : ProbabilityGraph.Logarithm(graph, presence, LogAbsent);
        return graph.Reshape(added, 0, 1, 1, -1);
    }
}
