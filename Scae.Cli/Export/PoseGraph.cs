using System;

namespace Scae.Cli.Export;

/// <summary>Maps of the plane as six numbers (a, b, t_x, c, d, t_y) along the last axis, as in Scae.Core's Pose.</summary>
internal static class PoseGraph
{
    // See Pose.ofRaw.
    private const double LeastScale = 0.01, Steepness = 5;

    /// <summary>Pose.ofRaw: maps from six free numbers each.</summary>
    public static string OfRaw(GraphBuilder graph, string raw, bool isSimilarity)
    {
        string[] entries = Entries(graph, raw);
        string Scale(int i) => graph.Add(graph.Sigmoid(entries[i]), graph.Number(LeastScale));
        string Steep(int i) => graph.Tanh(graph.Multiply(entries[i], graph.Number(Steepness)));
        string angle = graph.Multiply(entries[2], graph.Number(2 * Math.PI));
        string cos = graph.Node("Cos", [angle]), sin = graph.Node("Sin", [angle]), width = Scale(0);
        if (isSimilarity)
        {
            string widthCos = graph.Multiply(width, cos), widthSin = graph.Multiply(width, sin);
            return graph.Concat(widthCos, graph.Node("Neg", [widthSin]), Steep(4), widthSin, widthCos, Steep(5));
        }

        string height = Scale(1), shear = Steep(3);
        string heightSin = graph.Multiply(height, sin), heightCos = graph.Multiply(height, cos);
        return graph.Concat(
            graph.Add(graph.Multiply(width, cos), graph.Multiply(shear, heightSin)),
            graph.Subtract(graph.Multiply(shear, heightCos), graph.Multiply(width, sin)),
            Steep(4),
            heightSin,
            heightCos,
            Steep(5));
    }

    /// <summary>left ∘ right; the other axes broadcast.</summary>
    public static string Compose(GraphBuilder graph, string left, string right)
    {
        string[] outer = Entries(graph, left), inner = Entries(graph, right);
        string Through(int row, int j) => graph.Add(graph.Multiply(outer[row], inner[j]), graph.Multiply(outer[row + 1], inner[j + 3]));
        return graph.Concat(
            Through(0, 0), Through(0, 1), graph.Add(Through(0, 2), outer[2]),
            Through(3, 0), Through(3, 1), graph.Add(Through(3, 2), outer[5]));
    }

    /// <summary>The image (t_x, t_y) of the origin.</summary>
    public static string Origin(GraphBuilder graph, string pose) => graph.Concat(graph.Slice(pose, 2, 3), graph.Slice(pose, 5, 6));

    private static string[] Entries(GraphBuilder graph, string pose) => graph.Nodes("Split", [pose], 6, GraphBuilder.Attribute("axis", -1));
}
