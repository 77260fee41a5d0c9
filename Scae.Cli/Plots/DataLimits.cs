using System;
using System.Linq;
using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>Finds the limits of a panel's axes from its marks.</summary>
internal static class DataLimits
{
    /// <summary>Limits of x and y; aspect is the height of the drawing area over its width.</summary>
    public static (double X0, double X1, double Y0, double Y1) Of(Panel panel, double aspect)
    {
        AxisRange x = new(panel.X), y = new(panel.Y);
        foreach (Mark mark in panel.Marks)
            Include(mark, x, y);
        bool tight = panel.Marks.Any(mark => mark.IsImage || mark.IsHeatmap);
        bool bars = panel.Marks.Any(mark => mark.IsBars) && !panel.Y.Scale.IsLog;
        (double x0, double x1) = x.Limits(panel.X, tight ? 0 : Style.DataMargin);
        (double y0, double y1) = y.Limits(panel.Y, tight ? 0 : Style.DataMargin);
        if (bars && panel.Y.Limits.IsAutomatic)
            (y0, y1) = Grounded(y0, y1);
        if (panel.EqualAspect && !panel.X.Scale.IsLog && !panel.Y.Scale.IsLog)
        {
            if (panel.X.Limits.IsAutomatic && (x1 - x0) * aspect < y1 - y0)
                (x0, x1) = Widen(x0, x1, (y1 - y0) / aspect);
            else if (panel.Y.Limits.IsAutomatic && y1 - y0 < (x1 - x0) * aspect)
                (y0, y1) = Widen(y0, y1, (x1 - x0) * aspect);
        }

        return (x0, x1, y0, y1);
    }

    private static void Include(Mark mark, AxisRange x, AxisRange y)
    {
        switch (mark)
        {
            case Mark.Line { Item: var m }:
                IncludePoints(m.X, m.Y, x, y);
                break;
            case Mark.Scatter { Item: var m }:
                IncludePoints(m.X, m.Y, x, y);
                break;
            case Mark.Image { Item: var m }:
                IncludePoints([m.Left, m.Right], [m.Top, m.Bottom], x, y);
                break;
            case Mark.Heatmap { Item: var m }:
                IncludePoints([0, m.Values.GetLength(1)], [0, m.Values.GetLength(0)], x, y);
                break;
            case Mark.Box { Item: var m }:
                IncludePoints([m.X0, m.X1], [m.Y0, m.Y1], x, y);
                break;
            case Mark.Polygon { Item: var m }:
                IncludePoints(m.X, m.Y, x, y);
                break;
            case Mark.Band { Item: var m }:
                x.Include(m.X);
                y.Include(m.Low);
                y.Include(m.High);
                break;
            case Mark.Bars { Item: var m }:
                IncludeBars(m, x, y);
                break;
            case Mark.Text { Item: var m }:
                IncludePoints([m.X], [m.Y], x, y);
                break;
            case Mark.Rule { Item: var m }:
                (m.Orientation.IsHorizontal ? y : x).Include(m.At);
                break;
        }
    }

    private static void IncludePoints(double[] xs, double[] ys, AxisRange x, AxisRange y)
    {
        for (int i = 0; i < Math.Min(xs.Length, ys.Length); i++)
        {
            if (double.IsFinite(xs[i]) && double.IsFinite(ys[i]))
            {
                x.Include(xs[i]);
                y.Include(ys[i]);
            }
        }
    }

    private static void IncludeBars(BarMark m, AxisRange x, AxisRange y)
    {
        y.Include(0);
        for (int i = 0; i < Math.Min(m.X.Length, m.Heights.Length); i++)
        {
            double error = i < m.Errors.Length && double.IsFinite(m.Errors[i]) ? m.Errors[i] : 0;
            x.Include(m.X[i] - m.Width / 2);
            x.Include(m.X[i] + m.Width / 2);
            y.Include(m.Heights[i] - error);
            y.Include(m.Heights[i] + error);
        }
    }

    /// <summary>Takes the margin away on the side on which bars stand on zero.</summary>
    private static (double Low, double High) Grounded(double low, double high)
    {
        double margin = (high - low) * Style.DataMargin / (1 + 2 * Style.DataMargin) * 1.01;
        return (low < 0 && low > -margin ? 0 : low, high > 0 && high < margin ? 0 : high);
    }

    private static (double Low, double High) Widen(double low, double high, double range)
    {
        double middle = low / 2 + high / 2;
        return (middle - range / 2, middle + range / 2);
    }
}
