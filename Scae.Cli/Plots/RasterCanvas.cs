using System;
using System.Collections.Generic;
using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>Draws on an anti-aliased raster of scale pixels per logical pixel.</summary>
internal sealed class RasterCanvas : ICanvas
{
    private readonly double _scale;
    private readonly Coverage _coverage = new();
    private readonly Stack<ClipBox> _clips = new();

    public RasterCanvas(double width, double height, double scale)
    {
        _scale = scale;
        Raster = new Raster(
            Math.Max(1, (int)Math.Round(width * scale)), Math.Max(1, (int)Math.Round(height * scale)));
        _clips.Push(new ClipBox(0, 0, Raster.Width, Raster.Height));
    }

    public Raster Raster { get; }

    public void PushClip(Rectangle clip)
    {
        ClipBox now = _clips.Peek();
        _clips.Push(new ClipBox(
            Math.Max(now.X0, (int)Math.Round(clip.Left * _scale)),
            Math.Max(now.Y0, (int)Math.Round(clip.Top * _scale)),
            Math.Min(now.X1, (int)Math.Round(clip.Right * _scale)),
            Math.Min(now.Y1, (int)Math.Round(clip.Bottom * _scale))));
    }

    public void PopClip() => _clips.Pop();

    public void Stroke(Point[] points, Colour colour, double width, bool dashed)
    {
        if (points.Length == 0 || width <= 0 || colour.A == 0)
            return;
        double thick = width * _scale;
        Point[] line = Snap(Scaled(points), thick, out bool snapped);
        double drawn = snapped ? Math.Max(1, Math.Round(thick)) : thick, half = Math.Max(0.5, drawn / 2);
        if (!TryBegin(line, half + 1))
            return;
        if (dashed && line.Length > 1)
        {
            foreach (Point[] dash in Polygons.Dash(line, 2.4 * Math.Max(thick, 1), 2.6 * Math.Max(thick, 1)))
                AddSegments(dash, half);
        }
        else
        {
            AddSegments(line, half);
        }

        Raster.Blend(_coverage, colour, Math.Min(1, drawn));
    }

    public void Fill(Point[] points, Colour colour)
    {
        if (points.Length < 3 || colour.A == 0 || _clips.Peek().IsEmpty)
            return;
        ClipBox clip = _clips.Peek();
        List<Point> inside = Polygons.Clip(Scaled(points), new Rectangle(clip.X0, clip.Y0, clip.X1, clip.Y1));
        if (inside.Count < 3 || !TryBegin(inside, 0))
            return;
        for (int i = 0; i < inside.Count; i++)
            _coverage.AddEdge(inside[i], inside[(i + 1) % inside.Count]);
        _coverage.FinishArea();
        Raster.Blend(_coverage, colour);
    }

    public void Disc(Point centre, double radius, Colour colour)
    {
        Point[] at = Scaled([centre]);
        double r = radius * _scale;
        if (colour.A == 0 || !TryBegin(at, r + 1))
            return;
        _coverage.AddSegment(at[0], at[0], r);
        Raster.Blend(_coverage, colour);
    }

    public void Text(TextRun run)
    {
        // The baseline stands on whole pixels and letters move in quarters, as their bitmaps are kept.
        double size = Math.Round(run.Size * _scale * 8) / 8;
        double pen = (run.Vertical ? -run.Anchor.Y : run.Anchor.X) * _scale - run.Offset * _scale;
        int baseline = (int)Math.Round((run.Vertical ? run.Anchor.X : run.Anchor.Y) * _scale);
        ClipBox clip = _clips.Peek();
        foreach (char c in run.Text)
        {
            int quarters = (int)Math.Floor(pen * GlyphBitmap.Phases + 0.5);
            int whole = (int)Math.Floor((double)quarters / GlyphBitmap.Phases);
            GlyphBitmap glyph = GlyphBitmap.Get(c, size, quarters - whole * GlyphBitmap.Phases, run.Bold, run.Vertical);
            Blend(glyph, run.Vertical ? baseline : whole, run.Vertical ? -whole : baseline, clip, run.Colour);
            pen += StrokeFont.Advance(c, run.Size, run.Bold) * _scale;
        }
    }

