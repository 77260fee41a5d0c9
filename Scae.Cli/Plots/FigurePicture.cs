using System;
using System.Collections.Generic;
using System.Linq;
using ScottPlot;
using SkiaSharp;
using FigureOf = Scae.Core.Figures.Figure;

namespace Scae.Cli.Plots;

/// <summary>
/// The layout of a figure. Columns share the left and right edges of their drawing areas, rows the top and bottom edges. A
/// column or row grows if its texts need more room than its panels have. ScottPlot's own multiplot aligns neither areas nor
/// extents, and has no headings.
/// </summary>
internal sealed class FigurePicture
{
    private const float LeastPlot = 40, LargestPanel = 4000, HeadingGap = 4, TitleGap = 8;

    private readonly FigureOf _figure;
    private readonly PanelPlot[][] _panels;
    private readonly string _title;
    private readonly string[] _columnLabels;
    private readonly string _note;
    private readonly Legend _key;
    private readonly float _keyHeight;
    private readonly PixelPadding[] _columns;
    private readonly PixelPadding[] _rows;
    private readonly float[] _widths;
    private readonly float[] _heights;
    private readonly float _left;
    private readonly float _top;
    private readonly float _bottom;

    public FigurePicture(FigureOf figure)
    {
        _figure = figure;
        float panelWidth = Size(figure.PanelWidth), panelHeight = Size(figure.PanelHeight);
        _panels = [.. figure.Panels.Select(row => row.Select(p => new PanelPlot(p, panelWidth, panelHeight)).ToArray())];
        int columns = Math.Max(1, _panels.Select(row => row.Length).DefaultIfEmpty(0).Max());
        _columns = [.. Enumerable.Range(0, columns).Select(j => Union(_panels.Where(row => j < row.Length).Select(row => row[j])))];
        _rows = [.. _panels.Select(Union)];
        _widths = [.. _columns.Select(c => Math.Max(panelWidth, c.Horizontal + LeastPlot))];
        _heights = [.. _rows.Select(r => Math.Max(panelHeight, r.Vertical + LeastPlot))];

        _left = Style.Margin + (figure.RowLabels.Any(label => label.Length > 0) ? Lettering.Height("x", Style.HeadingSize) + 8 : 0);
        Width = (int)Math.Ceiling(_left + _widths.Sum() + Style.Gap * (columns - 1) + Style.Margin);
        float inner = Width - 2 * Style.Margin;
        _title = figure.Title.Length == 0 ? "" : Lettering.Wrap(figure.Title, inner, Style.TitleSize, 3, bold: true);
        _columnLabels = [.. figure.ColumnLabels.Take(columns).Select((label, j) =>
            Lettering.Wrap(label, _widths[j], Style.HeadingSize, 2, bold: true))];
        _note = figure.Note.Length == 0 ? "" : Lettering.Wrap(figure.Note, inner, Style.NoteSize, 4);
        _key = Legends.Make(new Plot(), figure.Key, flowing: true);
        _keyHeight = Legends.Size(_key, inner).Height;

        _top = Style.Margin + (_title.Length > 0 ? Lettering.Height(_title, Style.TitleSize) + TitleGap : 0);
        _top += _columnLabels.Select(label => Lettering.Height(label, Style.HeadingSize) + HeadingGap).DefaultIfEmpty(0).Max();
        _bottom = _top + _heights.Sum() + Style.Gap * Math.Max(0, _heights.Length - 1);
        float below = (_keyHeight > 0 ? 8 + _keyHeight : 0) + (_note.Length > 0 ? 6 + Lettering.Height(_note, Style.NoteSize) : 0);
        Height = (int)Math.Ceiling(_bottom + below + Style.Margin);
    }

    /// <summary>Width of the whole figure in logical pixels.</summary>
    public int Width { get; }

    /// <summary>Height of the whole figure in logical pixels.</summary>
    public int Height { get; }

    /// <summary>The drawing areas of the panels, row by row.</summary>
    public PixelRect[][] Areas => [.. _panels.Select((row, i) => row.Select((_, j) => PlotArea(j, i)).ToArray())];

