using System;
using System.Linq;

namespace Scae.Cli.Plots;

/// <summary>Draws grid, axis lines, ticks and their labels around a drawing area.</summary>
internal sealed class AxisPainter(
    ICanvas canvas, Rectangle plot, AxisScale x, AxisScale y, AxisTicks xTicks, AxisTicks yTicks)
{
    private const double UprightLength = 84;

    /// <summary>How far ticks and labels reach below the drawing area.</summary>
    public static double XTickDepth(AxisTicks ticks, bool upright)
    {
        double labels = upright
            ? Math.Min(UprightLength, ticks.Labels.Select(l => StrokeFont.Measure(l, Style.TickSize)).DefaultIfEmpty(0).Max())
            : Style.TickSize * (StrokeFont.Ascent + StrokeFont.Descent);
        return ticks.Labels.Length == 0 ? 3 : Style.TickLength + Style.TickGap + labels;
    }

    /// <summary>How far ticks and labels reach left of the drawing area.</summary>
    public double YTickDepth() => yTicks.Labels.Length == 0
        ? 3
        : Style.TickLength + Style.TickGap + yTicks.Labels.Max(l => StrokeFont.Measure(l, Style.TickSize));

    /// <summary>Faint lines at the ticks, behind the data.</summary>
    public void DrawGrid(bool vertical, bool horizontal)
    {
        foreach (double at in vertical ? xTicks.Positions : [])
            canvas.Stroke([new(x.Map(at), plot.Top), new(x.Map(at), plot.Bottom)], Style.Grid, 1, false);
        foreach (double at in horizontal ? yTicks.Positions : [])
            canvas.Stroke([new(plot.Left, y.Map(at)), new(plot.Right, y.Map(at))], Style.Grid, 1, false);
    }

    /// <summary>The axes left and below; a closed frame around pictures.</summary>
    public void DrawAxes(bool closed, bool upright)
    {
        if (closed)
            canvas.Stroke(plot.Outline(), Style.AxisLine, 1, false);
        else
            canvas.Stroke(
                [new(plot.Left, plot.Top), new(plot.Left, plot.Bottom), new(plot.Right, plot.Bottom)], Style.AxisLine, 1, false);
        foreach (double at in xTicks.Minor)
            canvas.Stroke([new(x.Map(at), plot.Bottom), new(x.Map(at), plot.Bottom + 2)], Style.AxisLine, 0.8, false);
        foreach (double at in yTicks.Minor)
            canvas.Stroke([new(plot.Left - 2, y.Map(at)), new(plot.Left, y.Map(at))], Style.AxisLine, 0.8, false);
        DrawXTicks(upright);
        DrawYTicks();
    }

    private void DrawXTicks(bool upright)
    {
        double top = plot.Bottom + Style.TickLength + Style.TickGap;
        double line = Style.TickSize * (StrokeFont.Ascent + StrokeFont.Descent);
        double[] at = Array.ConvertAll(xTicks.Positions, x.Map);
        TextRun[] runs = [.. at.Select((p, i) => upright
            ? new TextRun(
                TextFitting.Shorten(xTicks.Labels[i], UprightLength, Style.TickSize),
                new Point(p + Style.TickSize * StrokeFont.CapHeight / 2, top),
                Style.TickSize,
                Style.Ink,
                TextAlign.End,
                Vertical: true)
            : new TextRun(
                xTicks.Labels[i],
                new Point(p, top + Style.TickSize * StrokeFont.Ascent - 1),
                Style.TickSize,
                Style.Ink,
                TextAlign.Middle))];
        int every = Every(at, i => upright ? line : runs[i].Length + 5);
        for (int i = 0; i < at.Length; i++)
        {
            canvas.Stroke([new(at[i], plot.Bottom), new(at[i], plot.Bottom + Style.TickLength)], Style.AxisLine, 1, false);
            if (i % every == 0)
                canvas.Text(runs[i]);
        }
    }

    private void DrawYTicks()
    {
        double[] at = Array.ConvertAll(yTicks.Positions, y.Map);
        int every = Every(at, _ => Style.TickSize * (StrokeFont.Ascent + StrokeFont.Descent) + 0.5);
        for (int i = 0; i < at.Length; i++)
        {
            canvas.Stroke([new(plot.Left - Style.TickLength, at[i]), new(plot.Left, at[i])], Style.AxisLine, 1, false);
            if (i % every == 0)
            {
                canvas.Text(new TextRun(
                    yTicks.Labels[i],
                    new Point(plot.Left - Style.TickLength - Style.TickGap, at[i] + Style.TickSize * StrokeFont.CapHeight / 2),
                    Style.TickSize,
                    Style.Ink,
                    TextAlign.End));
            }
        }
    }

    /// <summary>The smallest k such that every k-th label leaves the next one room.</summary>
    private static int Every(double[] at, Func<int, double> size)
    {
        for (int every = 1; every < at.Length; every++)
        {
            bool free = true;
            for (int i = every; i < at.Length && free; i += every)
                free = Math.Abs(at[i] - at[i - every]) >= (size(i) + size(i - every)) / 2;
            if (free)
                return every;
        }

        return Math.Max(1, at.Length);
    }
}
