using System;
using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>An opaque picture in 8-bit RGB on which shapes are blended.</summary>
internal sealed class Raster
{
    public Raster(int width, int height)
    {
        Image = new PixelImage(width, height);
        Array.Fill(Image.Rgb, (byte)255);
    }

    public PixelImage Image { get; }

    public int Width => Image.Width;

    public int Height => Image.Height;

    /// <summary>Blends a colour over the picture where the shape covers it.</summary>
    public void Blend(Coverage shape, Colour colour, double opacity = 1)
    {
        float alpha = (float)(opacity * colour.A / 255.0);
        ClipBox box = shape.Box;
        for (int y = box.Y0; y < box.Y1; y++)
        {
            ReadOnlySpan<float> row = shape.Row(y);
            Span<byte> target = Image.Rgb.AsSpan((y * Width + box.X0) * 3, row.Length * 3);
            for (int x = 0; x < row.Length; x++)
            {
                if (row[x] > 0)
                    BlendPixel(target.Slice(3 * x, 3), colour, row[x] * alpha);
            }
        }
    }

    /// <summary>Blends one pixel; alpha in [0, 1].</summary>
    public void Blend(int x, int y, Colour colour, float alpha) =>
        BlendPixel(Image.Rgb.AsSpan((y * Width + x) * 3, 3), colour, alpha);

    private static void BlendPixel(Span<byte> pixel, Colour colour, float alpha)
    {
        int a = (int)(alpha * 256 + 0.5f);
        pixel[0] = (byte)(pixel[0] + (((colour.R - pixel[0]) * a + 128) >> 8));
        pixel[1] = (byte)(pixel[1] + (((colour.G - pixel[1]) * a + 128) >> 8));
        pixel[2] = (byte)(pixel[2] + (((colour.B - pixel[2]) * a + 128) >> 8));
    }
}