    public void Draw(SKCanvas canvas)
    {
        Lettering.Write(canvas, _title, Width / 2f, Style.Margin, Style.TitleSize, Alignment.UpperCenter, bold: true);
        var units = Units();
        for (int i = 0; i < _panels.Length; i++)
        {
            for (int j = 0; j < _panels[i].Length; j++)
                _panels[i][j].Draw(canvas, Cell(j, i), PlotArea(j, i), units[_panels[i][j].Range]);
            DrawRowLabel(canvas, i);
        }

        for (int j = 0; j < _columnLabels.Length && _panels.Length > 0; j++)
        {
            float half = _columnLabels[j].Split('\n').Max(line => Lettering.Width(line, Style.HeadingSize, true)) / 2;
            float centre = Within(Cell(j, 0).Left, Cell(j, 0).Right, PlotArea(j, 0).HorizontalCenter, half);
            Lettering.Write(canvas, _columnLabels[j], centre, _top - HeadingGap, Style.HeadingSize, Alignment.LowerCenter, bold: true);
        }

        using var paint = Paint.NewDisposablePaint();
        if (_keyHeight > 0)
            _key.Render(canvas, paint, new PixelRect(Style.Margin, Width - Style.Margin, _bottom + 8 + _keyHeight, _bottom + 8), Alignment.UpperCenter);
        float noteTop = _bottom + (_keyHeight > 0 ? 8 + _keyHeight : 0) + 6;
        Lettering.Write(canvas, _note, Style.Margin, noteTop, Style.NoteSize, Alignment.UpperLeft, colour: Style.Soft);
    }

    private static float Size(double wanted) => double.IsFinite(wanted) ? (float)Math.Clamp(wanted, LeastPlot, LargestPanel) : 320;

    private static float Within(float low, float high, float wanted, float half) =>
        Math.Clamp(wanted, low + half, Math.Max(low + half, high - half));

    private static PixelPadding Union(IEnumerable<PanelPlot> panels) =>
        panels.Select(panel => panel.Insets).Aggregate(PixelPadding.Zero, (a, b) => new PixelPadding(
            Math.Max(a.Left, b.Left), Math.Max(a.Right, b.Right), Math.Max(a.Bottom, b.Bottom), Math.Max(a.Top, b.Top)));

    private PixelRect Cell(int column, int row)
    {
        float x = _left + _widths.Take(column).Sum(width => width + Style.Gap);
        float y = _top + _heights.Take(row).Sum(height => height + Style.Gap);
        return new PixelRect(x, x + _widths[column], y + _heights[row], y);
    }

    private PixelRect PlotArea(int column, int row)
    {
        PixelRect cell = Cell(column, row);
        return new PixelRect(
            MathF.Round(cell.Left + _columns[column].Left),
            MathF.Round(cell.Right - _columns[column].Right),
            MathF.Round(cell.Bottom - _rows[row].Bottom),
            MathF.Round(cell.Top + _rows[row].Top));
    }

    /// <summary>
    /// Pixels per unit for the panels of each extent: what fits the smallest of their areas. Images of different extents
    /// become equally large, to within half a canvas pixel per image pixel.
    /// </summary>
    private Dictionary<(double X, double Y), double> Units()
    {
        var all = _panels.SelectMany((row, i) => row.Select((panel, j) => (Panel: panel, Unit: panel.Unit(PlotArea(j, i))))).ToList();
        var units = all.GroupBy(p => p.Panel.Range).ToDictionary(group => group.Key, group => group.Min(p => p.Unit));
        List<(double X, double Y)> pictures = [.. all.Where(p => p.Panel.IsPicture).Select(p => p.Panel.Range).Distinct()];
        double width = pictures.Select(range => range.X * units[range]).DefaultIfEmpty(0).Min();
        foreach (var range in pictures.Where(range => units[range] >= 2 && range.X * units[range] > width))
            units[range] = Math.Max(1, Math.Floor(2 * width / range.X) / 2);
        return units;
    }

    private void DrawRowLabel(SKCanvas canvas, int row)
    {
        string label = _figure.RowLabels.ElementAtOrDefault(row) ?? "";
        if (label.Length == 0)
            return;
        label = Lettering.Wrap(label, _heights[row], Style.HeadingSize, 1, bold: true);
        PixelRect cell = Cell(0, row);
        float centre = Within(cell.Top, cell.Bottom, PlotArea(0, row).VerticalCenter, Lettering.Width(label, Style.HeadingSize, true) / 2);
        Lettering.Write(canvas, label, Style.Margin, centre, Style.HeadingSize, Alignment.UpperCenter, bold: true, rotation: -90);
    }
}
