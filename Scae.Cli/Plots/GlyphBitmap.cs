using System;
using System.Collections.Concurrent;

namespace Scae.Cli.Plots;

/// <summary>
/// A letter as coverage, ready to blend. Letters are kept for four horizontal phases, so that spacing stays even
/// although pixels are whole.
/// </summary>
internal sealed class GlyphBitmap
{
    public const int Phases = 4;

    private static readonly ConcurrentDictionary<(char, double, int, bool, bool), GlyphBitmap> s_cache = new();

    private GlyphBitmap(ClipBox box, float[] cells)
    {
        Box = box;
        Cells = cells;
    }

    /// <summary>The pixels covered, relative to the whole pixel at the letter's origin on the baseline.</summary>
    public ClipBox Box { get; }

    public float[] Cells { get; }

    public static GlyphBitmap Get(char c, double size, int phase, bool bold, bool vertical) =>
        s_cache.GetOrAdd((c, size, phase, bold, vertical), static key => Draw(key));

    private static GlyphBitmap Draw((char C, double Size, int Phase, bool Bold, bool Vertical) key)
    {
        double width = StrokeFont.StrokeWidth(key.C, key.Size, key.Bold), shift = (double)key.Phase / Phases;
        Point[][] strokes = StrokeFont.Strokes(key.C, key.Size, key.Bold);

        // Strokes rest on the baseline with their lower edge, on the border between two rows of pixels.
        Point Place(Point p) => key.Vertical
            ? new Point(-(p.Y + width / 2), -(p.X + shift))
            : new Point(p.X + shift, -(p.Y + width / 2));

        double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
        foreach (Point[] stroke in strokes)
        {
            foreach (Point raw in stroke)
            {
                Point p = Place(raw);
                (x0, y0) = (Math.Min(x0, p.X), Math.Min(y0, p.Y));
                (x1, y1) = (Math.Max(x1, p.X), Math.Max(y1, p.Y));
            }
        }

        var box = new ClipBox(
            (int)Math.Floor(x0 - width), (int)Math.Floor(y0 - width), (int)Math.Ceiling(x1 + width), (int)Math.Ceiling(y1 + width));
        var coverage = new Coverage();
        coverage.Begin(box);
        foreach (Point[] stroke in strokes)
        {
            for (int i = 1; i < stroke.Length; i++)
                coverage.AddSegment(Place(stroke[i - 1]), Place(stroke[i]), width / 2);
        }

        var cells = new float[(box.X1 - box.X0) * (box.Y1 - box.Y0)];
        for (int y = box.Y0; y < box.Y1; y++)
            coverage.Row(y).CopyTo(cells.AsSpan((y - box.Y0) * (box.X1 - box.X0)));
        return new GlyphBitmap(box, cells);
    }
}
