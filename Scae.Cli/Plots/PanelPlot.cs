using System;
using System.Linq;
using Scae.Core.Figures;
using ScottPlot;
using ScottPlot.AxisPanels;
using ScottPlot.Panels;
using ScottPlot.Rendering.RenderActions;
using SkiaSharp;

namespace Scae.Cli.Plots;

/// <summary>
/// One panel of a figure as a plot. First it says how much room its texts take around the drawing area, so that the areas
/// of a grid can be aligned. Then it is drawn in the place that it was given.
/// </summary>
internal sealed class PanelPlot
{
    private const float BarGap = 8, BelowGap = 6;

    private readonly Panel _panel;
    private readonly Projection _x;
    private readonly Projection _y;
    private readonly Plot _plot = new();
    private readonly AxisLimits _limits;
    private readonly string _title;
    private readonly ColorBar? _bar;
    private readonly Legend? _below;
    private readonly float _belowHeight;
    private readonly float _xDepth;
    private readonly float _yDepth;

    public PanelPlot(Panel panel, float cellWidth, float cellHeight)
    {
        (_panel, _x, _y) = (panel, new Projection(panel.X), new Projection(panel.Y));
        _title = panel.Title.Length == 0 ? "" : Lettering.Wrap(panel.Title, cellWidth, Style.HeadingSize, 3);
        var guess = new PixelSize(
            Math.Max(30, cellWidth - (HasAxes ? 50 : 8)),
            Math.Max(30, cellHeight - (HasAxes ? 44 : 8) - (_title.Length > 0 ? 20 : 0)));
        var plotter = new MarkPlotter(_plot, _x, _y);
        foreach (Mark mark in panel.Marks)
            plotter.Add(mark);
        _limits = Limits(guess.Height / guess.Width);
        _plot.Axes.SetLimits(_limits);
        _bar = ColourScale.Bar(panel);
        _xDepth = XAxis(guess.Width);
        _yDepth = YAxis(guess.Height, cellWidth);
        (_below, _belowHeight) = LegendOf(guess, cellWidth);
        Frame();
        Insets = Measure();
    }

    /// <summary>The room that texts take around the drawing area.</summary>
    public PixelPadding Insets { get; }

    /// <summary>The extent of the axes. Panels of equal extent in one figure are drawn equally large.</summary>
    public (double X, double Y) Range => (_limits.HorizontalSpan, _limits.VerticalSpan);

    /// <summary>Whether the panel shows an image with square pixels.</summary>
    public bool IsPicture => SameUnits && _panel.Marks.Any(mark => mark.IsImage);

    private bool HasAxes => _panel.Frame.IsAxes;

    private bool HasPictures => _panel.Marks.Any(mark => mark.IsImage || mark.IsHeatmap);

    /// <summary>
    /// Pixels per unit of x and of y in an area when both must be equally long; infinite when they needn't be. If the
    /// pixels of a picture are at least two pixels of the canvas wide, they become whole numbers of them: otherwise some
    /// would be wider than others.
    /// </summary>
    public double Unit(PixelRect area)
    {
        if (!SameUnits)
            return double.PositiveInfinity;
        double unit = Math.Min(area.Width / Range.X, area.Height / Range.Y);
        return IsPicture && unit >= 2 ? Math.Floor(unit) : unit;
    }

    /// <summary>Draws the panel with its drawing area in a rectangle; unit is at most <see cref="Unit"/> of that rectangle.</summary>
    public void Draw(SKCanvas canvas, PixelRect cell, PixelRect area, double unit)
    {
        PixelRect plot = Shrink(area, unit);
        FitCells(plot);
        _plot.Layout.Fixed(plot);
        Render(canvas, cell);
        if (_title.Length > 0)
        {
            float half = _title.Split('\n').Max(line => Lettering.Width(line, Style.HeadingSize)) / 2;
            float centre = Math.Max(cell.Left + half, Math.Min(plot.HorizontalCenter, cell.Right - half));
            Lettering.Write(canvas, _title, centre, plot.Top - (HasAxes ? 7 : 4), Style.HeadingSize, Alignment.LowerCenter);
        }

        if (_below is null)
            return;
        using var paint = Paint.NewDisposablePaint();
        float top = plot.Bottom + _xDepth + BelowGap;
        _below.Render(canvas, paint, new PixelRect(cell.Left, cell.Right, top + _belowHeight, top), Alignment.UpperCenter);
    }

