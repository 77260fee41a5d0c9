using System;
using System.Collections.Generic;
using System.Linq;
using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>Entries of a key with their places: swatch, then label. Stacked for a legend, in rows below a grid.</summary>
internal sealed class KeyLayout
{
    private const double SwatchWidth = 20, SwatchGap = 6, EntryGap = 16, RowHeight = 16;

    private readonly List<(KeyEntry Entry, string Label, double X, double Y)> _places = [];

    private KeyLayout()
    {
    }

    public double Width { get; private set; }

    public double Height { get; private set; }

    /// <summary>One entry under the other, no wider than asked.</summary>
    public static KeyLayout Stacked(IReadOnlyList<KeyEntry> entries, double width)
    {
        var layout = new KeyLayout();
        foreach (KeyEntry entry in entries)
        {
            string label = Label(entry, width);
            layout._places.Add((entry, label, 0, layout.Height));
            layout.Width = Math.Max(layout.Width, EntryWidth(label));
            layout.Height += RowHeight;
        }

        return layout;
    }

    /// <summary>Entries beside each other, as many in a row as fit; rows are centred.</summary>
    public static KeyLayout Flowing(IReadOnlyList<KeyEntry> entries, double width)
    {
        var layout = new KeyLayout { Width = width };
        var row = new List<(KeyEntry Entry, string Label)>();
        double used = 0;

        void EndRow()
        {
            double x = (width - used) / 2;
            foreach ((KeyEntry entry, string label) in row)
            {
                layout._places.Add((entry, label, x, layout.Height));
                x += EntryWidth(label) + EntryGap;
            }

            layout.Height += row.Count > 0 ? RowHeight : 0;
            row.Clear();
            used = 0;
        }

        foreach (KeyEntry entry in entries)
        {
            string label = Label(entry, width);
            if (row.Count > 0 && used + EntryGap + EntryWidth(label) > width)
                EndRow();
            used += EntryWidth(label) + (row.Count > 0 ? EntryGap : 0);
            row.Add((entry, label));
        }

        EndRow();
        return layout;
    }

    /// <summary>The entries of a panel's legend: its marks with a label, in drawing order.</summary>
    public static KeyEntry[] EntriesOf(Panel panel) => [.. panel.Marks.Select(Entry).Where(entry => entry.Label.Length > 0)];

    public void Draw(ICanvas canvas, double left, double top)
    {
        foreach ((KeyEntry entry, string label, double x, double y) in _places)
        {
            double middle = top + y + RowHeight / 2;
            DrawSwatch(canvas, entry, left + x, middle);
            double baseline = middle + Style.LegendSize * StrokeFont.CapHeight / 2;
            canvas.Text(new TextRun(label, new Point(left + x + SwatchWidth + SwatchGap, baseline), Style.LegendSize, Style.Ink));
        }
    }

    private static string Label(KeyEntry entry, double width) =>
        TextFitting.Shorten(entry.Label, Math.Max(0, width - SwatchWidth - SwatchGap), Style.LegendSize);

    private static double EntryWidth(string label) =>
        SwatchWidth + SwatchGap + StrokeFont.Measure(label, Style.LegendSize);

    private static void DrawSwatch(ICanvas canvas, KeyEntry entry, double x, double y)
    {
        switch (entry.Swatch)
        {
            case Swatch.Line line:
                canvas.Stroke([new Point(x + 1, y), new Point(x + SwatchWidth - 1, y)], entry.Colour, 2, line.dashed);
                break;
            case Swatch.Point point:
                MarkerPainter.Draw(canvas, point.Item, new Point(x + SwatchWidth / 2, y), 7, entry.Colour);
                break;
            case Swatch.Outline outline:
                Rectangle box = Rectangle.At(x + 3, y - 5, 14, 10);
                canvas.Stroke(box.Outline(), entry.Colour, 1.6, outline.dashed);
                break;
            default:
                canvas.Fill(Rectangle.At(x + 3, y - 5, 14, 10).Corners(), entry.Colour);
                break;
        }
    }

    private static KeyEntry Entry(Mark mark)
    {
        static Colour First(Colour[] colours) => colours.Length > 0 ? colours[0] : ColourModule.black;

        static Colour Visible(Colour fill, Colour stroke) => fill.A > 0 ? fill : stroke;

        return mark switch
        {
            Mark.Line m => new KeyEntry(m.Item.Label, m.Item.Colour, Swatch.NewLine(m.Item.Dashed)),
            Mark.Scatter m => new KeyEntry(m.Item.Label, First(m.Item.Colours), Swatch.NewPoint(m.Item.Shape)),
            Mark.Box m => new KeyEntry(m.Item.Label, m.Item.Colour, Swatch.NewOutline(m.Item.Dashed)),
            Mark.Polygon m => new KeyEntry(m.Item.Label, Visible(m.Item.Fill, m.Item.Stroke), Swatch.Patch),
            Mark.Band m => new KeyEntry(m.Item.Label, m.Item.Fill, Swatch.Patch),
            Mark.Bars m => new KeyEntry(m.Item.Label, First(m.Item.Colours), Swatch.Patch),
            Mark.Rule m => new KeyEntry(m.Item.Label, m.Item.Colour, Swatch.NewLine(m.Item.Dashed)),
            _ => new KeyEntry("", ColourModule.black, Swatch.Patch),
        };
    }
}
