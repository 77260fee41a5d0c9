using System;
using System.Collections.Generic;
using System.Linq;
using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>
/// The places of everything in a figure. Columns share left and right edges of their drawing areas, rows share top
/// and bottom; a column or row whose texts need more room than its panels have grows.
/// </summary>
internal sealed class FigureLayout
{
    private const double LeastPlot = 40, LargestPanel = 4000;

    private readonly Figure _figure;
    private readonly PanelLayout[][] _panels;
    private readonly TextFitting.Block _title;
    private readonly TextFitting.Block[] _columnLabels;
    private readonly KeyLayout _key;
    private readonly TextFitting.Block _note;
    private readonly Insets[] _columns;
    private readonly Insets[] _rows;
    private readonly double[] _widths;
    private readonly double[] _heights;
    private readonly double _left;
    private readonly double _top;

    public FigureLayout(Figure figure)
    {
        _figure = figure;
        double panelWidth = Size(figure.PanelWidth), panelHeight = Size(figure.PanelHeight);
        _panels = [.. figure.Panels.Select(row => row.Select(p => new PanelLayout(p, panelWidth, panelHeight)).ToArray())];
        int columns = Math.Max(1, _panels.Select(row => row.Length).DefaultIfEmpty(0).Max());
        _columns = [.. Enumerable.Range(0, columns).Select(j => Union(_panels.Where(row => j < row.Length).Select(row => row[j])))];
        _rows = [.. _panels.Select(Union)];
        _widths = [.. _columns.Select(c => Math.Max(panelWidth, c.Left + c.Right + LeastPlot))];
        _heights = [.. _rows.Select(r => Math.Max(panelHeight, r.Top + r.Bottom + LeastPlot))];

        double labelHeight = Style.HeadingSize * StrokeFont.LineHeight;
        _left = Style.Margin + (figure.RowLabels.Any(label => label.Length > 0) ? labelHeight + 8 : 0);
        double gridWidth = _widths.Sum() + Style.Gap * (columns - 1);
        Width = Math.Ceiling(_left + gridWidth + Style.Margin);
        double inner = Width - 2 * Style.Margin;
        _title = TextFitting.Fit(figure.Title, inner, Style.TitleSize, 3, bold: true);
        _columnLabels = [.. figure.ColumnLabels.Take(columns).Select((label, j) =>
            TextFitting.Fit(label, _widths[j], Style.HeadingSize, 2, bold: true))];
        _top = Style.Margin + (_title.Lines.Count > 0 ? _title.Height + 8 : 0);
        _top += _columnLabels.Length > 0 ? _columnLabels.Max(block => block.Height) + 4 : 0;
        double bottom = _top + _heights.Sum() + Style.Gap * Math.Max(0, _heights.Length - 1);
        _key = KeyLayout.Flowing([.. figure.Key], inner);
        _note = TextFitting.Fit(figure.Note, inner, Style.NoteSize, 4);
        KeyTop = bottom + 8;
        NoteTop = bottom + (_key.Height > 0 ? 8 + _key.Height : 0) + 6;
        Height = Math.Ceiling((_note.Lines.Count > 0 ? NoteTop + _note.Height : NoteTop - 6) + Style.Margin);
    }

    /// <summary>Width of the whole figure in logical pixels.</summary>
    public double Width { get; }

    /// <summary>Height of the whole figure in logical pixels.</summary>
    public double Height { get; }

    private double KeyTop { get; }

    private double NoteTop { get; }

    public void Draw(ICanvas canvas)
    {
        DrawLines(canvas, _title, Width / 2, Style.Margin, TextAlign.Middle, Style.Ink, bold: true);
        Dictionary<(double, double), double> units = Units();
        for (int i = 0; i < _panels.Length; i++)
        {
            for (int j = 0; j < _panels[i].Length; j++)
                _panels[i][j].Draw(canvas, Cell(j, i), PlotArea(j, i), units[_panels[i][j].Range]);
            DrawRowLabel(canvas, i, PlotArea(0, i));
        }

        for (int j = 0; j < _columnLabels.Length && _panels.Length > 0; j++)
            DrawColumnLabel(canvas, j, PlotArea(j, 0));

        _key.Draw(canvas, Style.Margin, KeyTop);
        DrawLines(canvas, _note, Style.Margin, NoteTop, TextAlign.Start, Style.Soft, bold: false);
    }