    /// <summary>Gives an axis the look that all axes have.</summary>
    public static void StyleAxis(IAxis axis)
    {
        axis.TickLabelStyle.FontSize = Style.TickSize;
        axis.TickLabelStyle.ForeColor = Style.Ink;
        (axis.FrameLineStyle.Color, axis.MajorTickStyle.Color, axis.MinorTickStyle.Color) = (Style.AxisLine, Style.AxisLine, Style.AxisLine);
        var shown = (AxisBase)axis;
        (shown.LabelFontSize, shown.LabelFontColor, shown.LabelBold) = (Style.LabelSize, Style.Ink, false);
    }

    /// <summary>The limits that are asked for, or else those of the data with a margin; bars start at the axis.</summary>
    private AxisLimits Limits(double aspect)
    {
        double margin = HasPictures ? 0 : Style.DataMargin;
        _plot.Axes.ReplaceNullAxesWithDefaults();
        AxisLimits data = _plot.Axes.GetDataLimits();
        (double x0, double x1) = _x.Fixed() ?? Around(data.Left, data.Right, margin, _x.IsLog);
        (double y0, double y1) = _y.Fixed() ?? Around(data.Bottom, data.Top, margin, _y.IsLog);
        if (_panel.Marks.Any(mark => mark.IsBars) && !_y.IsLog && _panel.Y.Limits.IsAutomatic && data.VerticalSpan > 0)
            (y0, y1) = (data.Bottom == 0 ? 0 : y0, data.Top == 0 ? 0 : y1);
        if (SameUnits && _panel.X.Limits.IsAutomatic && (x1 - x0) * aspect < y1 - y0)
            (x0, x1) = ((x0 + x1) / 2 - (y1 - y0) / aspect / 2, (x0 + x1) / 2 + (y1 - y0) / aspect / 2);
        else if (SameUnits && _panel.Y.Limits.IsAutomatic && y1 - y0 < (x1 - x0) * aspect)
            (y0, y1) = ((y0 + y1) / 2 - (x1 - x0) * aspect / 2, (y0 + y1) / 2 + (x1 - x0) * aspect / 2);
        return new AxisLimits(x0, x1, y0, y1);
    }

    /// <summary>
    /// Widens limits until ticks between them differ. Without data they are 0 and 1; a single value lies in the middle.
    /// </summary>
    private static (double Low, double High) Around(double low, double high, double margin, bool log)
    {
        if (!double.IsFinite(low) || !double.IsFinite(high) || low > high)
            return (0, 1);
        double least = log ? 0.5 : low == 0 && high == 0 ? 0.5 : 1e-9 * Math.Max(Math.Abs(low), Math.Abs(high));
        double extra = high > low ? margin * (high - low) : log || low == 0 ? least : 0.1 * Math.Abs(low);
        extra = Math.Max(extra, high - low < least ? least : 0);
        return (low - extra, high + extra);
    }

