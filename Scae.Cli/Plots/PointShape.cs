using ScottPlot;
using SkiaSharp;

namespace Scae.Cli.Plots;

/// <summary>
/// A point's shape of strokes through its middle, drawn from a path that is kept alive while it is drawn. ScottPlot's own
/// crosses don't keep theirs: a garbage collection at the wrong moment frees the path while Skia uses it, and the process dies.
/// </summary>
/// <param name="strokes">Where each stroke ends, in halves of the size; it goes as far to the other side.</param>
internal sealed class PointShape(params (int X, int Y)[] strokes) : IMarker
{
    /// <summary>Two strokes along the axes, each as long as the size.</summary>
    public static PointShape Plus { get; } = new((1, 0), (0, 1));

    /// <summary>Two strokes along the diagonals of a square as wide as the size.</summary>
    public static PointShape Cross { get; } = new((1, 1), (-1, 1));

    /// <inheritdoc/>
    public void Render(SKCanvas canvas, Paint paint, Pixel center, float size, MarkerStyle markerStyle)
    {
        using var path = new SKPath();
        foreach ((int x, int y) in strokes)
        {
            path.MoveTo(center.X + x * size / 2, center.Y + y * size / 2);
            path.LineTo(center.X - x * size / 2, center.Y - y * size / 2);
        }

        Drawing.DrawPath(canvas, paint, path, markerStyle.LineStyle);
    }
}
