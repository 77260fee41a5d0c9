using System;
using System.Collections.Generic;
using System.Linq;
using Scae.Core.Figures;
using ScottPlot;
using ScottPlot.Plottables;
using SkiaSharp;
using Marker = Scae.Core.Figures.Marker;

namespace Scae.Cli.Plots;

/// <summary>Turns the marks of a panel into ScottPlot's plottables.</summary>
internal sealed class MarkPlotter(Plot plot, Projection x, Projection y)
{
    // The strokes of lines and boxes, and those of rules and polygons.
    private const float LineWidth = 2, ThinWidth = 1.5f;

    public void Add(Mark mark)
    {
        switch (mark)
        {
            case Mark.Line { Item: var m }:
                AddLine(m);
                break;
            case Mark.Scatter { Item: var m }:
                AddScatter(m);
                break;
            case Mark.Image { Item: var m }:
                AddImage(Colours(m.Pixels), m.Left, m.Top, m.Right, m.Bottom);
                break;
            case Mark.Heatmap { Item: var m }:
                AddHeatmap(m);
                break;
            case Mark.Box { Item: var m }:
                AddBox(m);
                break;
            case Mark.Polygon { Item: var m }:
                AddPolygon(m);
                break;
            case Mark.Bars { Item: var m }:
                AddBars(m);
                break;
            case Mark.Text { Item: var m }:
                AddText(m);
                break;
            case Mark.Rule { Item: var m }:
                AddRule(m);
                break;
        }
    }

    /// <summary>How far a mark may reach beyond the drawing area, so that all of a line or point on the limits stays visible.</summary>
    public static float Overhang(IPlottable plottable) => plottable switch
    {
        Scatter points => Math.Max(3, points.MarkerSize / 2 + 1),
        ImageRect or BarPlot or Text => 0,
        _ => 3,
    };

    private Coordinates At(double px, double py) => new(x.Map(px), y.Map(py));

    private static bool Drawable(Coordinates p) => !double.IsNaN(p.X) && !double.IsNaN(p.Y);

    private static Colour Pick(Colour[] colours, int i) =>
        colours.Length == 0 ? ColourModule.black : colours[Math.Min(i, colours.Length - 1)];

    /// <summary>The stretches of a sequence in which every point can be drawn.</summary>
    private static IEnumerable<List<T>> Runs<T>(IEnumerable<T> points, Func<T, bool> drawable)
    {
        var run = new List<T>();
        foreach (T p in points)
        {
            if (drawable(p))
            {
                run.Add(p);
            }
            else if (run.Count > 0)
            {
                yield return run;
                run = [];
            }
        }

        if (run.Count > 0)
            yield return run;
    }

    private void AddLine(LineMark m)
    {
        foreach (List<Coordinates> run in Runs(m.X.Zip(m.Y, At), Drawable))
        {
            Scatter line = plot.Add.ScatterLine(run, Style.Of(m.Colour));
            line.LineWidth = LineWidth;
            (line.LineStyle.StrokeCap, line.LineStyle.StrokeJoin) = (SKStrokeCap.Round, SKStrokeJoin.Round);
            if (run.Count == 1)
                line.MarkerStyle = new MarkerStyle(MarkerShape.FilledCircle, 3 * LineWidth, Style.Of(m.Colour));
        }
    }

    private void AddScatter(ScatterMark m)
    {
        var points = m.X.Zip(m.Y, At).Select((p, i) => (At: p, Colour: Pick(m.Colours, i))).Where(p => Drawable(p.At));
        // Consecutive points of one colour are added together, and only these: points that come later must cover those before them.
        foreach ((Colour colour, List<Coordinates> at) in Stretches(points))
            plot.Add.ScatterPoints(at, Style.Of(colour)).MarkerStyle = Marker(m.Shape, (float)m.Size, colour);
    }