    /// <summary>Sets the ticks and the label of the horizontal axis; returns how far they reach down.</summary>
    private float XAxis(float length)
    {
        var axis = (AxisBase)_plot.Axes.Bottom;
        StyleAxis(_plot.Axes.Bottom);
        axis.LabelText = _panel.X.Label;
        Tick[] ticks = HasAxes ? AxisTicks.Of(_panel.X, _x, _limits.XRange, (int)Math.Clamp(length / 40, 5, 8)) : [];
        float widest = ticks.Select(tick => Lettering.Width(tick.Label, Style.TickSize)).DefaultIfEmpty(0).Max();
        bool upright = _panel.X.Ticks.IsAt && ticks.Length > 0 && widest + 4 > length / ticks.Length;
        if (upright)
            (axis.TickLabelStyle.Rotation, axis.TickLabelStyle.Alignment) = (-90, Alignment.MiddleRight);
        axis.TickGenerator = new FixedTicks(Thinned(ticks, length, upright ? Style.TickSize + 2 : 0));
        float depth = !HasAxes || ticks.Length == 0 ? 3 : upright ? widest + 8 : Style.TickSize + 9;
        depth += _panel.X.Label.Length > 0 ? Style.LabelSize + 7 : 0;
        axis.MinimumSize = axis.MaximumSize = depth;
        return depth;
    }

    /// <summary>Sets the ticks and the label of the vertical axis; returns how far they reach to the left.</summary>
    private float YAxis(float length, float cellWidth)
    {
        var axis = (AxisBase)_plot.Axes.Left;
        StyleAxis(_plot.Axes.Left);
        axis.LabelText = _panel.Y.Label;
        Tick[] ticks = HasAxes ? AxisTicks.Of(_panel.Y, _y, _limits.YRange, (int)Math.Clamp(length / 26, 5, 8)) : [];
        ticks = [.. ticks.Select(tick => new Tick(tick.Position, Lettering.Wrap(tick.Label, 0.45 * cellWidth, Style.TickSize, 1), tick.IsMajor))];
        axis.TickGenerator = new FixedTicks(Thinned(ticks, length, Style.TickSize + 2));
        float widest = ticks.Select(tick => Lettering.Width(tick.Label, Style.TickSize)).DefaultIfEmpty(0).Max();
        float depth = (!HasAxes || ticks.Length == 0 ? 3 : widest + 9) + (_panel.Y.Label.Length > 0 ? Style.LabelSize + 7 : 0);
        axis.MinimumSize = axis.MaximumSize = depth;
        return depth;
    }

    /// <summary>Removes some labels of named ticks that would overlap.</summary>
    private static Tick[] Thinned(Tick[] ticks, float length, float size)
    {
        int named = ticks.Count(tick => tick.IsMajor), every = (int)Math.Max(1, Math.Ceiling(size * named / length));
        return [.. ticks.Select((tick, i) => tick.IsMajor && i % every != 0 ? Tick.Major(tick.Position, "") : tick)];
    }

    /// <summary>Puts the legend inside the panel if it hides little there, otherwise below it.</summary>
    private (Legend? Below, float Height) LegendOf(PixelSize guess, float cellWidth)
    {
        KeyEntry[] entries = Legends.EntriesOf(_panel);
        if (entries.Length == 0)
            return (null, 0);
        Legend inside = Legends.Make(_plot, entries, flowing: false);
        if (Legends.Place(_panel, _limits, _x, _y, guess, Legends.Size(inside, 10000)) is Alignment place)
        {
            (inside.IsVisible, inside.Alignment) = (true, place);
            return (null, 0);
        }

        Legend below = Legends.Make(_plot, entries, flowing: true);
        return (below, Legends.Size(below, cellWidth).Height);
    }

    private void Frame()
    {
        _plot.Axes.Top.IsVisible = _plot.Axes.Right.IsVisible = !HasAxes || HasPictures;
        foreach (IAxis axis in _plot.Axes.GetAxes())
            axis.FrameLineStyle.Color = HasAxes ? Style.AxisLine : Style.Border;
        foreach (IAxis axis in new IAxis[] { _plot.Axes.Top, _plot.Axes.Right })
            axis.TickGenerator = new FixedTicks([]);
        (_plot.Axes.Right.MinimumSize, _plot.Axes.Right.MaximumSize) = (BarGap, BarGap);
        _plot.Grid.IsVisible = HasAxes && !HasPictures;
        (_plot.Grid.MajorLineColor, _plot.Grid.MinorLineWidth) = (Style.Grid, 0);
        _plot.Grid.XAxisStyle.IsVisible = !_panel.X.Ticks.IsAt;
        _plot.Grid.YAxisStyle.IsVisible = !_panel.Y.Ticks.IsAt;
        if (_bar is not null)
            _plot.Axes.AddPanel(_bar);
    }

