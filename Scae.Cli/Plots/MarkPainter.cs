using System;
using System.Collections.Generic;
using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>Draws the marks of a panel inside its drawing area.</summary>
internal sealed class MarkPainter(ICanvas canvas, Rectangle plot, AxisScale x, AxisScale y)
{
    // Half of a line that runs along the limits, and points that lie on them, stay visible.
    private const double Overhang = 3;

    // Longer curves have several points in a pixel: 6,000 points of noise took 9.2 ms, thinned to 2,800 they take 5.9,
    // and the SVG is half as long.
    private const int Many = 1000;

    public void Draw(Mark mark)
    {
        bool area = mark.IsImage || mark.IsHeatmap || mark.IsBand || mark.IsBars || mark.IsText;
        canvas.PushClip(area ? plot : plot.Inflate(Overhang));
        switch (mark)
        {
            case Mark.Line { Item: var m }:
                DrawLine(m);
                break;
            case Mark.Scatter { Item: var m }:
                DrawScatter(m);
                break;
            case Mark.Image { Item: var m }:
                canvas.Image(ImageColours.Of(m.Pixels), Between(m.Left, m.Top, m.Right, m.Bottom));
                break;
            case Mark.Heatmap { Item: var m }:
                DrawHeatmap(m);
                break;
            case Mark.Box { Item: var m }:
                DrawBox(m);
                break;
            case Mark.Polygon { Item: var m }:
                DrawPolygon(m);
                break;
            case Mark.Band { Item: var m }:
                DrawBand(m);
                break;
            case Mark.Bars { Item: var m }:
                DrawBars(m);
                break;
            case Mark.Text { Item: var m }:
                DrawText(m);
                break;
            case Mark.Rule { Item: var m }:
                DrawRule(m);
                break;
        }

        canvas.PopClip();
    }

    private Point At(double px, double py) => new(x.Map(px), y.Map(py));

    private static bool Drawable(Point p) => !double.IsNaN(p.X) && !double.IsNaN(p.Y);

    private Rectangle Between(double x0, double y0, double x1, double y1)
    {
        Point a = At(x0, y0), b = At(x1, y1);
        return new Rectangle(Math.Min(a.X, b.X), Math.Min(a.Y, b.Y), Math.Max(a.X, b.X), Math.Max(a.Y, b.Y));
    }

    private static Colour Pick(Colour[] colours, int i) =>
        colours.Length == 0 ? ColourModule.black : colours[Math.Min(i, colours.Length - 1)];

    private void DrawLine(LineMark m)
    {
        foreach (Point[] run in Runs(m.X, m.Y))
        {
            if (run.Length > 1)
                canvas.Stroke(run.Length > Many ? Polygons.Thin(run, 0.5) : run, m.Colour, m.Width, m.Dashed);
            else
                canvas.Disc(run[0], 1.5 * m.Width, m.Colour); // a curve of one point would be a speck
        }
    }

    /// <summary>The stretches of a curve without gaps.</summary>
    private IEnumerable<Point[]> Runs(double[] xs, double[] ys)
    {
        var run = new List<Point>();
        for (int i = 0; i < Math.Min(xs.Length, ys.Length); i++)
        {
            Point p = At(xs[i], ys[i]);
            if (Drawable(p))
            {
                run.Add(p);
            }
            else if (run.Count > 0)
            {
                yield return [.. run];
                run.Clear();
            }
        }

        if (run.Count > 0)
            yield return [.. run];
    }

    private void DrawScatter(ScatterMark m)
    {
        for (int i = 0; i < Math.Min(m.X.Length, m.Y.Length); i++)
        {
            Point p = At(m.X[i], m.Y[i]);
            if (Drawable(p) && plot.Inflate(Overhang).Contains(p))
                MarkerPainter.Draw(canvas, m.Shape, p, m.Size, Pick(m.Colours, i));
        }
    }