    private static IEnumerable<(Colour Colour, List<Coordinates> At)> Stretches(IEnumerable<(Coordinates At, Colour Colour)> points)
    {
        (Colour Colour, List<Coordinates> At) now = (default, []);
        foreach ((Coordinates at, Colour colour) in points)
        {
            if (now.At.Count > 0 && !now.Colour.Equals(colour))
            {
                yield return now;
                now = (colour, []);
            }

            now.Colour = colour;
            now.At.Add(at);
        }

        if (now.At.Count > 0)
            yield return now;
    }

    /// <summary>A point's look, chosen so that equal sizes look equally large.</summary>
    public static MarkerStyle Marker(Marker shape, float size, Colour colour)
    {
        (MarkerShape kind, PointShape? own, float scale) = shape switch
        {
            { IsSquare: true } => (MarkerShape.FilledSquare, null, 0.88f),
            { IsPlus: true } => (MarkerShape.Cross, PointShape.Plus, 1f),
            { IsCross: true } => (MarkerShape.Eks, PointShape.Cross, 0.86f),
            _ => (MarkerShape.FilledCircle, default(PointShape?), 1f),
        };
        return new MarkerStyle(kind, scale * size, Style.Of(colour)) { CustomRenderer = own, LineWidth = Math.Max(1.2f, size * 0.2f) };
    }

    private void AddImage(SKBitmap? pixels, double left, double top, double right, double bottom)
    {
        Coordinates a = At(left, bottom), b = At(right, top);
        if (pixels is null || !Drawable(a) || !Drawable(b))
            return;
        plot.PlottableList.Add(new ImageRect
        {
            Image = new Image(pixels),
            Rect = new CoordinateRect(Math.Min(a.X, b.X), Math.Max(a.X, b.X), Math.Min(a.Y, b.Y), Math.Max(a.Y, b.Y)),
            AntiAlias = false,
        });
    }

    private static SKBitmap? Colours(Pixels pixels) => pixels switch
    {
        Pixels.Mapped m => Bitmap(m.values.GetLength(0), m.values.GetLength(1), (i, j) =>
            ColourMapModule.between(m.map, m.low, m.high, m.values[i, j])),
        Pixels.Rgb { Item: var v } when v.GetLength(2) == 3 => Bitmap(v.GetLength(0), v.GetLength(1), (i, j) =>
            ColourModule.ofFloats(v[i, j, 0], v[i, j, 1], v[i, j, 2])),
        Pixels.Rgb { Item: var v } => throw new ArgumentException($"an RGB image is [H, W, 3], got a last axis of {v.GetLength(2)}"),
        _ => throw new ArgumentException($"an image is mapped or RGB, got {pixels.GetType().Name}", nameof(pixels)),
    };

    private static SKBitmap? Bitmap(int rows, int columns, Func<int, int, Colour> colour)
    {
        if (rows == 0 || columns == 0)
            return null;
        var cells = new SKColor[rows * columns];
        for (int i = 0; i < cells.Length; i++)
        {
            Colour c = colour(i / columns, i % columns);
            cells[i] = new SKColor(c.R, c.G, c.B);
        }

        return new SKBitmap(columns, rows, isOpaque: true) { Pixels = cells };
    }

