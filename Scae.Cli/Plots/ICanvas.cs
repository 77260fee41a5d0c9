using Scae.Core;

namespace Scae.Cli.Plots;

/// <summary>What a layout draws on: the few commands that every back end understands.</summary>
internal interface ICanvas
{
    /// <summary>Lines through the points with round caps and joins; width in logical pixels.</summary>
    public void Stroke(Point[] points, Colour colour, double width, bool dashed);

    /// <summary>The inside of a polygon.</summary>
    public void Fill(Point[] points, Colour colour);

    /// <summary>A filled circle.</summary>
    public void Disc(Point centre, double radius, Colour colour);

    /// <summary>A line of text.</summary>
    public void Text(TextRun run);

    /// <summary>An image, stretched over a rectangle with nearest neighbours.</summary>
    public void Image(PixelImage image, Rectangle place);

    /// <summary>Restricts what follows to the rectangle, and to the restrictions already there.</summary>
    public void PushClip(Rectangle clip);

    /// <summary>Ends the latest restriction.</summary>
    public void PopClip();
}
