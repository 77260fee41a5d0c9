using System;
using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>Draws the shapes of points so that equal sizes look equally large.</summary>
internal static class MarkerPainter
{
    public static void Draw(ICanvas canvas, Marker shape, Point at, double size, Colour colour)
    {
        double r = size / 2, thick = Math.Max(1.2, size * 0.2);
        if (shape.IsCircle)
        {
            canvas.Disc(at, r, colour);
        }
        else if (shape.IsSquare)
        {
            double h = 0.88 * r;
            canvas.Fill(new Rectangle(at.X - h, at.Y - h, at.X + h, at.Y + h).Corners(), colour);
        }
        else if (shape.IsTriangle)
        {
            double w = 1.1 * r;
            canvas.Fill([new(at.X - w, at.Y + 0.8 * w), new(at.X + w, at.Y + 0.8 * w), new(at.X, at.Y - 1.1 * w)], colour);
        }
        else if (shape.IsPlus)
        {
            canvas.Stroke([new(at.X - r, at.Y), new(at.X + r, at.Y)], colour, thick, false);
            canvas.Stroke([new(at.X, at.Y - r), new(at.X, at.Y + r)], colour, thick, false);
        }
        else
        {
            double d = 0.86 * r;
            canvas.Stroke([new(at.X - d, at.Y - d), new(at.X + d, at.Y + d)], colour, thick, false);
            canvas.Stroke([new(at.X - d, at.Y + d), new(at.X + d, at.Y - d)], colour, thick, false);
        }
    }
}
