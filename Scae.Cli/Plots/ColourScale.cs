using System;
using System.Linq;
using Scae.Core.Figures;
using ScottPlot;
using ScottPlot.Panels;

namespace Scae.Cli.Plots;

/// <summary>The colours of a mapped image or a heatmap, as the bar beside the panel explains them.</summary>
internal sealed class ColourScale(ColourMap map, double low, double high, string format) : IHasColorAxis, IColormap
{
    public string Name => map.Name;

    public IColormap Colormap => this;

    /// <summary>
    /// The bar that the panel's first mapped image or heatmap asks for, if one does. Equal values in cells that say them need none.
    /// </summary>
    public static ColorBar? Bar(Panel panel) => panel.Marks.Select(Of).FirstOrDefault(scale => scale is not null)?.Bar();

    public Color GetColor(double position) => Style.Of(ColourMapModule.at(map, position));

    public ScottPlot.Range GetRange()
    {
        (double a, double b) = (Math.Min(low, high), Math.Max(low, high));
        double extra = a == 0 ? 0.5 : Math.Abs(a) * 0.1;
        return !double.IsFinite(a) || !double.IsFinite(b) || b - a > 1e300 ? new(0, 1)
            : b - a <= 1e-12 * Math.Abs(b) ? new(a - extra, b + extra)
            : new(a, b);
    }

    private static ColourScale? Of(Mark mark) => mark switch
    {
        Mark.Heatmap { Item: var m } when m.Format.Length == 0 || m.Low != m.High => new ColourScale(m.Map, m.Low, m.High, m.Format),
        Mark.Image { Item: { ColourBar: true, Pixels: Pixels.Mapped p } } => new ColourScale(p.map, p.low, p.high, ""),
        _ => null,
    };

    private ColorBar Bar()
    {
        ScottPlot.Range range = GetRange();
        string percent = range.Max - range.Min < 0.05 ? format : "P0";
        var bar = new ColorBar(this, Edge.Right) { Width = 11 };
        PanelPlot.StyleAxis(bar.Axis);
        bar.Axis.FrameLineStyle.Color = Style.Border;
        Tick[] ticks = AxisTicks.Linear(new Projection(PanelModule.create("").Y), new CoordinateRange(range.Min, range.Max), 6, whole: false);
        if (format.StartsWith('P'))
            ticks = [.. ticks.Select(tick => Tick.Major(tick.Position, AxisTicks.Format(tick.Position, percent)))];
        bar.Axis.TickGenerator = new FixedTicks(ticks);
        return bar;
    }
}
