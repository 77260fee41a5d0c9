using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using ScottPlot;
using SkiaSharp;

namespace Scae.Cli.Plots;

/// <summary>
/// The typeface of all figures: Inter, from the package Avalonia.Fonts.Inter. Servers and containers often have no fonts,
/// and the same figure should have the same letters everywhere.
/// </summary>
internal static class Lettering
{
    public const string Family = "Inter";

    private static readonly ConcurrentDictionary<(float, bool), SKFont> s_fonts = new();

    static Lettering()
    {
        Fonts.FontResolvers.Insert(0, new Resolver());
        Fonts.Default = Fonts.Sans = Family;
    }

    /// <summary>The style of a text; asking for one makes ScottPlot write everything in this typeface.</summary>
    public static LabelStyle Style(string text, float size, bool bold = false) => new()
    {
        Text = text,
        FontName = Family,
        FontSize = size,
        Bold = bold,
        ForeColor = Plots.Style.Ink,
    };

    /// <summary>Writes lines of text, aligned to a pixel.</summary>
    public static void Write(
        SKCanvas canvas, string text, float x, float y, float size, Alignment alignment, bool bold = false, float rotation = 0, Color? colour = null)
    {
        using var paint = Paint.NewDisposablePaint();
        LabelStyle style = Style(text, size, bold);
        (style.Alignment, style.Rotation, style.ForeColor) = (alignment, rotation, colour ?? Plots.Style.Ink);
        style.Render(canvas, new Pixel(x, y), paint, true);
    }

    /// <summary>The width of one line.</summary>
    public static float Width(string text, float size, bool bold = false)
    {
        SKFont font = s_fonts.GetOrAdd((size, bold), key => new SKFont(Fonts.GetTypeface(Family, key.Item2, false), key.Item1));
        lock (font)
            return font.MeasureText(text);
    }

    /// <summary>The height of a text of several lines.</summary>
    public static float Height(string text, float size) => text.Length == 0 ? 0 : (text.Count(c => c == '\n') + 1) * 1.21f * size;

    /// <summary>
    /// Breaks a text into lines that are no wider than asked. A word that is too long for a line ends in "…", as does the
    /// last line when there are too many.
    /// </summary>
    public static string Wrap(string text, double width, float size, int most, bool bold = false)
    {
        var lines = new List<string>();
        foreach (string paragraph in text.ReplaceLineEndings("\n").Split('\n'))
        {
            string line = "";
            foreach (string word in paragraph.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                string longer = line.Length == 0 ? word : $"{line} {word}";
                bool fits = line.Length == 0 || Width(longer, size, bold) <= width;
                if (!fits)
                    lines.Add(line);
                line = fits ? longer : word;
            }

            lines.Add(line);
        }

        if (lines.Count > most)
            lines[most - 1] += "…";
        return string.Join('\n', lines.Take(most).Select(line => Shorten(line, width, size, bold)));
    }

    private static string Shorten(string text, double width, float size, bool bold)
    {
        string shorter = text;
        for (int length = text.Length - 1; length > 0 && Width(shorter, size, bold) > width; length--)
            shorter = text[..length].TrimEnd(' ', '…') + "…";
        return shorter;
    }

    /// <summary>Finds the typeface in the package's assembly, whatever family is asked for.</summary>
    private sealed class Resolver : IFontResolver
    {
        private readonly Lazy<SKTypeface> _regular = new(() => Load("Inter-Regular.ttf"));
        private readonly Lazy<SKTypeface> _bold = new(() => Load("Inter-SemiBold.ttf"));

        public SKTypeface CreateTypeface(string fontName, bool bold, bool italic) => (bold ? _bold : _regular).Value;

        public SKTypeface CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) =>
            CreateTypeface(fontName, weight > FontWeight.Medium, slant != FontSlant.Upright);

        // The format of Avalonia's resources: the length of the index, then the index, which has a version, the count, and
        // each file's path, offset and size.
        private static SKTypeface Load(string name)
        {
            using Stream package = Resource(typeof(Lettering).Assembly, Family);
            var bytes = new byte[package.Length];
            package.ReadExactly(bytes);
            using Stream stream = Resource(Assembly.Load(bytes), "!AvaloniaResources");
            using var reader = new BinaryReader(stream);
            int start = reader.ReadInt32() + sizeof(int);
            reader.ReadInt32();
            for (int left = reader.ReadInt32(); left > 0; left--)
            {
                (string path, int offset, int size) = (reader.ReadString(), reader.ReadInt32(), reader.ReadInt32());
                if (!path.EndsWith(name, StringComparison.Ordinal))
                    continue;
                stream.Position = start + offset;
                using var data = SKData.CreateCopy(reader.ReadBytes(size));
                return SKTypeface.FromData(data);
            }

            throw new InvalidOperationException($"Avalonia.Fonts.Inter has no {name}");
        }

        private static Stream Resource(Assembly assembly, string name) => assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"{assembly.GetName().Name} has no resource {name}");
    }
}
