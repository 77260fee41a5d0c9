using System;
using ScottPlot;
using SkiaSharp;

namespace Scae.Cli.Plots;

/// <summary>
/// A point's shape, drawn from a path that is kept alive while it is drawn. ScottPlot's own crosses and triangles don't
/// keep theirs: a garbage collection at the wrong moment frees the path while Skia uses it, and the process dies.
/// </summary>
internal sealed class PointShape : IMarker
{
    private static readonly float s_half = MathF.Sqrt(3) / 2;

    private readonly bool _filled;
    private readonly Action<SKPath, Pixel, float> _outline;

    private PointShape(bool filled, Action<SKPath, Pixel, float> outline) => (_filled, _outline) = (filled, outline);

    /// <summary>An upright triangle as wide as its size, its centre of mass on the point.</summary>
    public static PointShape Triangle { get; } = new(true, (path, at, size) =>
    {
        float radius = size / (2 * s_half);
        path.AddPoly(
            [
                new SKPoint(at.X, at.Y - radius),
                new SKPoint(at.X + radius * s_half, at.Y + radius / 2),
                new SKPoint(at.X - radius * s_half, at.Y + radius / 2),
            ]);
    });

    /// <summary>Two strokes along the axes, each as long as the size.</summary>
    public static PointShape Plus { get; } = new(false, (path, at, size) =>
    {
        Stroke(path, at, size / 2, 0);
        Stroke(path, at, 0, size / 2);
    });

    /// <summary>Two strokes along the diagonals of a square as wide as the size.</summary>
    public static PointShape Cross { get; } = new(false, (path, at, size) =>
    {
        Stroke(path, at, size / 2, size / 2);
        Stroke(path, at, -size / 2, size / 2);
    });

    /// <inheritdoc/>
    public void Render(SKCanvas canvas, Paint paint, Pixel center, float size, MarkerStyle markerStyle)
    {
        using var path = new SKPath();
        _outline(path, center, size);
        if (_filled)
            Drawing.FillPath(canvas, paint, path, markerStyle.FillStyle, new PixelRect(center, size));
        else
            Drawing.DrawPath(canvas, paint, path, markerStyle.LineStyle);
    }

    private static void Stroke(SKPath path, Pixel at, float x, float y)
    {
        path.MoveTo(at.X + x, at.Y + y);
        path.LineTo(at.X - x, at.Y - y);
    }
}
