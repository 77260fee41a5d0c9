namespace Scae.Cli.Plots;

/// <summary>Pixels in rows from the top, three bytes each: red, green, blue.</summary>
internal sealed class PixelImage
{
    public PixelImage(int width, int height)
    {
        Width = width;
        Height = height;
        Rgb = new byte[checked(width * height * 3)];
    }

    public int Width { get; }

    public int Height { get; }

    public byte[] Rgb { get; }

    public void Set(int x, int y, byte r, byte g, byte b)
    {
        int i = (y * Width + x) * 3;
        Rgb[i] = r;
        Rgb[i + 1] = g;
        Rgb[i + 2] = b;
    }
}
