using System;
using Scae.Core.Models;

namespace Scae.Cli.Export;

/// <summary>
/// The network of constellation capsule autoencoders, as Scae.Core's Ccae.vote and explain compute it without noise: points
/// [scenes, points, 2] and whether each is there [scenes, points] → which objects are present, where their votes lie and
/// how wide they are, and which object each point belongs to.
/// </summary>
internal static class CcaeEncoder
{
    // See Ccae.explain: the logarithm of density times mixing weight for what no vote explains, before it is normalised.
    private static readonly double s_dummy = -4 * Math.Log(10);

    public static GraphBuilder Graph(CcaeConfig config, Weights weights)
    {
        var graph = new GraphBuilder("ccae", weights);
        int objects = config.Objects, count = config.Votes;
        string points = graph.Input("points", "scenes", "points", 2), present = graph.Input("present", "scenes", "points");
        string seen = new SetGraph(graph, CcaeModule.set(config)).Forward("set", points, present);
        var votes = CapsuleGraph.Votes(graph, CcaeModule.capsules(config), "capsules", seen);
        string places = PoseGraph.Origin(graph, votes.Poses);
        graph.Output("objects", votes.Presence, "scenes", objects);
        graph.Output("votes", places, "scenes", objects, count, 2);
        graph.Output("vote_presence", votes.VotePresence, "scenes", objects, count);
        graph.Output("scales", votes.Scales, "scenes", objects, count);

        string errors = graph.Subtract(graph.Node("Unsqueeze", [points, graph.Integers(2)]), graph.Reshape(places, 0, 1, -1, 2));
        string mixing = graph.Reshape(ProbabilityGraph.Logarithm(graph, votes.VotePresence), 0, 1, -1);
        string joint = graph.Add(mixing, ProbabilityGraph.Normal(graph, errors, graph.Reshape(votes.Scales, 0, 1, -1), 2));
        string best = graph.Max(ByObject(joint), 3);
        graph.OutputIntegers("owners", graph.Node("ArgMax", [best], GraphBuilder.Attribute("axis", 2), GraphBuilder.Attribute("keepdims", 0)), "scenes", "points");

        string responsibilities = graph.Softmax(graph.Append(joint, 3, 2, s_dummy));
        string byObject = graph.Sum(ByObject(graph.Slice(responsibilities, 0, objects * count)), 3);
        string unexplained = graph.Slice(responsibilities, objects * count, (objects * count) + 1);
        graph.Output("responsibilities", graph.Concat(byObject, unexplained), "scenes", "points", objects + 1);
        return graph;

        string ByObject(string x) => graph.Reshape(x, 0, 0, objects, count);
    }
}
