using System;
using System.Collections.Generic;
using System.Linq;
using Scae.Core.Figures;
using ScottPlot;

namespace Scae.Cli.Plots;

/// <summary>Legends: the entries of marks and figures as ScottPlot shows them, and the place where one covers least data.</summary>
internal static class Legends
{
    // A legend that would hide more than this is put below the panel. A point counts more than a place on a line: a hidden
    // point is lost, while a line goes on beside the legend.
    private const int MostHidden = 10, PointWeight = 10;

    /// <summary>A legend without frame whose entries flow in rows.</summary>
    public static Legend Make(Plot plot, IEnumerable<KeyEntry> entries, bool flowing)
    {
        var legend = plot.Legend;
        legend.ManualItems = [.. entries.Select(Item)];
        (legend.DisplayPlottableLegendItems, legend.IsVisible) = (false, false);
        (legend.FontName, legend.FontSize, legend.FontColor) = (Lettering.Family, Style.TickSize, Style.Ink);
        (legend.SymbolWidth, legend.SymbolPadding) = (20, 6);
        legend.ShadowColor = Colors.Transparent;
        legend.OutlineColor = flowing ? Colors.Transparent : Style.Grid;
        legend.BackgroundColor = flowing ? Colors.Transparent : Colors.White.WithAlpha(0.86);
        legend.Orientation = flowing ? ScottPlot.Orientation.Horizontal : ScottPlot.Orientation.Vertical;
        legend.TightHorizontalWrapping = flowing;
        legend.Padding = flowing ? new PixelPadding(0, 0) : new PixelPadding(6, 4);
        legend.InterItemPadding = new PixelPadding(0, flowing ? 16 : 0, 3, 0);
        return legend;
    }

    /// <summary>The size of a legend no wider than asked.</summary>
    public static PixelSize Size(Legend legend, float width)
    {
        if (legend.ManualItems.Count == 0)
            return PixelSize.Zero;
        using var paint = Paint.NewDisposablePaint();
        return legend.GetLayout(new PixelSize(width, 10000f), paint).LegendRect.Size;
    }

    /// <summary>The entries of a panel's legend: its marks with a label, in drawing order.</summary>
    public static KeyEntry[] EntriesOf(Panel panel) => [.. panel.Marks.Select(Entry).Where(entry => entry.Label.Length > 0)];

    /// <summary>The place where a legend hides least data; null where it would hide too much at any place.</summary>
    public static Alignment? Place(Panel panel, AxisLimits limits, Projection x, Projection y, PixelSize area, PixelSize size)
    {
        if (size.Height > 0.55 * area.Height || size.Width > 0.75 * area.Width)
            return null;
        Pixel At(double px, double py) => new(
            (x.Map(px) - limits.Left) / limits.HorizontalSpan * area.Width,
            (limits.Top - y.Map(py)) / limits.VerticalSpan * area.Height);
        (Pixel At, int Weight)[] data = [.. panel.Marks.SelectMany(
            mark => Samples(mark, limits, x, y, At).Select(at => (at, mark.IsScatter ? PointWeight : 1)))];
        Alignment[] places =
        [
            Alignment.UpperRight, Alignment.UpperLeft, Alignment.LowerRight, Alignment.LowerLeft,
            Alignment.MiddleRight, Alignment.MiddleLeft, Alignment.UpperCenter, Alignment.LowerCenter,
        ];
        (Alignment place, int hidden) = places.Select(place =>
        {
            PixelRect box = new PixelRect(size).AlignedInside(new PixelRect(area).Contract(7), place).Expand(4);
            return (place, data.Sum(d => box.Contains(d.At) ? d.Weight : 0));
        }).MinBy(choice => choice.Item2);
        return hidden < MostHidden ? place : null;
    }

    /// <summary>Points that a legend should not cover, those along lines a few pixels apart.</summary>
    private static IEnumerable<Pixel> Samples(
        Mark mark, AxisLimits limits, Projection x, Projection y, Func<double, double, Pixel> at) => mark switch
        {
            Mark.Line { Item: var m } => Along(m.X.Zip(m.Y, at)),
            Mark.Scatter { Item: var m } => m.X.Zip(m.Y, at),
            Mark.Polygon { Item: var m } => Along(m.X.Zip(m.Y, at)),
            Mark.Bars { Item: var m } => m.X.Zip(m.Heights).SelectMany(b => Along([at(b.First, 0), at(b.First, b.Second)])),
            Mark.Text { Item: var m } => [at(m.X, m.Y)],
            Mark.Rule { Item: { Orientation.IsHorizontal: true } m } =>
                Along([at(x.Back(limits.Left), m.At), at(x.Back(limits.Right), m.At)]),
            Mark.Rule { Item: var m } => Along([at(m.At, y.Back(limits.Bottom)), at(m.At, y.Back(limits.Top))]),
            _ => [],
        };

    private static IEnumerable<Pixel> Along(IEnumerable<Pixel> points)
    {
        Pixel[] p = [.. points];
        for (int i = 1; i < p.Length; i++)
        {
            double length = Math.Max(Math.Abs(p[i].X - p[i - 1].X), Math.Abs(p[i].Y - p[i - 1].Y));
            if (double.IsNaN(length))
                continue;
            int steps = (int)Math.Clamp(length / 5, 1, 200);
            for (int k = 0; k <= steps; k++)
                yield return new Pixel(p[i - 1].X + (p[i].X - p[i - 1].X) * k / steps, p[i - 1].Y + (p[i].Y - p[i - 1].Y) * k / steps);
        }
    }

    private static LegendItem Item(KeyEntry entry)
    {
        var item = new LegendItem { LabelText = entry.Label };
        Color colour = Style.Of(entry.Colour);
        switch (entry.Swatch)
        {
            case Swatch.Line { dashed: true } or Swatch.Outline { dashed: true }:
                item.MarkerStyle = Dashes.Swatch(entry.Colour, entry.Swatch.IsOutline);
                break;
            case Swatch.Line:
                item.LineStyle = new LineStyle(2, colour);
                break;
            case Swatch.Point point:
                item.MarkerStyle = MarkPlotter.Marker(point.Item, 7, entry.Colour);
                break;
            case Swatch.Outline:
                item.OutlineStyle = new LineStyle(1.6f, colour);
                break;
            default:
                item.FillStyle = new FillStyle(colour);
                break;
        }

        return item;
    }

    private static KeyEntry Entry(Mark mark) => mark switch
    {
        Mark.Line { Item: var m } => new KeyEntry(m.Label, m.Colour, Swatch.NewLine(false)),
        Mark.Scatter { Item: var m } => new KeyEntry(m.Label, m.Colours.FirstOrDefault(ColourModule.black), Swatch.NewPoint(m.Shape)),
        Mark.Rule { Item: var m } => new KeyEntry(m.Label, m.Colour, Swatch.NewLine(true)),
        _ => new KeyEntry("", ColourModule.black, Swatch.Patch),
    };
}
