using System.Linq;
using Scae.Core.Models;

namespace Scae.Cli.Export;

/// <summary>Images read at scaled and shifted places, bilinear and 0 outside, as Scae.Tensors' spatialTransform.</summary>
internal static class SamplingGraph
{
    /// <summary>The glimpses of pictures [n, c, h, w] at (log s, t_x, t_y) [n, 3]: [n, c, side, side].</summary>
    public static string Cut(GraphBuilder graph, string pictures, string where, int side)
    {
        var (scale, shift) = Pose(graph, where);
        return Read(graph, pictures, graph.Add(graph.Multiply(scale, Ticks(graph, side)), shift));
    }

    /// <summary>Pictures [n, c, h, w] drawn at (log s, t_x, t_y) [n, 3] on empty canvases: [n, c, side, side].</summary>
    public static string Put(GraphBuilder graph, string pictures, string where, int side)
    {
        var (scale, shift) = Pose(graph, where);
        return Read(graph, pictures, graph.Divide(graph.Subtract(Ticks(graph, side), shift), scale));
    }

    /// <summary>Pictures [n, c, h, w] as a whole in another size: [n, c, side, side].</summary>
    public static string Resize(GraphBuilder graph, string pictures, int side) =>
        Read(graph, pictures, graph.Repeat(Ticks(graph, side), 4, pictures));

    private static string Read(GraphBuilder graph, string pictures, string places) =>
        graph.Node("GridSample", [pictures, places], GraphBuilder.Attribute("align_corners", 1));

    private static (string Scale, string Shift) Pose(GraphBuilder graph, string where)
    {
        string scale = graph.Exp(graph.Clip(graph.Slice(where, 0, 1), AirModule.LeastLogScale, AirModule.MostLogScale));
        return (graph.Reshape(scale, -1, 1, 1, 1), graph.Reshape(graph.Slice(where, 1, 3), -1, 1, 1, 2));
    }

    /// <summary>The places (x, y) of an image's pixels, [1, side, side, 2], the outermost at −1 and 1.</summary>
    private static string Ticks(GraphBuilder graph, int side)
    {
        float Tick(int i) => side == 1 ? 0 : (float)((2.0 * i / (side - 1)) - 1);
        float[] ticks = [.. Enumerable.Range(0, 2 * side * side).Select(i => Tick(i % 2 == 0 ? i / 2 % side : i / 2 / side))];
        return graph.Constant($"places of {side}", [1, side, side, 2], ticks);
    }
}
