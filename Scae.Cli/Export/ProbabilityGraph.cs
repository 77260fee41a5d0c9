using System;

namespace Scae.Cli.Export;

/// <summary>Computations on probabilities that several models share.</summary>
internal static class ProbabilityGraph
{
    // See Logarithm.safe.
    private const double Least = 1e-16, Absent = -1e8;

    /// <summary>ln x; below 10⁻¹⁶ it is −10⁸, or the value of <paramref name="absent"/>.</summary>
    public static string Logarithm(GraphBuilder graph, string x, double absent = Absent)
    {
        string least = graph.Number(Least);
        return graph.Node("Where", [graph.Node("Less", [x, least]), graph.Number(absent), graph.Node("Log", [graph.Node("Max", [x, least])])]);
    }

    /// <summary>ln N(e; 0, σ²·I) of errors [.., n], with one deviation σ for each, [..].</summary>
    public static string Normal(GraphBuilder graph, string errors, string scales, int numbers)
    {
        string distances = graph.Divide(errors, graph.Node("Unsqueeze", [scales, graph.Integers(-1)]));
        string squares = graph.Multiply(graph.Sum(graph.Multiply(distances, distances), -1), graph.Number(-0.5));
        string widths = graph.Multiply(graph.Node("Log", [scales]), graph.Number(-numbers));
        return graph.Add(squares, graph.Add(widths, graph.Number(-0.5 * numbers * Math.Log(2 * Math.PI))));
    }
}
