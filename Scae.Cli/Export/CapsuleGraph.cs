using Scae.Core.Layers;

namespace Scae.Cli.Export;

/// <summary>The outputs of capsules, as names of values in a graph; see Scae.Core's CapsuleVotes.</summary>
/// <param name="Poses">[b, K, V, 6].</param>
/// <param name="Presence">a_k, [b, K].</param>
/// <param name="VotePresence">a_kv, [b, K, V].</param>
/// <param name="Scales">s_kv, [b, K, V].</param>
internal sealed record VotesInGraph(string Poses, string Presence, string VotePresence, string Scales);

/// <summary>Capsules that share no parameters, as Scae.Core's CapsuleLayer.forward computes them without noise.</summary>
internal static class CapsuleGraph
{
    /// <summary>The outputs of the capsules of a layer, given its name and its input h [b, K, inputs].</summary>
    public static VotesInGraph Votes(GraphBuilder graph, CapsuleLayerConfig config, string layer, string h)
    {
        int capsules = config.Capsules, votes = config.Votes;
        string raw = Raw(graph, capsules, layer, h);
        string dynamic = graph.Reshape(graph.Slice(raw, 0, 6 * votes), 0, capsules, votes, 6);
        string own = graph.Reshape(graph.Add(Part(6 * votes, 6), Bias("poseBias")), 0, capsules, 1, 6);
        string presence = graph.Sigmoid(graph.Add(Part((6 * votes) + 6, 1), Bias("presenceBias")));
        string said = graph.Sigmoid(graph.Add(Part((6 * votes) + 7, votes), Bias("voteBias")));
        string scales = graph.Add(graph.Add(Part((7 * votes) + 7, votes), Bias("scaleBias")), graph.Number(0.5));
        bool isSimilarity = config.Kind.IsSimilarity;
        return new(
            PoseGraph.Compose(graph, PoseGraph.OfRaw(graph, own, isSimilarity), PoseGraph.OfRaw(graph, graph.Add(dynamic, Bias("staticVotes")), isSimilarity)),
            graph.Reshape(presence, 0, capsules),
            graph.Multiply(presence, said),
            graph.Add(graph.Node("Softplus", [scales]), graph.Number(0.01)));

        string Part(int from, int count) => graph.Slice(raw, from, from + count);

        string Bias(string name) => graph.Weight($"{layer}.{name}");
    }

    /// <summary>The raw outputs of the layer, [b, K, 8V + 7].</summary>
    private static string Raw(GraphBuilder graph, int capsules, string layer, string h)
    {
        string code = graph.LinearEach(layer + ".code", graph.Relu(graph.LinearEach(layer + ".encode", h)));

        // A constant 1 tells each capsule that it exists, as in the released program.
        string told = graph.Append(code, 3, 2, 1);
        return graph.LinearEach(layer + ".output", graph.Relu(graph.LinearEach(layer + ".decode", told)));
    }
}