    private static double Size(double wanted) => double.IsFinite(wanted) ? Math.Clamp(wanted, LeastPlot, LargestPanel) : 320;

    private static Insets Union(IEnumerable<PanelLayout> panels) =>
        panels.Select(panel => panel.Insets).Aggregate(default(Insets), (a, b) => a.Union(b));

    private Rectangle Cell(int column, int row)
    {
        double x = _left + _widths.Take(column).Sum(width => width + Style.Gap);
        double y = _top + _heights.Take(row).Sum(height => height + Style.Gap);
        return Rectangle.At(x, y, _widths[column], _heights[row]);
    }

    private Rectangle PlotArea(int column, int row)
    {
        Rectangle cell = Cell(column, row);
        return new Rectangle(
            Math.Round(cell.Left + _columns[column].Left),
            Math.Round(cell.Top + _rows[row].Top),
            Math.Round(cell.Right - _columns[column].Right),
            Math.Round(cell.Bottom - _rows[row].Bottom));
    }

    /// <summary>Pixels per unit for the panels of each extent: what fits into the smallest of their areas.</summary>
    private Dictionary<(double, double), double> Units()
    {
        var units = new Dictionary<(double, double), double>();
        for (int i = 0; i < _panels.Length; i++)
        {
            for (int j = 0; j < _panels[i].Length; j++)
            {
                double unit = _panels[i][j].Unit(PlotArea(j, i));
                units[_panels[i][j].Range] = Math.Min(unit, units.GetValueOrDefault(_panels[i][j].Range, unit));
            }
        }

        return units;
    }

    private void DrawColumnLabel(ICanvas canvas, int column, Rectangle plot)
    {
        TextFitting.Block block = _columnLabels[column];
        double half = block.Lines.Select(line => StrokeFont.Measure(line, block.Size, true)).DefaultIfEmpty(0).Max() / 2;
        double cell = plot.Left - _columns[column].Left;
        double centre = Math.Clamp(plot.Centre.X, cell + half, Math.Max(cell + half, cell + _widths[column] - half));
        DrawLines(canvas, block, centre, _top - 4 - block.Height, TextAlign.Middle, Style.Ink, bold: true);
    }

    private void DrawRowLabel(ICanvas canvas, int row, Rectangle plot)
    {
        string label = _figure.RowLabels.ElementAtOrDefault(row) ?? "";
        if (label.Length == 0)
            return;
        TextFitting.Block block = TextFitting.Fit(label, _heights[row], Style.HeadingSize, 1, bold: true);
        double half = StrokeFont.Measure(block.Lines[0], block.Size, true) / 2;
        double cell = plot.Top - _rows[row].Top;
        double centre = Math.Clamp(plot.Centre.Y, cell + half, Math.Max(cell + half, cell + _heights[row] - half));
        canvas.Text(new TextRun(
            block.Lines[0],
            new Point(Style.Margin + Style.HeadingSize * StrokeFont.Ascent, centre),
            block.Size,
            Style.Ink,
            TextAlign.Middle,
            Bold: true,
            Vertical: true));
    }

    private static void DrawLines(
        ICanvas canvas, TextFitting.Block block, double x, double top, TextAlign align, Colour colour, bool bold)
    {
        for (int i = 0; i < block.Lines.Count; i++)
        {
            double baseline = top + (i * StrokeFont.LineHeight + StrokeFont.Ascent) * block.Size;
            canvas.Text(new TextRun(block.Lines[i], new Point(x, baseline), block.Size, colour, align, bold));
        }
    }
}