    public void Image(PixelImage image, Rectangle place)
    {
        if (image.Width == 0 || image.Height == 0)
            return;
        ClipBox clip = _clips.Peek();
        int left = (int)Math.Round(place.Left * _scale), right = (int)Math.Round(place.Right * _scale);
        int top = (int)Math.Round(place.Top * _scale), bottom = (int)Math.Round(place.Bottom * _scale);
        for (int y = Math.Max(top, clip.Y0); y < Math.Min(bottom, clip.Y1); y++)
        {
            (int y0, int y1) = Source(y - top, bottom - top, image.Height);
            for (int x = Math.Max(left, clip.X0); x < Math.Min(right, clip.X1); x++)
            {
                (int x0, int x1) = Source(x - left, right - left, image.Width);
                Average(image, x0, y0, x1, y1, Raster.Image.Rgb.AsSpan((y * Raster.Width + x) * 3, 3));
            }
        }
    }

    /// <summary>The source pixels of one target pixel: the nearest one, or all of them where the image shrinks.</summary>
    private static (int From, int To) Source(int target, int targets, int sources)
    {
        if (targets >= sources)
        {
            int nearest = Math.Min(sources - 1, (int)((target + 0.5) * sources / targets));
            return (nearest, nearest + 1);
        }

        int from = (int)((long)target * sources / targets);
        return (from, Math.Max(from + 1, (int)((long)(target + 1) * sources / targets)));
    }

    private static void Average(PixelImage image, int x0, int y0, int x1, int y1, Span<byte> target)
    {
        int r = 0, g = 0, b = 0, n = (x1 - x0) * (y1 - y0);
        for (int y = y0; y < y1; y++)
        {
            for (int i = (y * image.Width + x0) * 3; i < (y * image.Width + x1) * 3; i += 3)
            {
                r += image.Rgb[i];
                g += image.Rgb[i + 1];
                b += image.Rgb[i + 2];
            }
        }

        target[0] = (byte)((r + n / 2) / n);
        target[1] = (byte)((g + n / 2) / n);
        target[2] = (byte)((b + n / 2) / n);
    }

    private void Blend(GlyphBitmap glyph, int x, int y, ClipBox clip, Colour colour)
    {
        int width = glyph.Box.X1 - glyph.Box.X0;
        float opacity = colour.A / 255f;
        int x0 = Math.Max(clip.X0, x + glyph.Box.X0), x1 = Math.Min(clip.X1, x + glyph.Box.X1);
        for (int py = Math.Max(clip.Y0, y + glyph.Box.Y0); py < Math.Min(clip.Y1, y + glyph.Box.Y1); py++)
        {
            int row = (py - y - glyph.Box.Y0) * width - x - glyph.Box.X0;
            for (int px = x0; px < x1; px++)
            {
                float alpha = glyph.Cells[row + px];
                if (alpha > 0)
                    Raster.Blend(px, py, colour, alpha * opacity);
            }
        }
    }

    private void AddSegments(Point[] line, double half)
    {
        if (line.Length == 1)
            _coverage.AddSegment(line[0], line[0], half);
        for (int i = 1; i < line.Length; i++)
            _coverage.AddSegment(line[i - 1], line[i], half);
    }

    private bool TryBegin(IReadOnlyList<Point> points, double margin)
    {
        double x0 = double.MaxValue, y0 = double.MaxValue, x1 = double.MinValue, y1 = double.MinValue;
        foreach (Point p in points)
        {
            (x0, y0) = (Math.Min(x0, p.X), Math.Min(y0, p.Y));
            (x1, y1) = (Math.Max(x1, p.X), Math.Max(y1, p.Y));
        }

        ClipBox clip = _clips.Peek();
        var box = new ClipBox(
            Math.Max(clip.X0, (int)Math.Floor(x0 - margin)),
            Math.Max(clip.Y0, (int)Math.Floor(y0 - margin)),
            Math.Min(clip.X1, (int)Math.Ceiling(x1 + margin)),
            Math.Min(clip.Y1, (int)Math.Ceiling(y1 + margin)));
        if (box.IsEmpty)
            return false;
        _coverage.Begin(box);
        return true;
    }

    private Point[] Scaled(Point[] points) => Array.ConvertAll(points, p => new Point(p.X * _scale, p.Y * _scale));

    /// <summary>
    /// Moves lines that are only horizontal and vertical onto whole pixels, so that axes and boxes are sharp.
    /// </summary>
    private static Point[] Snap(Point[] line, double width, out bool snapped)
    {
        snapped = line.Length is > 1 and <= 5;
        for (int i = 1; i < line.Length && snapped; i++)
            snapped = Math.Abs(line[i].X - line[i - 1].X) < 1e-6 || Math.Abs(line[i].Y - line[i - 1].Y) < 1e-6;
        if (!snapped)
            return line;
        double half = Math.Max(1, Math.Round(width)) / 2, shift = half - Math.Floor(half);
        return Array.ConvertAll(line, p => new Point(Math.Round(p.X - shift) + shift, Math.Round(p.Y - shift) + shift));
    }
}