    private void DrawHeatmap(HeatmapMark m)
    {
        int rows = m.Values.GetLength(0), columns = m.Values.GetLength(1);
        if (rows == 0 || columns == 0)
            return;
        Rectangle all = Between(0, 0, columns, rows);
        PixelImage image = ImageColours.Of(m.Values, m.Low, m.High, m.Map);
        canvas.Image(image, all);
        double width = all.Width / columns, height = all.Height / rows;
        if (m.Format.Length == 0)
            return;
        var texts = new string[rows, columns];
        double widest = 1;
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                texts[i, j] = CellText.Format(m.Values[i, j], m.Format);
                widest = Math.Max(widest, StrokeFont.Measure(texts[i, j], 1));
            }
        }

        double size = Math.Min(14, Math.Min(0.8 * width / widest, 0.55 * height));
        if (size < 7)
            return; // too small to read: the colours and their bar remain
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                Colour cell = ColourMapModule.between(m.Map, m.Low, m.High, m.Values[i, j]);
                Colour ink = ColourModule.luminance(cell) > 0.25 ? Style.Ink : ColourModule.white;
                Point centre = At(j + 0.5, i + 0.5);
                canvas.Text(new TextRun(
                    texts[i, j], centre with { Y = centre.Y + size * StrokeFont.CapHeight / 2 }, size, ink, TextAlign.Middle));
            }
        }
    }

    private void DrawBox(BoxMark m)
    {
        Rectangle box = Between(m.X0, m.Y0, m.X1, m.Y1);
        if (Drawable(new Point(box.Left, box.Top)) && Drawable(new Point(box.Right, box.Bottom)))
            canvas.Stroke(box.Outline(), m.Colour, m.Width, m.Dashed);
    }

    private void DrawPolygon(PolygonMark m)
    {
        var points = new List<Point>();
        foreach (Point[] run in Runs(m.X, m.Y))
            points.AddRange(run);
        if (points.Count == 0)
            return;
        canvas.Fill([.. points], m.Fill);
        canvas.Stroke([.. points, points[0]], m.Stroke, m.Width, false);
    }

    /// <summary>A band per stretch on which both curves have values.</summary>
    private void DrawBand(BandMark m)
    {
        List<Point> low = [], high = [];

        void Finish()
        {
            high.Reverse();
            if (low.Count > 1)
                canvas.Fill([.. low, .. high], m.Fill);
            low.Clear();
            high.Clear();
        }

        for (int i = 0; i < Math.Min(m.X.Length, Math.Min(m.Low.Length, m.High.Length)); i++)
        {
            Point a = At(m.X[i], m.Low[i]), b = At(m.X[i], m.High[i]);
            if (Drawable(b) && double.IsNaN(a.Y) && double.IsFinite(m.Low[i]))
                a = b with { Y = plot.Bottom }; // mean − sd ≤ 0 on a logarithmic axis
            if (Drawable(a) && Drawable(b))
            {
                low.Add(a);
                high.Add(b);
            }
            else
            {
                Finish();
            }
        }

        Finish();
    }

    private void DrawBars(BarMark m)
    {
        for (int i = 0; i < Math.Min(m.X.Length, m.Heights.Length); i++)
        {
            Point left = At(m.X[i] - m.Width / 2, m.Heights[i]), right = At(m.X[i] + m.Width / 2, m.Heights[i]);
            if (!Drawable(left) || !Drawable(right))
                continue;
            double zero = y.Map(0);
            double ground = double.IsNaN(zero) ? plot.Bottom : zero;
            canvas.Fill([left, right, right with { Y = ground }, left with { Y = ground }], Pick(m.Colours, i));
            if (i >= m.Errors.Length)
                continue;
            Point low = At(m.X[i], m.Heights[i] - m.Errors[i]), high = At(m.X[i], m.Heights[i] + m.Errors[i]);
            if (!Drawable(low) || !Drawable(high))
                continue;
            canvas.Stroke([low, high], Style.Ink, 1.3, false);
            foreach (Point end in new[] { low, high })
                canvas.Stroke([end with { X = end.X - 3 }, end with { X = end.X + 3 }], Style.Ink, 1.3, false);
        }
    }

    private void DrawText(TextMark m)
    {
        Point p = At(m.X, m.Y);
        if (!Drawable(p) || !plot.Inflate(Overhang).Contains(p))
            return;
        double length = StrokeFont.Measure(m.Text, m.Size), half = m.Size * StrokeFont.CapHeight / 2, gap = 5;
        Point start = m.Anchor switch
        {
            { IsAbove: true } => new Point(p.X - length / 2, p.Y - gap),
            { IsBelow: true } => new Point(p.X - length / 2, p.Y + gap + 2 * half),
            { IsLeftOf: true } => new Point(p.X - length - gap, p.Y + half),
            { IsRightOf: true } => new Point(p.X + gap, p.Y + half),
            _ => new Point(p.X - length / 2, p.Y + half),
        };
        var run = new TextRun(m.Text, start, m.Size, m.Colour);
        canvas.Fill(run.Bounds().Corners(), m.Background);
        canvas.Text(run);
    }

    private void DrawRule(RuleMark m)
    {
        double at = m.Orientation.IsHorizontal ? y.Map(m.At) : x.Map(m.At);
        if (double.IsNaN(at))
            return;
        Point[] line = m.Orientation.IsHorizontal
            ? [new(plot.Left, at), new(plot.Right, at)]
            : [new(at, plot.Top), new(at, plot.Bottom)];
        canvas.Stroke(line, m.Colour, m.Width, m.Dashed);
    }
}
