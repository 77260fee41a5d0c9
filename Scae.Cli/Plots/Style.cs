using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>Sizes and colours that all figures share, in logical pixels.</summary>
internal static class Style
{
    public const double Margin = 12, Gap = 14, TickLength = 4, TickGap = 4;

    public const double TitleSize = 15, HeadingSize = 12.5, PanelTitleSize = 12.5, LabelSize = 12, TickSize = 11;

    public const double LegendSize = 11, NoteSize = 10.5;

    public const double ColourBarGap = 8, ColourBarWidth = 11;

    /// <summary>The margin around the data, as a share of their range.</summary>
    public const double DataMargin = 0.045;

    public static readonly Colour Ink = ColourModule.hex(0x1F1F1F);

    public static readonly Colour AxisLine = ColourModule.hex(0x4D4D4D);

    public static readonly Colour Soft = ColourModule.hex(0x5A5A5A);

    public static readonly Colour Grid = ColourModule.hex(0xE9E9E9);

    public static readonly Colour Border = ColourModule.hex(0xA8A8A8);

    public static readonly Colour Veil = ColourModule.withOpacity(0.86, ColourModule.white);
}
