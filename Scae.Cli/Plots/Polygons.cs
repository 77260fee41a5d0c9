using System;
using System.Collections.Generic;

namespace Scae.Cli.Plots;

/// <summary>Geometry on polygons and polylines that back ends share.</summary>
internal static class Polygons
{
    /// <summary>The part of a polygon inside a rectangle (Sutherland and Hodgman 1974); empty if there is none.</summary>
    public static List<Point> Clip(IReadOnlyList<Point> polygon, Rectangle to)
    {
        var current = new List<Point>(polygon);
        for (int side = 0; side < 4 && current.Count > 0; side++)
        {
            var next = new List<Point>(current.Count + 4);
            for (int i = 0; i < current.Count; i++)
            {
                Point p = current[i], q = current[(i + 1) % current.Count];
                double dp = Inside(p, to, side), dq = Inside(q, to, side);
                if (dp >= 0)
                    next.Add(p);
                if (dp >= 0 != dq >= 0)
                    next.Add(new Point(p.X + (q.X - p.X) * dp / (dp - dq), p.Y + (q.Y - p.Y) * dp / (dp - dq)));
            }

            current = next;
        }

        return current;
    }

    /// <summary>Cuts a polyline into dashes: drawn for a length, left out for a length, and so on.</summary>
    public static List<Point[]> Dash(Point[] line, double on, double off)
    {
        var dashes = new List<Point[]>();
        var dash = new List<Point> { line[0] };
        double left = on;
        bool drawing = true;
        for (int i = 1; i < line.Length; i++)
        {
            Point p = line[i - 1], q = line[i];
            double length = Math.Sqrt((q.X - p.X) * (q.X - p.X) + (q.Y - p.Y) * (q.Y - p.Y)), walked = 0;
            while (length - walked > left)
            {
                walked += left;
                var at = new Point(p.X + (q.X - p.X) * walked / length, p.Y + (q.Y - p.Y) * walked / length);
                if (drawing)
                {
                    dash.Add(at);
                    dashes.Add([.. dash]);
                }

                dash.Clear();
                dash.Add(at);
                drawing = !drawing;
                left = drawing ? on : off;
            }

            left -= length - walked;
            if (drawing)
                dash.Add(q);
        }

        if (drawing && dash.Count > 1)
            dashes.Add([.. dash]);
        return dashes;
    }

    /// <summary>
    /// Leaves out points that can't be seen: of those that follow each other within one column of the given width,
    /// the first, the highest, the lowest and the last stay, in their order.
    /// </summary>
    public static Point[] Thin(Point[] line, double column)
    {
        var kept = new List<Point>();
        for (int start = 0, end; start < line.Length; start = end)
        {
            double at = Math.Floor(line[start].X / column);
            int low = start, high = start;
            for (end = start + 1; end < line.Length && Math.Floor(line[end].X / column) == at; end++)
            {
                low = line[end].Y < line[low].Y ? end : low;
                high = line[end].Y > line[high].Y ? end : high;
            }

            int previous = -1;
            foreach (int i in new[] { start, Math.Min(low, high), Math.Max(low, high), end - 1 })
            {
                if (i != previous)
                    kept.Add(line[i]);
                previous = i;
            }
        }

        return [.. kept];
    }

    private static double Inside(Point p, Rectangle r, int side) => side switch
    {
        0 => p.X - r.Left,
        1 => r.Right - p.X,
        2 => p.Y - r.Top,
        _ => r.Bottom - p.Y,
    };
}
