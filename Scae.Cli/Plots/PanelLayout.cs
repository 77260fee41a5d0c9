using System;
using System.Linq;
using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>
/// One panel of a figure: first it says how much room its texts take around the drawing area, so that the areas of a
/// grid can be aligned, then it draws itself where it is put.
/// </summary>
internal sealed class PanelLayout
{
    private const double LabelGap = 5, LegendPadding = 6;

    // One point or fifty pixels of a line: where a legend would hide more, it stands below the panel.
    private const int MostHidden = 10;

    private readonly Panel _panel;
    private readonly double _guessHeight;
    private readonly (double X0, double X1, double Y0, double Y1) _limits;
    private readonly AxisTicks _xTicks;
    private readonly AxisTicks _yTicks;
    private readonly bool _uprightTicks;
    private readonly TextFitting.Block _title;
    private readonly ColourBar? _bar;
    private readonly KeyEntry[] _entries;
    private readonly KeyLayout? _below;

    public PanelLayout(Panel panel, double cellWidth, double cellHeight)
    {
        _panel = panel;
        bool axes = panel.Frame.IsAxes;
        double guessWidth = Math.Max(30, cellWidth - (axes ? 50 : 8));
        _guessHeight = Math.Max(30, cellHeight - (axes ? 44 : 8) - (panel.Title.Length > 0 ? 20 : 0));
        _limits = DataLimits.Of(panel, _guessHeight / guessWidth);
        _xTicks = AxisTicks.Of(panel.X, _limits.X0, _limits.X1, Math.Clamp((int)(guessWidth / 40), 5, 8));
        _yTicks = AxisTicks.Of(panel.Y, _limits.Y0, _limits.Y1, Math.Clamp((int)(_guessHeight / 26), 5, 8))
            .Shortened(0.45 * cellWidth);
        _uprightTicks = panel.X.Ticks.IsAt
            && _xTicks.Labels.Any(label => StrokeFont.Measure(label, Style.TickSize) + 4 > guessWidth / _xTicks.Labels.Length);
        _title = TextFitting.Fit(panel.Title, cellWidth, Style.PanelTitleSize, 3);
        _bar = ColourBar.Of(panel);
        _entries = panel.Legend.IsHidden ? [] : KeyLayout.EntriesOf(panel);
        KeyLayout inside = KeyLayout.Stacked(_entries, 0.62 * guessWidth);
        if (_entries.Length > 0 && (inside.Height + 2 * LegendPadding > 0.55 * _guessHeight || LegendIsCut(0.62 * guessWidth)))
            _below = KeyLayout.Flowing(_entries, cellWidth);
        else if (_entries.Length > 0 && LegendHidesData(inside, guessWidth, _guessHeight))
            _below = KeyLayout.Flowing(_entries, cellWidth);
        Insets = Measure();
    }

    public Insets Insets { get; }

    /// <summary>The extent of the axes. Panels of equal extent in one figure are drawn equally large.</summary>
    public (double X, double Y) Range => (_limits.X1 - _limits.X0, _limits.Y1 - _limits.Y0);

    private string XLabel => WithSuffix(_panel.X.Label, _panel.Frame.IsAxes ? _xTicks.Suffix : "");

    private string YLabel => WithSuffix(_panel.Y.Label, _panel.Frame.IsAxes ? _yTicks.Suffix : "");

