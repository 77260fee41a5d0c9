using System;
using System.Linq;
using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>The strip beside a panel that explains its colours.</summary>
internal sealed class ColourBar
{
    private const int Steps = 64;

    private readonly ColourMap _map;
    private readonly double _low;
    private readonly double _high;
    private readonly string _format;

    private ColourBar(ColourMap map, double low, double high, string format)
    {
        (_map, _low, _high, _format) = (map, Math.Min(low, high), Math.Max(low, high), format);
        if (!double.IsFinite(_low) || !double.IsFinite(_high) || _high - _low > 1e300)
            (_low, _high) = (0, 1);
        else if (_high - _low <= 1e-12 * Math.Abs(_high))
            (_low, _high) = (_low - Math.Max(0.5, Math.Abs(_low) * 0.1), _high + Math.Max(0.5, Math.Abs(_low) * 0.1));
    }

    /// <summary>The bar that the panel's first mapped image or heatmap asks for, if one does.</summary>
    public static ColourBar? Of(Panel panel) => panel.Marks.Select(Of).FirstOrDefault(bar => bar is not null);

    /// <summary>Width of the bar with its labels for a height.</summary>
    public double Width(double height)
    {
        (AxisTicks ticks, string[] labels) = Labels(height);
        double widest = labels.Append(ticks.Suffix).Max(label => StrokeFont.Measure(label, Style.TickSize));
        return Style.ColourBarGap + Style.ColourBarWidth + Style.TickLength + 2 + widest;
    }

    /// <summary>Draws the bar right of the drawing area and as tall; the labels were measured for a height.</summary>
    public void Draw(ICanvas canvas, Rectangle plot, double measured)
    {
        double left = plot.Right + Style.ColourBarGap;
        var bar = new Rectangle(left, plot.Top, left + Style.ColourBarWidth, plot.Bottom);
        var strip = new PixelImage(1, Steps);
        for (int i = 0; i < Steps; i++)
        {
            Colour c = ColourMapModule.at(_map, 1 - (i + 0.5) / Steps);
            strip.Set(0, i, c.R, c.G, c.B);
        }

        canvas.Image(strip, bar);
        canvas.Stroke(bar.Outline(), Style.Border, 1, false);
        (AxisTicks ticks, string[] labels) = Labels(measured);
        double lowest = double.PositiveInfinity;
        double ceiling = plot.Top;
        if (ticks.Suffix.Length > 0)
        {
            var suffix = new TextRun(ticks.Suffix, new Point(bar.Right + 6, plot.Top + 3), Style.TickSize, Style.Soft);
            canvas.Text(suffix);
            ceiling = suffix.Bounds().Bottom;
        }

        for (int i = 0; i < labels.Length; i++)
        {
            double y = bar.Bottom - (ticks.Positions[i] - _low) / (_high - _low) * bar.Height;
            canvas.Stroke([new Point(bar.Right, y), new Point(bar.Right + 3, y)], Style.AxisLine, 1, false);
            var label = new TextRun(
                labels[i], new Point(bar.Right + 6, y + Style.TickSize * StrokeFont.CapHeight / 2), Style.TickSize, Style.Ink);
            Rectangle box = label.Bounds();
            if (box.Bottom > lowest || (ticks.Suffix.Length > 0 && box.Top < ceiling))
                continue;
            canvas.Text(label);
            lowest = box.Top;
        }
    }

    private static ColourBar? Of(Mark mark) => mark switch
    {
        Mark.Heatmap { Item: { ColourBar: true } m } => new ColourBar(m.Map, m.Low, m.High, m.Format),
        Mark.Image { Item: { ColourBar: true, Pixels: Pixels.Mapped p } } => new ColourBar(p.map, p.low, p.high, ""),
        _ => null,
    };

    /// <summary>Ticks, with percentages where the cells print percentages.</summary>
    private (AxisTicks Ticks, string[] Labels) Labels(double height)
    {
        AxisTicks ticks = AxisTicks.Linear(_low, _high, Math.Clamp((int)(height / 26), 3, 6));
        bool percent = _format.StartsWith('P') && ticks.Suffix.Length == 0;
        return (ticks, percent ? [.. ticks.Positions.Select(p => CellText.Format(p, _high - _low < 0.05 ? _format : "P0"))] : ticks.Labels);
    }
}
