using System;
using Scae.Core.Models;

namespace Scae.Cli.Export;

/// <summary>
/// SCAE's parts and objects, as Scae.Core's Scae.infer computes them without noise: images [images, 1, side, side] → the
/// outputs of PartsEncoder, which object capsules are present, how many parts each explains, and their responsibilities for
/// parts.
/// </summary>
internal static class ObjectsEncoder
{
    // See PartDecoder.coloured and ObjectCapsules.explain.
    private const double BrighterColours = 0.99;
    private static readonly double s_dummy = -4 * Math.Log(10);

    public static GraphBuilder Graph(ScaeConfig config, Weights weights)
    {
        int capsules = config.Objects, count = config.Parts;
        var graph = new GraphBuilder("scae", weights);
        var parts = PartsEncoder.Parts(graph, config);
        string told = Told(graph, config, parts);
        string seen = new SetGraph(graph, ScaeConfigModule.set(config)).Forward("set", told, parts.Presence);
        var votes = CapsuleGraph.Votes(graph, ScaeConfigModule.capsules(config), "capsules", seen);

        string errors = graph.Subtract(graph.Node("Unsqueeze", [parts.Poses, graph.Integers(1)]), votes.Poses);
        string joint = graph.Add(ProbabilityGraph.Logarithm(graph, votes.VotePresence), ProbabilityGraph.Normal(graph, errors, votes.Scales, 6));
        string responsibilities = graph.Softmax(graph.Append(joint, 3, 1, s_dummy), 1);
        graph.Output("objects", graph.Max(votes.VotePresence, 2), "images", capsules);
        graph.Output("explained", graph.Sum(graph.Slice(responsibilities, 0, capsules, 1), 2), "images", capsules);
        graph.Output("responsibilities", responsibilities, "images", capsules + 1, count);
        return graph;
    }

    /// <summary>The object capsules' input for each part: pose, 1 − presence, features, coloured template.</summary>
    private static string Told(GraphBuilder graph, ScaeConfig config, PartsInGraph parts)
    {
        int pixels = config.TemplateSide * config.TemplateSide;
        string absence = graph.Reshape(graph.Subtract(graph.Number(1), parts.Presence), 0, -1, 1);
        string templates = Values(graph.Weight("decoder.templates"), 0);
        string flat = graph.Reshape(templates, 1, config.Parts, pixels), coloured;
        if (config.Colour > 0)
        {
            string hidden = graph.Relu(graph.Linear("decoder.colour.hidden", parts.Features));
            coloured = graph.Multiply(flat, Values(graph.Linear("decoder.colour.output", hidden), BrighterColours));
        }
        else
        {
            coloured = graph.Repeat(flat, 3, parts.Features);
        }

        return graph.Concat(parts.Poses, absence, parts.Features, coloured);

        string Values(string x, double offset) =>
            config.Values.IsSigmoid ? graph.Sigmoid(x) : graph.Clip(graph.Add(x, graph.Number(offset)), 0, 1);
    }
}
