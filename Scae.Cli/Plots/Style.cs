using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>Sizes and colours that all figures share, in logical pixels.</summary>
internal static class Style
{
    public const float Margin = 12, Gap = 14;

    public const float TitleSize = 15, HeadingSize = 12, LabelSize = 12, TickSize = 10.5f, NoteSize = 10;

    /// <summary>The margin around the data, as a share of their range.</summary>
    public const double DataMargin = 0.045;

    public static readonly ScottPlot.Color Ink = ScottPlot.Color.FromHex("#1F1F1F");

    public static readonly ScottPlot.Color AxisLine = ScottPlot.Color.FromHex("#4D4D4D");

    public static readonly ScottPlot.Color Soft = ScottPlot.Color.FromHex("#5A5A5A");

    public static readonly ScottPlot.Color Grid = ScottPlot.Color.FromHex("#E9E9E9");

    public static readonly ScottPlot.Color Border = ScottPlot.Color.FromHex("#A8A8A8");

    public static ScottPlot.Color Of(Colour c) => new(c.R, c.G, c.B, c.A);
}
