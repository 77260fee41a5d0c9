using System;
using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>Turns the values of images and heatmaps into pixels.</summary>
internal static class ImageColours
{
    public static PixelImage Of(Pixels pixels) => pixels switch
    {
        Pixels.Mapped m => Of(m.values, m.low, m.high, m.map),
        Pixels.Rgb rgb => Of(rgb.Item),
        _ => throw new ArgumentException($"an image is mapped or RGB, got {pixels.GetType().Name}", nameof(pixels)),
    };

    public static PixelImage Of(double[,] values, double low, double high, ColourMap map)
    {
        var image = new PixelImage(values.GetLength(1), values.GetLength(0));
        for (int y = 0; y < image.Height; y++)
        {
            for (int x = 0; x < image.Width; x++)
            {
                Colour c = ColourMapModule.between(map, low, high, values[y, x]);
                image.Set(x, y, c.R, c.G, c.B);
            }
        }

        return image;
    }

    private static PixelImage Of(double[,,] values)
    {
        if (values.GetLength(2) != 3)
            throw new ArgumentException($"an RGB image is [H, W, 3], got a last axis of {values.GetLength(2)}");
        var image = new PixelImage(values.GetLength(1), values.GetLength(0));
        for (int y = 0; y < image.Height; y++)
        {
            for (int x = 0; x < image.Width; x++)
            {
                Colour c = ColourModule.ofFloats(values[y, x, 0], values[y, x, 1], values[y, x, 2]);
                image.Set(x, y, c.R, c.G, c.B);
            }
        }

        return image;
    }
}