    /// <summary>Draws the panel with its drawing area in a rectangle and its texts inside the cell; unit is
    /// at most <see cref="Unit"/> of that rectangle.</summary>
    public void Draw(ICanvas canvas, Rectangle cell, Rectangle area, double unit)
    {
        Rectangle plot = Shrink(area, unit);
        var x = new AxisScale(_panel.X, _limits.X0, _limits.X1, plot.Left, plot.Right);
        var y = new AxisScale(_panel.Y, _limits.Y0, _limits.Y1, plot.Bottom, plot.Top);
        bool pictures = _panel.Marks.Any(mark => mark.IsImage || mark.IsHeatmap);
        var axes = new AxisPainter(canvas, plot, x, y, _xTicks, _yTicks);
        if (_panel.Frame.IsAxes && !pictures)
            axes.DrawGrid(_panel.X.Ticks.IsAutomatic, _panel.Y.Ticks.IsAutomatic);
        var marks = new MarkPainter(canvas, plot, x, y);
        foreach (Mark mark in _panel.Marks)
            marks.Draw(mark);
        if (_panel.Frame.IsAxes)
            axes.DrawAxes(pictures, _uprightTicks);
        else if (_panel.Frame.IsBox)
            canvas.Stroke(plot.Outline(), Style.Border, 1, false);
        _bar?.Draw(canvas, plot, _guessHeight);
        DrawTitle(canvas, cell, plot);
        DrawLabels(canvas, cell, plot, axes);
        DrawLegend(canvas, cell, plot, x, y);
    }

    private static string WithSuffix(string label, string suffix) =>
        suffix.Length == 0 ? label : label.Length == 0 ? suffix : $"{label} ({suffix})";

    private bool LegendIsCut(double width) =>
        _entries.Any(entry => StrokeFont.Measure(entry.Label, Style.LegendSize) + 26 > width);

    private bool LegendHidesData(KeyLayout key, double width, double height)
    {
        var plot = Rectangle.At(0, 0, width, height);
        var x = new AxisScale(_panel.X, _limits.X0, _limits.X1, plot.Left, plot.Right);
        var y = new AxisScale(_panel.Y, _limits.Y0, _limits.Y1, plot.Bottom, plot.Top);
        return PlaceLegend(key, plot, x, y).Hidden >= MostHidden;
    }

    private (Rectangle Box, int Hidden) PlaceLegend(KeyLayout key, Rectangle plot, AxisScale x, AxisScale y) =>
        LegendPlacing.Place(_panel, plot, x, y, key.Width + 2 * LegendPadding, key.Height + LegendPadding);

    private Insets Measure()
    {
        double left = 3, right = 3, bottom = 3, top = 3;
        if (_panel.Frame.IsAxes)
        {
            double ticks = _yTicks.Labels.Select(l => StrokeFont.Measure(l, Style.TickSize)).DefaultIfEmpty(0).Max();
            left = Style.TickLength + Style.TickGap + ticks;
            right = _xTicks.Labels.Length == 0 || _uprightTicks
                ? 6
                : Math.Max(6, StrokeFont.Measure(_xTicks.Labels[^1], Style.TickSize) / 2);
            bottom = AxisPainter.XTickDepth(_xTicks, _uprightTicks);
            top = 0.6 * Style.TickSize;
            left = Math.Max(left, _xTicks.Labels.Length == 0 ? 0 : StrokeFont.Measure(_xTicks.Labels[0], Style.TickSize) / 2);
        }

        if (YLabel.Length > 0)
            left += LabelGap + Style.LabelSize * (StrokeFont.Ascent + StrokeFont.Descent);
        if (XLabel.Length > 0)
            bottom += LabelGap + Style.LabelSize * (StrokeFont.Ascent + StrokeFont.Descent);
        if (_bar is not null)
            right = Math.Max(right, _bar.Width(_guessHeight) + 2);
        if (_below is not null)
            bottom += LegendPadding + _below.Height;
        if (_title.Lines.Count > 0)
            top = Math.Max(top, 3) + _title.Height + 4;
        return new Insets(left, top, right, bottom);
    }

    /// <summary>
    /// Pixels per unit of x and of y in an area where both are equally long, infinite where they needn't be. The
    /// pixels of a picture become whole numbers of pixels on the canvas if they are at least two wide: otherwise some
    /// would be wider than others.
    /// </summary>
    public double Unit(Rectangle area)
    {
        if (!_panel.EqualAspect || _panel.X.Scale.IsLog || _panel.Y.Scale.IsLog)
            return double.PositiveInfinity;
        double unit = Math.Min(area.Width / Range.X, area.Height / Range.Y);
        return _panel.Marks.Any(mark => mark.IsImage) && unit >= 2 ? Math.Floor(unit) : unit;
    }

