using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>
/// One line of text. The anchor lies on the baseline; vertical text reads upwards, and its baseline is the vertical
/// line through the anchor.
/// </summary>
internal readonly record struct TextRun(
    string Text,
    Point Anchor,
    double Size,
    Colour Colour,
    TextAlign Align = TextAlign.Start,
    bool Bold = false,
    bool Vertical = false)
{
    /// <summary>Length along the baseline.</summary>
    public double Length => StrokeFont.Measure(Text, Size, Bold);

    /// <summary>The distance from the anchor back to the start of the text.</summary>
    public double Offset => Align switch
    {
        TextAlign.Middle => Length / 2,
        TextAlign.End => Length,
        _ => 0,
    };

    /// <summary>The box around the text, with room for ascenders and descenders.</summary>
    public Rectangle Bounds()
    {
        double ascent = StrokeFont.Ascent * Size, descent = StrokeFont.Descent * Size;
        return Vertical
            ? new Rectangle(Anchor.X - ascent, Anchor.Y + Offset - Length, Anchor.X + descent, Anchor.Y + Offset)
            : new Rectangle(Anchor.X - Offset, Anchor.Y - ascent, Anchor.X - Offset + Length, Anchor.Y + descent);
    }
}