    private void AddHeatmap(HeatmapMark m)
    {
        int rows = m.Values.GetLength(0), columns = m.Values.GetLength(1);
        AddImage(Bitmap(rows, columns, (i, j) => ColourMapModule.between(m.Map, m.Low, m.High, m.Values[i, j])), 0, 0, columns, rows);
        for (int i = 0; i < rows && m.Format.Length > 0; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                bool light = ColourModule.luminance(ColourMapModule.between(m.Map, m.Low, m.High, m.Values[i, j])) > 0.25;
                Text text = plot.Add.Text(AxisTicks.Format(m.Values[i, j], m.Format), At(j + 0.5, i + 0.5));
                (text.LabelFontColor, text.Alignment) = (light ? Style.Ink : Colors.White, Alignment.MiddleCenter);
            }
        }
    }

    private void AddBox(BoxMark m)
    {
        Coordinates a = At(m.X0, m.Y0), b = At(m.X1, m.Y1);
        if (!Drawable(a) || !Drawable(b))
            return;
        var sides = new CoordinateRect(Math.Min(a.X, b.X), Math.Max(a.X, b.X), Math.Min(a.Y, b.Y), Math.Max(a.Y, b.Y));
        Coordinates[] around = [sides.TopLeft, sides.TopRight, sides.BottomRight, sides.BottomLeft, sides.TopLeft];
        if (m.Dashed)
        {
            AddDashes(m.Colour, LineWidth, new AxisLimits(sides), axes => [.. around.Select(axes.GetPixel)]);
            return;
        }

        Rectangle box = plot.Add.Rectangle(sides);
        (box.FillColor, box.LineStyle) = (Colors.Transparent, new LineStyle(LineWidth, Style.Of(m.Colour)));
    }

    private void AddPolygon(PolygonMark m)
    {
        Coordinates[] points = [.. m.X.Zip(m.Y, At).Where(Drawable)];
        if (points.Length == 0)
            return;
        Polygon polygon = plot.Add.Polygon(points);
        polygon.FillColor = Style.Of(m.Fill);
        polygon.LineStyle = new LineStyle(ThinWidth, Style.Of(m.Stroke)) { StrokeJoin = SKStrokeJoin.Round };
    }

    private void AddBars(BarMark m)
    {
        int first = plot.PlottableList.Count;
        double ground = y.IsLog ? y.Map(m.Heights.Where(height => height > 0).DefaultIfEmpty(1).Min() / 10) : 0;
        var bars = new List<Bar>();
        for (int i = 0; i < Math.Min(m.X.Length, m.Heights.Length); i++)
        {
            Coordinates top = At(m.X[i], m.Heights[i]);
            if (!Drawable(top))
                continue;
            bars.Add(new Bar
            {
                Position = top.X,
                Value = top.Y,
                ValueBase = ground,
                Size = m.Width,
                FillColor = Style.Of(Pick(m.Colours, i)),
                LineWidth = 0,
            });
            if (i < m.Errors.Length && double.IsFinite(m.Errors[i]) && !y.IsLog)
            {
                ErrorBar error = plot.Add.ErrorBar([top.X], [top.Y], [m.Errors[i]]);
                (error.Color, error.LineWidth, error.CapSize) = (Style.Ink, 1.3f, 6);
            }
        }

        if (bars.Count > 0)
            plot.PlottableList.Insert(first, new BarPlot(bars));
    }

    private void AddText(TextMark m)
    {
        if (!Drawable(At(m.X, m.Y)))
            return;
        Text text = plot.Add.Text(m.Text, At(m.X, m.Y));
        text.Alignment = Alignment.MiddleCenter;
        (text.LabelFontSize, text.LabelFontColor, text.LabelBackgroundColor) = ((float)m.Size, Style.Of(m.Colour), Style.Of(m.Background));
    }

    private void AddRule(RuleMark m)
    {
        double at = m.Orientation.IsHorizontal ? y.Map(m.At) : x.Map(m.At);
        if (double.IsNaN(at))
            return;
        AxisLimits limits = m.Orientation.IsHorizontal ? AxisLimits.VerticalOnly(at, at) : AxisLimits.HorizontalOnly(at, at);
        AddDashes(m.Colour, ThinWidth, limits, axes => m.Orientation.IsHorizontal
            ? [new(axes.DataRect.Left, axes.GetPixelY(at)), new(axes.DataRect.Right, axes.GetPixelY(at))]
            : [new(axes.GetPixelX(at), axes.DataRect.Top), new(axes.GetPixelX(at), axes.DataRect.Bottom)]);
    }

    private void AddDashes(Colour colour, double width, AxisLimits limits, Func<IAxes, Pixel[]> points) =>
        plot.PlottableList.Add(new Dashes(colour, width, limits, points));
}
