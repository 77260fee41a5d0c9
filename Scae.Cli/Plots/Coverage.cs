using System;

namespace Scae.Cli.Plots;

/// <summary>
/// How much of each pixel in a box a shape covers, from 0 to 1. Strokes take the largest coverage of their segments,
/// so that joins and crossings are no darker than the line; areas are summed exactly, edge by edge.
/// </summary>
internal sealed class Coverage
{
    private float[] _cells = [];
    private int _width;
    private int _height;
    private ClipBox _box;

    public ClipBox Box => _box;

    public ReadOnlySpan<float> Row(int y) => _cells.AsSpan((y - _box.Y0) * _width, _box.X1 - _box.X0);

    /// <summary>Starts a shape inside a box that isn't empty.</summary>
    public void Begin(ClipBox box)
    {
        _box = box;
        _width = box.X1 - box.X0 + 2; // the sum over an area writes up to two cells past the last column
        _height = box.Y1 - box.Y0;
        int needed = _width * _height;
        if (_cells.Length < needed)
            _cells = new float[needed];
        Array.Clear(_cells, 0, needed);
    }

    /// <summary>Adds the points closer than half to the segment from a to b, with an edge one pixel soft.</summary>
    public void AddSegment(Point a, Point b, double half)
    {
        double reach = half + 0.5, dx = b.X - a.X, dy = b.Y - a.Y, squared = dx * dx + dy * dy;
        int y0 = Math.Max(_box.Y0, (int)Math.Floor(Math.Min(a.Y, b.Y) - reach));
        int y1 = Math.Min(_box.Y1, (int)Math.Ceiling(Math.Max(a.Y, b.Y) + reach));
        for (int y = y0; y < y1; y++)
        {
            double py = y + 0.5;
            (double from, double to) = Reachable(a, b, py, reach);
            int x0 = Math.Max(_box.X0, (int)Math.Floor(from - reach));
            int x1 = Math.Min(_box.X1, (int)Math.Ceiling(to + reach));
            int row = (y - _box.Y0) * _width - _box.X0;
            for (int x = x0; x < x1; x++)
            {
                double ex = x + 0.5 - a.X, ey = py - a.Y;
                double t = squared > 0 ? Math.Clamp((ex * dx + ey * dy) / squared, 0, 1) : 0;
                double rx = ex - t * dx, ry = ey - t * dy;
                double coverage = reach - Math.Sqrt(rx * rx + ry * ry);
                if (coverage > _cells[row + x])
                    _cells[row + x] = (float)Math.Min(1, coverage);
            }
        }
    }

    /// <summary>The x range of the part of a segment whose y is within reach of a row.</summary>
    private static (double From, double To) Reachable(Point a, Point b, double y, double reach)
    {
        double dy = b.Y - a.Y;
        if (Math.Abs(dy) < 1e-9)
            return (Math.Min(a.X, b.X), Math.Max(a.X, b.X));
        double t0 = Math.Clamp((y - reach - a.Y) / dy, 0, 1), t1 = Math.Clamp((y + reach - a.Y) / dy, 0, 1);
        double x0 = a.X + t0 * (b.X - a.X), x1 = a.X + t1 * (b.X - a.X);
        return (Math.Min(x0, x1), Math.Max(x0, x1));
    }

    /// <summary>Adds the signed area right of one edge of a polygon that lies inside the box.</summary>
    public void AddEdge(Point a, Point b)
    {
        if (a.Y == b.Y)
            return;
        (Point top, Point bottom, float sign) = a.Y < b.Y ? (a, b, 1f) : (b, a, -1f);
        double slope = (bottom.X - top.X) / (bottom.Y - top.Y);
        double x = top.X - _box.X0;
        int last = Math.Min(_height, (int)Math.Ceiling(bottom.Y - _box.Y0));
        for (int y = Math.Max(0, (int)Math.Floor(top.Y - _box.Y0)); y < last; y++)
        {
            double dy = Math.Min(y + 1, bottom.Y - _box.Y0) - Math.Max(y, top.Y - _box.Y0);
            double next = x + slope * dy;
            AddSpan(y * _width, Math.Min(x, next), Math.Max(x, next), (float)(dy * sign));
            x = next;
        }
    }

    /// <summary>Turns the signed areas into coverage: a running sum along each row.</summary>
    public void FinishArea()
    {
        for (int y = 0; y < _height; y++)
        {
            Span<float> row = _cells.AsSpan(y * _width, _width);
            float sum = 0;
            for (int x = 0; x < row.Length; x++)
            {
                sum += row[x];
                row[x] = Math.Min(1, Math.Abs(sum));
            }
        }
    }

    /// <summary>The share of an edge's area in each pixel it crosses in one row, x0 ≤ x1.</summary>
    private void AddSpan(int row, double x0, double x1, float d)
    {
        double limit = _width - 2;
        x0 = Math.Clamp(x0, 0, limit);
        x1 = Math.Clamp(x1, 0, limit);
        int first = (int)x0, end = (int)Math.Ceiling(x1);
        if (end <= first + 1)
        {
            float middle = (float)(0.5 * (x0 + x1) - first);
            _cells[row + first] += d - d * middle;
            _cells[row + first + 1] += d * middle;
            return;
        }

        double s = 1 / (x1 - x0), head = 1 - (x0 - first), tail = x1 - end + 1;
        float a0 = (float)(0.5 * s * head * head), am = (float)(0.5 * s * tail * tail);
        _cells[row + first] += d * a0;
        if (end == first + 2)
        {
            _cells[row + first + 1] += d * (1 - a0 - am);
        }
        else
        {
            float a1 = (float)(s * (0.5 + head));
            _cells[row + first + 1] += d * (a1 - a0);
            for (int x = first + 2; x < end - 1; x++)
                _cells[row + x] += d * (float)s;
            float a2 = a1 + (float)((end - first - 3) * s);
            _cells[row + end - 1] += d * (1 - a2 - am);
        }

        _cells[row + end] += d * am;
    }
}