    /// <summary>The part of an area with the panel's aspect, centred.</summary>
    private Rectangle Shrink(Rectangle area, double unit)
    {
        if (double.IsPositiveInfinity(Unit(area)) || !double.IsFinite(unit) || unit <= 0)
            return area; // another panel's unit may be finite
        double width = Math.Max(1, Range.X * unit), height = Math.Max(1, Range.Y * unit);
        Point centre = area.Centre;
        return Rectangle.At(Math.Round(centre.X - width / 2), Math.Round(centre.Y - height / 2), width, height);
    }

    private void DrawTitle(ICanvas canvas, Rectangle cell, Rectangle plot)
    {
        double top = plot.Top - 4 - (_panel.Frame.IsAxes ? 0.3 * Style.TickSize : 0) - _title.Height;
        for (int i = 0; i < _title.Lines.Count; i++)
        {
            double baseline = top + (i * StrokeFont.LineHeight + StrokeFont.Ascent) * _title.Size;
            double centre = Centre(_title.Lines[i], _title.Size, cell, plot);
            canvas.Text(new TextRun(_title.Lines[i], new Point(centre, baseline), _title.Size, Style.Ink, TextAlign.Middle));
        }
    }

    /// <summary>The middle of the drawing area, or as close to it as the text can stand inside the cell.</summary>
    private static double Centre(string text, double size, Rectangle cell, Rectangle plot)
    {
        double half = StrokeFont.Measure(text, size) / 2;
        return Math.Max(cell.Left + half, Math.Min(plot.Centre.X, cell.Right - half));
    }

    private void DrawLabels(ICanvas canvas, Rectangle cell, Rectangle plot, AxisPainter axes)
    {
        if (XLabel.Length > 0)
        {
            double depth = _panel.Frame.IsAxes ? AxisPainter.XTickDepth(_xTicks, _uprightTicks) : 3;
            TextFitting.Block label = TextFitting.Fit(XLabel, cell.Width, Style.LabelSize, 1);
            double centre = Centre(label.Lines[0], label.Size, cell, plot);
            canvas.Text(new TextRun(
                label.Lines[0],
                new Point(centre, plot.Bottom + depth + LabelGap + Style.LabelSize * StrokeFont.Ascent),
                label.Size,
                Style.Ink,
                TextAlign.Middle));
        }

        if (YLabel.Length > 0)
        {
            double depth = _panel.Frame.IsAxes ? axes.YTickDepth() : 3;
            TextFitting.Block label = TextFitting.Fit(YLabel, plot.Height, Style.LabelSize, 1);
            canvas.Text(new TextRun(
                label.Lines[0],
                new Point(plot.Left - depth - LabelGap - Style.LabelSize * StrokeFont.Descent, plot.Centre.Y),
                label.Size,
                Style.Ink,
                TextAlign.Middle,
                Vertical: true));
        }
    }

    private void DrawLegend(ICanvas canvas, Rectangle cell, Rectangle plot, AxisScale x, AxisScale y)
    {
        if (_below is not null)
        {
            double depth = _panel.Frame.IsAxes ? AxisPainter.XTickDepth(_xTicks, _uprightTicks) : 3;
            if (XLabel.Length > 0)
                depth += LabelGap + Style.LabelSize * (StrokeFont.Ascent + StrokeFont.Descent);
            _below.Draw(canvas, Math.Max(cell.Left, cell.Centre.X - _below.Width / 2), plot.Bottom + depth + LegendPadding);
            return;
        }

        if (_entries.Length == 0)
            return;
        KeyLayout key = KeyLayout.Stacked(_entries, Math.Max(30, plot.Width - 4 * LegendPadding));
        Rectangle box = PlaceLegend(key, plot, x, y).Box;
        canvas.Fill(box.Corners(), Style.Veil);
        canvas.Stroke(box.Outline(), Style.Grid, 1, false);
        key.Draw(canvas, box.Left + LegendPadding, box.Top + LegendPadding / 2);
    }
}
