using System;
using System.Collections.Concurrent;

namespace Scae.Cli.Plots;

/// <summary>
/// The font of every back end that has no fonts of its own, and the metrics of all of them. A size is the em in
/// pixels; capitals are 0.72 em tall, as in most sans-serif faces.
/// </summary>
internal static class StrokeFont
{
    /// <summary>Height above the baseline that a line of text takes, in em.</summary>
    public const double Ascent = 0.80;

    /// <summary>Depth below the baseline that a line of text takes, in em.</summary>
    public const double Descent = 0.24;

    /// <summary>Height of the capitals and digits, in em.</summary>
    public const double CapHeight = 0.72;

    /// <summary>Distance from baseline to baseline, in em.</summary>
    public const double LineHeight = 1.25;

    private const double Capital = 14, Lower = 10, Depth = -4;

    // Glyph units per em: the stroke of a regular letter adds about 1.7 units to the 14 between its centre lines.
    private const double UnitsPerEm = (Capital + 1.7) / CapHeight;

    // Small letters read better a little apart.
    private const double Tracking = 0.36;

    private const double SuperscriptScale = 0.62, SuperscriptRise = 6.4;

    private static readonly ConcurrentDictionary<char, (double Left, double Advance, Point[][] Lines)> s_glyphs = new();

    /// <summary>The width of the text in pixels.</summary>
    public static double Measure(string text, double size, bool bold = false)
    {
        double units = 0;
        foreach (char c in text)
            units += Glyph(c).Advance;
        return (units + (bold ? 0.5 * text.Length : 0)) * size / UnitsPerEm;
    }

    /// <summary>The distance from one letter's origin to the next one's, in pixels.</summary>
    public static double Advance(char c, double size, bool bold) =>
        (Glyph(c).Advance + (bold ? 0.5 : 0)) * size / UnitsPerEm;

    /// <summary>Stroke width in pixels.</summary>
    public static double StrokeWidth(char c, double size, bool bold)
    {
        double width = bold ? Math.Max(1.5, 0.128 * size) : Math.Max(1.05, 0.088 * size);
        return Glyphs.Superscripts.ContainsKey(c) ? Math.Max(0.85, 0.8 * width) : width;
    }

    /// <summary>
    /// The strokes of a letter in pixels, x to the right of its origin, y up from the centre line of strokes that
    /// stand on the baseline. The heights of capitals, small letters and descenders are rounded to whole pixels:
    /// without that, horizontal strokes are grey and blurred at the sizes of tick labels.
    /// </summary>
    public static Point[][] Strokes(char c, double size, bool bold)
    {
        (double left, _, Point[][] lines) = Glyph(c);
        double scale = size / UnitsPerEm;
        double capital = Math.Round(Capital * scale), lower = Math.Round(Lower * scale), depth = Math.Round(Depth * scale);
        var result = new Point[lines.Length][];
        for (int i = 0; i < lines.Length; i++)
        {
            result[i] = new Point[lines[i].Length];
            for (int j = 0; j < lines[i].Length; j++)
            {
                double y = lines[i][j].Y;
                double hinted = y switch
                {
                    < 0 => y / Depth * depth,
                    <= Lower => y / Lower * lower,
                    _ => lower + (y - Lower) / (Capital - Lower) * (capital - lower),
                };
                result[i][j] = new Point((lines[i][j].X + left + (bold ? 0.25 : 0)) * scale, hinted);
            }
        }

        return result;
    }

    /// <summary>Whether the font has this character, or shows a box instead.</summary>
    public static bool Has(char c) =>
        Glyphs.Paths.ContainsKey(c) || Glyphs.Accents.ContainsKey(c) || Glyphs.Superscripts.ContainsKey(c);

    private static (double Left, double Advance, Point[][] Lines) Glyph(char c) => s_glyphs.GetOrAdd(c, Make);

    private static (double Left, double Advance, Point[][] Lines) Make(char c)
    {
        if (Glyphs.Superscripts.TryGetValue(c, out char digit))
            return Raise(Glyph(digit));
        if (Glyphs.Accents.TryGetValue(c, out (char Letter, char Mark) accent))
            return Combine(accent.Letter, accent.Mark);
        (double width, string path) = Glyphs.Paths.TryGetValue(c, out var found) ? found : Glyphs.Missing;
        (double left, double right) =
            Glyphs.Bearings.TryGetValue(c, out var bearings) ? bearings : (Glyphs.Bearing, Glyphs.Bearing);
        return (left + Tracking / 2, left + width + right + Tracking, GlyphPath.Flatten(path));
    }

    private static (double Left, double Advance, Point[][] Lines) Raise((double Left, double Advance, Point[][] Lines) g)
    {
        Point[][] lines = Array.ConvertAll(g.Lines, line => Array.ConvertAll(
            line, p => new Point(p.X * SuperscriptScale, p.Y * SuperscriptScale + SuperscriptRise)));
        double left = g.Left * 0.7;
        return (left, g.Advance * SuperscriptScale + 0.6, lines);
    }

    private static (double Left, double Advance, Point[][] Lines) Combine(char letter, char mark)
    {
        (double left, double advance, Point[][] lines) = Glyph(letter);
        (double markWidth, string path) = Glyphs.Paths[mark];
        double middle = (Glyphs.Paths[letter].Width - markWidth) / 2;
        double rise = char.IsUpper(letter) ? 3.2 : 0;
        Point[][] marks = Array.ConvertAll(GlyphPath.Flatten(path), line => Array.ConvertAll(
            line, p => new Point(p.X + middle, p.Y + rise)));
        return (left, advance, [.. lines, .. marks]);
    }
}
