using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>What a layout draws on: the few commands that every back end understands.</summary>
internal interface ICanvas
{
    /// <summary>Lines through the points with round caps and joins; width in logical pixels.</summary>
    void Stroke(Point[] points, Colour colour, double width, bool dashed);

    /// <summary>The inside of a polygon.</summary>
    void Fill(Point[] points, Colour colour);

    /// <summary>A filled circle.</summary>
    void Disc(Point centre, double radius, Colour colour);

    /// <summary>A line of text.</summary>
    void Text(TextRun run);

    /// <summary>An image, stretched over a rectangle with nearest neighbours.</summary>
    void Image(PixelImage image, Rectangle place);

    /// <summary>Restricts what follows to the rectangle, and to the restrictions already there.</summary>
    void PushClip(Rectangle clip);

    /// <summary>Ends the latest restriction.</summary>
    void PopClip();
}