    private PixelPadding Measure()
    {
        float right = 3, top = 3;
        if (HasAxes)
        {
            Tick[] x = _plot.Axes.Bottom.TickGenerator.Ticks;
            bool upright = _plot.Axes.Bottom.TickLabelStyle.Rotation != 0;
            right = upright || x.Length == 0 ? 6 : Math.Max(6, Lettering.Width(x[^1].Label, Style.TickSize) / 2);
            top = 7;
        }

        if (_bar is not null)
        {
            using var paint = Paint.NewDisposablePaint();
            right = Math.Max(right, BarGap + _bar.Measure(paint));
        }

        if (_title.Length > 0)
            top += Lettering.Height(_title, Style.HeadingSize) + 4;
        float bottom = _xDepth + (_below is null ? 0 : BelowGap + _belowHeight);
        return new PixelPadding(_yDepth, right, bottom, top);
    }

    private bool SameUnits => _panel.EqualAspect && !_x.IsLog && !_y.IsLog;

    /// <summary>The part of an area with the panel's aspect, centred.</summary>
    private PixelRect Shrink(PixelRect area, double unit)
    {
        if (double.IsPositiveInfinity(Unit(area)) || !double.IsFinite(unit) || unit <= 0)
            return area; // another panel's unit may be finite
        double width = Math.Max(1, Range.X * unit), height = Math.Max(1, Range.Y * unit);
        double left = Math.Round(area.HorizontalCenter - width / 2), top = Math.Round(area.VerticalCenter - height / 2);
        return new PixelRect((float)left, (float)(left + width), (float)(top + height), (float)top);
    }

    /// <summary>
    /// Gives the numbers in a heatmap's cells the largest size that fits; numbers that would be too small to read are
    /// removed.
    /// </summary>
    private void FitCells(PixelRect area)
    {
        if (_panel.Marks.FirstOrDefault(mark => mark.IsHeatmap) is not Mark.Heatmap { Item: var map } || map.Values.Length == 0)
            return;
        var texts = _plot.GetPlottables<ScottPlot.Plottables.Text>().Take(map.Format.Length > 0 ? map.Values.Length : 0).ToList();
        double widest = texts.Select(text => (double)Lettering.Width(text.LabelText, 1)).DefaultIfEmpty(1).Max();
        double size = Math.Min(0.8 * area.Width / map.Values.GetLength(1) / widest, 0.55 * area.Height / map.Values.GetLength(0));
        foreach (var text in texts)
            (text.LabelFontSize, text.IsVisible) = ((float)Math.Min(14, size), size >= 7);
    }

    /// <summary>
    /// Does once what ScottPlot's render manager does: that one draws a new plot twice, which would put transparent marks
    /// on top of themselves, and it cuts marks off at the drawing area.
    /// </summary>
    private void Render(SKCanvas canvas, PixelRect cell)
    {
        using var pack = new RenderPack(_plot, cell, canvas);
        new CalculateLayout().Render(pack);
        new RenderGridsBelowPlottables().Render(pack);
        foreach (IPlottable plottable in _plot.PlottableList.Where(plottable => plottable.IsVisible))
        {
            plottable.Axes.DataRect = pack.DataRect;
            canvas.Save();
            canvas.ClipRect(pack.DataRect.Expand(HasPictures ? 0 : MarkPlotter.Overhang(plottable)).ToSKRect());
            plottable.Render(pack);
            canvas.Restore();
        }

        new RenderLegends().Render(pack);
        new RenderPanels().Render(pack);
    }
}
