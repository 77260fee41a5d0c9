using System;
using System.Collections.Generic;
using System.Linq;
using Scae.Core.Figures;
using ScottPlot;
using SkiaSharp;

namespace Scae.Cli.Plots;

/// <summary>
/// Dashed lines, drawn as filled pieces because Skia's SVG leaves out the dashes of a stroke. As a plottable it is a line
/// through points in pixels, as a marker the swatch of a legend.
/// </summary>
internal sealed class Dashes(Colour colour, double width, AxisLimits limits, Func<IAxes, Pixel[]> points) : IPlottable, IMarker
{
    public bool IsVisible { get; set; } = true;

    public IAxes Axes { get; set; } = new Axes();

    public IEnumerable<LegendItem> LegendItems => [];

    /// <summary>The dashed line or outline beside a legend's label.</summary>
    public static MarkerStyle Swatch(Colour colour, bool outline) => new(MarkerShape.FilledSquare, 8, Style.Of(colour))
    {
        CustomRenderer = new Dashes(colour, outline ? 1.6 : 2, AxisLimits.NoLimits, _ => outline
            ? [new(-8, -4), new(8, -4), new(8, 4), new(-8, 4), new(-8, -4)]
            : [new(-10, 0), new(10, 0)]),
    };

    public AxisLimits GetAxisLimits() => limits;

    public void Render(RenderPack rp) => Draw(rp.Canvas, points(Axes));

    public void Render(SKCanvas canvas, Paint paint, Pixel center, float size, MarkerStyle markerStyle) =>
        Draw(canvas, [.. points(Axes).Select(p => new Pixel(p.X + center.X, p.Y + center.Y))]);

    private void Draw(SKCanvas canvas, Pixel[] line)
    {
        using var path = new SKPath();
        path.AddPoly([.. line.Select(p => p.ToSKPoint())], close: false);
        using SKPathEffect pattern = SKPathEffect.CreateDash([(float)(3.2 * width), (float)(2 * width)], 0);
        using var pen = new SKPaint { Style = SKPaintStyle.Stroke, StrokeWidth = (float)width, PathEffect = pattern };
        using var pieces = new SKPath();
        pen.GetFillPath(path, pieces);
        using var ink = new SKPaint { Color = Style.Of(colour).ToSKColor(), IsAntialias = true };
        canvas.DrawPath(pieces, ink);
    }
}
