using System;
using System.Collections.Generic;

namespace Scae.Cli.Plots;

/// <summary>Makes texts fit: first by breaking lines, then by smaller letters, at last by leaving out the end.</summary>
internal static class TextFitting
{
    /// <summary>Lines of text and the size at which they are no wider than asked.</summary>
    public readonly record struct Block(IReadOnlyList<string> Lines, double Size)
    {
        public double Height => Lines.Count * Size * StrokeFont.LineHeight;
    }

    /// <summary>Fits a text into a width and a number of lines; sizes go down to 75 %, but not below nine pixels.</summary>
    public static Block Fit(string text, double width, double size, int most, bool bold = false)
    {
        if (text.Length == 0)
            return new Block([], size);
        double least = Math.Min(size, Math.Max(9, 0.75 * size));
        for (double s = size; ; s = Math.Max(least, s - 0.5))
        {
            List<string> lines = Wrap(text, width, s, bold);
            if (lines.Count <= most && lines.TrueForAll(line => StrokeFont.Measure(line, s, bold) <= width))
                return new Block(lines, s);
            if (s > least)
                continue;
            bool cut = lines.Count > most;
            lines = lines.GetRange(0, Math.Min(most, lines.Count));
            for (int i = 0; i < lines.Count; i++)
                lines[i] = Shorten(cut && i == lines.Count - 1 ? lines[i] + "…" : lines[i], width, s, bold);
            return new Block(lines, s);
        }
    }

    /// <summary>The text, or as much of it as fits with an ellipsis.</summary>
    public static string Shorten(string text, double width, double size, bool bold = false)
    {
        if (StrokeFont.Measure(text, size, bold) <= width)
            return text;
        for (int length = text.Length - 1; length > 0; length--)
        {
            string shorter = text[..length].TrimEnd(' ', '…') + "…";
            if (StrokeFont.Measure(shorter, size, bold) <= width)
                return shorter;
        }

        return StrokeFont.Measure("…", size, bold) <= width ? "…" : "";
    }

    private static List<string> Wrap(string text, double width, double size, bool bold)
    {
        var lines = new List<string>();
        foreach (string paragraph in text.ReplaceLineEndings("\n").Split('\n'))
        {
            string line = "";
            foreach (string word in paragraph.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                string longer = line.Length == 0 ? word : line + " " + word;
                if (line.Length > 0 && StrokeFont.Measure(longer, size, bold) > width)
                {
                    lines.Add(line);
                    longer = word;
                }

                line = longer;
            }

            lines.Add(line);
        }

        return lines;
    }
}
