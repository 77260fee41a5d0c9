using System;
using System.IO;
using System.Linq;
using System.Text;
using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>Turns figures into PNG, SVG and GIF.</summary>
internal static class FigureRenderer
{
    /// <summary>Writes a PNG of scale pixels per logical pixel.</summary>
    public static void RenderPng(Figure figure, Stream stream, double scale = 2) =>
        PngWriter.Write(Rasterise(figure, scale), stream);

    /// <summary>Writes an SVG in UTF-8.</summary>
    public static void RenderSvg(Figure figure, Stream stream)
    {
        var layout = new FigureLayout(figure);
        var canvas = new SvgCanvas(layout.Width, layout.Height);
        layout.Draw(canvas);
        stream.Write(new UTF8Encoding(encoderShouldEmitUTF8Identifier: false).GetBytes(canvas.Document()));
    }

    /// <summary>Writes an animated GIF that repeats for ever; frames of different sizes share the largest one.</summary>
    public static void RenderGif(Animation animation, Stream stream, double scale = 1)
    {
        FigureLayout[] layouts = Array.ConvertAll(animation.Frames, frame => new FigureLayout(frame));
        double width = layouts.Select(layout => layout.Width).DefaultIfEmpty(1).Max();
        double height = layouts.Select(layout => layout.Height).DefaultIfEmpty(1).Max();
        GifWriter.Write(
            layouts.Length,
            i => Rasterise(layouts[i], width, height, scale),
            i => Hundredths(i == layouts.Length - 1 ? animation.Hold : animation.Delay),
            stream);
    }

    /// <summary>The pixels of a figure.</summary>
    public static PixelImage Rasterise(Figure figure, double scale)
    {
        var layout = new FigureLayout(figure);
        return Rasterise(layout, layout.Width, layout.Height, scale);
    }

    private static PixelImage Rasterise(FigureLayout layout, double width, double height, double scale)
    {
        var canvas = new RasterCanvas(width, height, scale);
        layout.Draw(canvas);
        return canvas.Raster.Image;
    }

    /// <summary>Programs show delays below two hundredths of a second as a tenth: 2 is the least that is kept.</summary>
    private static int Hundredths(double seconds) =>
        double.IsFinite(seconds) ? (int)Math.Clamp(Math.Round(seconds * 100), 2, 65535) : 10;
}
