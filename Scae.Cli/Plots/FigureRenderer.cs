using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using Scae.Core.Figures;
using Scae.Tensors;
using SkiaSharp;

namespace Scae.Cli.Plots;

/// <summary>Turns figures into PNG, SVG and GIF.</summary>
internal static partial class FigureRenderer
{
    // PLINQ allows no more.
    private const int MostWorkers = 512;

    /// <summary>Writes a PNG of scale pixels per logical pixel.</summary>
    public static void RenderPng(Figure figure, Stream stream, double scale = 2)
    {
        DrawingLibrary.Use(() =>
        {
            var picture = new FigurePicture(figure);
            using SKSurface surface = Surface(picture, Size(picture.Width, picture.Height, scale), scale);
            using SKPixmap pixels = surface.PeekPixels();
            if (!pixels.Encode(stream, new SKPngEncoderOptions(SKPngEncoderFilterFlags.None, 6)))
                throw new IOException($"a picture of {pixels.Width} by {pixels.Height} pixels can't be made a PNG");
        });
    }

    /// <summary>Writes an SVG in UTF-8.</summary>
    public static void RenderSvg(Figure figure, Stream stream)
    {
        using var svg = new MemoryStream();
        DrawingLibrary.Use(() =>
        {
            var picture = new FigurePicture(figure);
            using SKCanvas canvas = SKSvgCanvas.Create(new SKRect(0, 0, picture.Width, picture.Height), svg);
            canvas.Clear(SKColors.White);
            picture.Draw(canvas);
        });
        stream.Write(Encoding.UTF8.GetBytes(Mended(Encoding.UTF8.GetString(svg.GetBuffer(), 0, (int)svg.Length))));
    }

    /// <summary>Writes an animated GIF that repeats for ever; frames of different sizes share the largest one.</summary>
    public static void RenderGif(Animation animation, Stream stream, double scale = 1) => DrawingLibrary.Use(() =>
    {
        // A figure that is laid out is large. So each is laid out once for its size and once more to be drawn, and none is kept.
        var sizes = animation.Frames.AsParallel().WithDegreeOfParallelism(Math.Min(Parallelism.Threads, MostWorkers)).Select(SizeOf).ToList();
        int width = sizes.Select(pair => pair.Width).DefaultIfEmpty(1).Max();
        int height = sizes.Select(pair => pair.Height).DefaultIfEmpty(1).Max();
        var size = Size(width, height, scale);
        GifWriter.Write(
            sizes.Count,
            size.Width,
            size.Height,
            (i, image) => Draw(new FigurePicture(animation.Frames[i]), size, scale, image),
            i => Hundredths(i == sizes.Count - 1 ? animation.Hold : animation.Delay),
            stream);

        static (int Width, int Height) SizeOf(Figure frame)
        {
            var picture = new FigurePicture(frame);
            return (picture.Width, picture.Height);
        }
    });

    private static SKImageInfo Size(int width, int height, double scale) =>
        new((int)Math.Ceiling(width * scale), (int)Math.Ceiling(height * scale), SKColorType.Rgba8888, SKAlphaType.Opaque);

    private static SKSurface Surface(FigurePicture picture, SKImageInfo size, double scale)
    {
        SKSurface surface = SKSurface.Create(size) ?? throw new IOException($"the memory has no room for a picture of {size.Width} by {size.Height} pixels");
        surface.Canvas.Clear(SKColors.White);
        surface.Canvas.Scale((float)scale);
        picture.Draw(surface.Canvas);
        return surface;
    }

    /// <summary>The pixels of a figure on a canvas that may be larger.</summary>
    public static PixelImage Pixels(FigurePicture picture, int width, int height, double scale)
    {
        var size = Size(width, height, scale);
        var image = new PixelImage(size.Width, size.Height);
        Draw(picture, size, scale, image);
        return image;
    }

    private static void Draw(FigurePicture picture, SKImageInfo size, double scale, PixelImage image)
    {
        using SKSurface surface = Surface(picture, size, scale);
        using SKPixmap pixels = surface.PeekPixels();
        ReadOnlySpan<byte> rgba = pixels.GetPixelSpan();
        for (int i = 0, j = 0; j < image.Rgb.Length; i += 4, j += 3)
            rgba.Slice(i, 3).CopyTo(image.Rgb.AsSpan(j));
    }

    /// <summary>
    /// Skia's SVG with four repairs. Lists of positions lose their trailing comma, because of which Firefox ignores them
    /// and puts texts at the left edge (ScottPlot's issue 5246). Readers without the typeface get a similar one. The pixels
    /// of images keep hard edges. Clips are renumbered, because Skia counts them on from one picture to the next.
    /// </summary>
    private static string Mended(string svg)
    {
        var clips = new Dictionary<string, string>();
        svg = Clips().Replace(svg, clip => clips.TryGetValue(clip.Value, out string? name) ? name : clips[clip.Value] = $"clip{clips.Count}");
        svg = Families().Replace(svg, "font-family=\"Inter, Helvetica, Arial, sans-serif\"");
        return Lists().Replace(svg, "$1\"").Replace("<image ", "<image style=\"image-rendering:pixelated\" ", StringComparison.Ordinal);
    }

    [GeneratedRegex("""( [xy]="[^"]*?), ?"(?=[ />])""")]
    private static partial Regex Lists();

    [GeneratedRegex("(?<=[\"#])cl_[0-9a-f]+")]
    private static partial Regex Clips();

    [GeneratedRegex("font-family=\"Inter[^\"]*\"")]
    private static partial Regex Families();

    /// <summary>Programs show delays below two hundredths of a second as a tenth, so 2 is the least delay.</summary>
    private static int Hundredths(double seconds) =>
        double.IsFinite(seconds) ? (int)Math.Clamp(Math.Round(seconds * 100), 2, 65535) : 10;
}
