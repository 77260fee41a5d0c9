using System;
using System.Collections.Generic;
using System.Globalization;

namespace Scae.Cli.Plots;

/// <summary>Turns a glyph's path into polylines, fine enough for letters of 60 pixels.</summary>
internal static class GlyphPath
{
    private const int CurveSteps = 14;

    public static Point[][] Flatten(string path)
    {
        var lines = new List<Point[]>();
        var line = new List<Point>();
        var reader = new Reader(path);

        void Finish()
        {
            if (line.Count > 0)
                lines.Add([.. line]);
            line.Clear();
        }

        while (reader.Next(out char command))
        {
            switch (command)
            {
                case 'M':
                    Finish();
                    line.Add(reader.Point());
                    break;
                case 'L':
                    line.Add(reader.Point());
                    break;
                case 'C':
                    Cubic(line, reader.Point(), reader.Point(), reader.Point());
                    break;
                case 'A':
                    Arc(line, reader.Point(), reader.Point(), reader.Point());
                    break;
                case 'O':
                    Finish();
                    Arc(line, reader.Point(), reader.Point(), new Point(0, 360));
                    Finish();
                    break;
                case 'D':
                    Finish();
                    Arc(line, reader.Point(), new Point(0.3, 0.3), new Point(0, 360));
                    Finish();
                    break;
                default:
                    throw new FormatException($"a glyph path knows M L C A O D, got '{command}' in \"{path}\"");
            }
        }

        Finish();
        return [.. lines];
    }

    private static void Cubic(List<Point> line, Point b, Point c, Point d)
    {
        Point a = line[^1];
        for (int i = 1; i <= CurveSteps; i++)
        {
            double t = (double)i / CurveSteps, s = 1 - t;
            double p = s * s * s, q = 3 * s * s * t, r = 3 * s * t * t, u = t * t * t;
            line.Add(new Point(p * a.X + q * b.X + r * c.X + u * d.X, p * a.Y + q * b.Y + r * c.Y + u * d.Y));
        }
    }

    private static void Arc(List<Point> line, Point centre, Point radii, Point degrees)
    {
        int steps = Math.Max(4, (int)Math.Ceiling(Math.Abs(degrees.Y - degrees.X) / 9));
        for (int i = 0; i <= steps; i++)
        {
            double angle = (degrees.X + (degrees.Y - degrees.X) * i / steps) * Math.PI / 180;
            line.Add(new Point(centre.X + radii.X * Math.Cos(angle), centre.Y + radii.Y * Math.Sin(angle)));
        }
    }

    private sealed class Reader(string path)
    {
        private int _at;

        public bool Next(out char command)
        {
            Skip();
            command = _at < path.Length ? path[_at++] : '\0';
            return command != '\0';
        }

        public Point Point() => new(Number(), Number());

        private double Number()
        {
            Skip();
            int start = _at;
            while (_at < path.Length && path[_at] is ('-' or '.' or (>= '0' and <= '9')))
                _at++;
            return double.Parse(path.AsSpan(start, _at - start), CultureInfo.InvariantCulture);
        }

        private void Skip()
        {
            while (_at < path.Length && path[_at] == ' ')
                _at++;
        }
    }
}
