using System;
using System.Collections.Generic;
using System.Linq;
using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>Finds the place in a drawing area for its legend.</summary>
internal static class LegendPlacing
{
    private const double Distance = 6;

    // A hidden point is lost; a line goes on beside the legend.
    private const int PointWeight = 10;

    /// <summary>
    /// The corner that the panel asks for, or the place that covers least data, a corner if one is as good; and how
    /// much that place hides, if the panel leaves it free: one for five pixels of a line, ten for a point.
    /// </summary>
    public static (Rectangle Box, int Hidden) Place(Panel panel, Rectangle plot, AxisScale x, AxisScale y, double width, double height)
    {
        double left = plot.Left + Distance, right = Math.Max(left, plot.Right - Distance - width);
        double top = plot.Top + Distance, bottom = Math.Max(top, plot.Bottom - Distance - height);
        Rectangle topRight = Rectangle.At(right, top, width, height), topLeft = Rectangle.At(left, top, width, height);
        Rectangle bottomRight = Rectangle.At(right, bottom, width, height);
        Rectangle bottomLeft = Rectangle.At(left, bottom, width, height);
        if (panel.Legend.IsTopRight)
            return (topRight, 0);
        if (panel.Legend.IsTopLeft)
            return (topLeft, 0);
        if (panel.Legend.IsBottomRight)
            return (bottomRight, 0);
        if (panel.Legend.IsBottomLeft)
            return (bottomLeft, 0);
        (Point At, int Weight)[] data = [.. panel.Marks.SelectMany(
            mark => Samples(mark, plot, x, y).Select(point => (point, mark.IsScatter ? PointWeight : 1)))];
        double middle = (left + right) / 2;
        double[] heights = [top, bottom, (top + bottom) / 2, (3 * top + bottom) / 4, (top + 3 * bottom) / 4];
        IEnumerable<Rectangle> places = new[] { topRight, topLeft, bottomRight, bottomLeft }.Concat(
            heights.SelectMany(h => new[] { right, left, middle }.Select(w => Rectangle.At(w, h, width, height))));
        return places.Select(p => (p, data.Sum(d => p.Inflate(4).Contains(d.At) ? d.Weight : 0))).MinBy(place => place.Item2);
    }

    /// <summary>Points that a legend should not cover, those along lines a few pixels apart.</summary>
    private static IEnumerable<Point> Samples(Mark mark, Rectangle plot, AxisScale x, AxisScale y) => mark switch
    {
        Mark.Line { Item: var m } => Along(m.X, m.Y, x, y),
        Mark.Scatter { Item: var m } => m.X.Zip(m.Y, (a, b) => new Point(x.Map(a), y.Map(b))),
        Mark.Polygon { Item: var m } => Along(m.X, m.Y, x, y),
        Mark.Band { Item: var m } => Along(m.X, m.Low, x, y).Concat(Along(m.X, m.High, x, y)),
        Mark.Bars { Item: var m } => m.X.Zip(m.Heights, (a, h) => Along([a, a], [0, h], x, y)).SelectMany(p => p),
        Mark.Rule { Item: var m } => Along(plot, m, x, y),
        Mark.Text { Item: var m } => [new Point(x.Map(m.X), y.Map(m.Y))],
        _ => [],
    };

    private static IEnumerable<Point> Along(double[] xs, double[] ys, AxisScale x, AxisScale y)
    {
        for (int i = 1; i < Math.Min(xs.Length, ys.Length); i++)
        {
            Point a = new(x.Map(xs[i - 1]), y.Map(ys[i - 1])), b = new(x.Map(xs[i]), y.Map(ys[i]));
            double length = Math.Max(Math.Abs(b.X - a.X), Math.Abs(b.Y - a.Y));
            if (double.IsNaN(length))
                continue;
            int steps = Math.Clamp((int)(length / 5), 1, 200);
            for (int k = 0; k <= steps; k++)
                yield return new Point(a.X + (b.X - a.X) * k / steps, a.Y + (b.Y - a.Y) * k / steps);
        }
    }

    private static IEnumerable<Point> Along(Rectangle plot, RuleMark rule, AxisScale x, AxisScale y)
    {
        const int steps = 60;
        for (int k = 0; k <= steps; k++)
        {
            yield return rule.Orientation.IsHorizontal
                ? new Point(plot.Left + plot.Width * k / steps, y.Map(rule.At))
                : new Point(x.Map(rule.At), plot.Top + plot.Height * k / steps);
        }
    }
}
