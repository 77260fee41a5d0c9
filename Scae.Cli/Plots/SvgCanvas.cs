using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using Scae.Core.Figures;

namespace Scae.Cli.Plots;

/// <summary>Collects the drawing as SVG 1.1 elements. Texts stay texts, in the reader's sans-serif font.</summary>
internal sealed class SvgCanvas : ICanvas
{
    // Up to this size an image becomes rectangles, which every program shows with hard edges.
    private const int RectanglePixels = 4096;

    // Fonts differ: the same text in another face should not be wider than the layout thinks.
    private const double FontSlack = 0.97;

    private readonly StringBuilder _body = new();
    private readonly StringBuilder _clips = new();
    private readonly double _width;
    private readonly double _height;
    private int _clipCount;

    public SvgCanvas(double width, double height)
    {
        _width = width;
        _height = height;
    }

    /// <summary>The whole document.</summary>
    public string Document()
    {
        string w = Number(_width), h = Number(_height);
        return "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
            + $"<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" "
            + $"width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\">\n"
            + (_clips.Length > 0 ? $"<defs>\n{_clips}</defs>\n" : "")
            + $"<rect width=\"{w}\" height=\"{h}\" fill=\"#ffffff\"/>\n"
            + "<g font-family=\"Helvetica, Arial, 'Liberation Sans', sans-serif\" stroke-linecap=\"round\" stroke-linejoin=\"round\">\n"
            + _body
            + "</g>\n</svg>\n";
    }

    public void Stroke(Point[] points, Colour colour, double width, bool dashed)
    {
        if (points.Length == 0 || width <= 0 || colour.A == 0)
            return;
        string dash = dashed ? $" stroke-dasharray=\"{Number(2.4 * width)} {Number(2.6 * width)}\"" : "";
        string name = points.Length == 2 ? Line(points[0], points[1]) : $"polyline points=\"{Path(points)}\" fill=\"none\"";
        _body.Append($"<{name}{Paint("stroke", colour)} stroke-width=\"{Number(width)}\"{dash}/>\n");
    }

    public void Fill(Point[] points, Colour colour)
    {
        if (points.Length >= 3 && colour.A > 0)
            _body.Append($"<polygon points=\"{Path(points)}\"{Paint("fill", colour)}/>\n");
    }

    public void Disc(Point centre, double radius, Colour colour)
    {
        if (colour.A > 0)
            _body.Append($"<circle cx=\"{Number(centre.X)}\" cy=\"{Number(centre.Y)}\" r=\"{Number(radius)}\"{Paint("fill", colour)}/>\n");
    }

    public void Text(TextRun run)
    {
        string x = Number(run.Anchor.X), y = Number(run.Anchor.Y);
        string anchor = run.Align switch
        {
            TextAlign.Middle => " text-anchor=\"middle\"",
            TextAlign.End => " text-anchor=\"end\"",
            _ => "",
        };
        _body.Append($"<text x=\"{x}\" y=\"{y}\" font-size=\"{Number(run.Size * FontSlack)}\"{anchor}")
            .Append(run.Bold ? " font-weight=\"bold\"" : "")
            .Append(run.Vertical ? $" transform=\"rotate(-90 {x} {y})\"" : "")
            .Append($"{Paint("fill", run.Colour)}>{Escape(run.Text)}</text>\n");
    }

    public void Image(PixelImage image, Rectangle place)
    {
        if (image.Width == 0 || image.Height == 0)
            return;
        if (image.Width * image.Height <= RectanglePixels)
        {
            Rectangles(image, place);
            return;
        }

        var png = new MemoryStream();
        PngWriter.Write(image, png);
        _body.Append($"<image x=\"{Number(place.Left)}\" y=\"{Number(place.Top)}\" width=\"{Number(place.Width)}\" ")
            .Append($"height=\"{Number(place.Height)}\" preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" ")
            .Append($"xlink:href=\"data:image/png;base64,{Convert.ToBase64String(png.ToArray())}\"/>\n");
    }

    public void PushClip(Rectangle clip)
    {
        string id = $"clip{_clipCount++}";
        _clips.Append($"<clipPath id=\"{id}\"><rect x=\"{Number(clip.Left)}\" y=\"{Number(clip.Top)}\" ")
            .Append($"width=\"{Number(clip.Width)}\" height=\"{Number(clip.Height)}\"/></clipPath>\n");
        _body.Append($"<g clip-path=\"url(#{id})\">\n");
    }

    public void PopClip() => _body.Append("</g>\n");

    /// <summary>One rectangle per run of equal pixels in a row.</summary>
    private void Rectangles(PixelImage image, Rectangle place)
    {
        double sx = place.Width / image.Width, sy = place.Height / image.Height;
        _body.Append("<g shape-rendering=\"crispEdges\">\n");
        for (int y = 0; y < image.Height; y++)
        {
            for (int x = 0, end; x < image.Width; x = end)
            {
                int rgb = Pixel(image, x, y);
                for (end = x + 1; end < image.Width && Pixel(image, end, y) == rgb;)
                    end++;
                _body.Append($"<rect x=\"{Number(place.Left + x * sx)}\" y=\"{Number(place.Top + y * sy)}\" ")
                    .Append($"width=\"{Number((end - x) * sx)}\" height=\"{Number(sy)}\" fill=\"#{rgb:x6}\"/>\n");
            }
        }

        _body.Append("</g>\n");
    }

    private static int Pixel(PixelImage image, int x, int y)
    {
        int i = (y * image.Width + x) * 3;
        return (image.Rgb[i] << 16) | (image.Rgb[i + 1] << 8) | image.Rgb[i + 2];
    }

    private static string Line(Point a, Point b) =>
        $"line x1=\"{Number(a.X)}\" y1=\"{Number(a.Y)}\" x2=\"{Number(b.X)}\" y2=\"{Number(b.Y)}\"";

    private static string Path(IEnumerable<Point> points)
    {
        var text = new StringBuilder();
        foreach (Point p in points)
            text.Append(text.Length > 0 ? " " : "").Append(Number(p.X)).Append(',').Append(Number(p.Y));
        return text.ToString();
    }

    private static string Paint(string kind, Colour colour)
    {
        string opacity = colour.A == 255 ? "" : $" {kind}-opacity=\"{Number(colour.A / 255.0)}\"";
        return $" {kind}=\"#{colour.R:x2}{colour.G:x2}{colour.B:x2}\"{opacity}";
    }

    private static string Number(double value)
    {
        string text = Math.Round(value, 2).ToString("0.##", CultureInfo.InvariantCulture);
        return text == "-0" ? "0" : text;
    }

    /// <summary>XML text; control characters, which XML can't hold, become spaces.</summary>
    private static string Escape(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            _ = c switch
            {
                '&' => result.Append("&amp;"),
                '<' => result.Append("&lt;"),
                '>' => result.Append("&gt;"),
                '"' => result.Append("&quot;"),
                < ' ' or '\ufffe' or '\uffff' => result.Append(' '),
                >= '\ud800' and <= '\udfff' => result.Append('\ufffd'),
                _ => result.Append(c),
            };
        }

        return result.ToString();
    }
}
