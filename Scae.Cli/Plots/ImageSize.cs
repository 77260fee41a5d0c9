using System;
using System.Buffers.Binary;

namespace Scae.Cli.Plots;

/// <summary>Width and height in pixels of the files that this program draws, from their first bytes.</summary>
internal static class ImageSize
{
    // The offsets of width and height: in PNG within the header's chunk, in GIF within the screen descriptor.
    private const int PngWidth = 16, PngHeight = 20, GifWidth = 6, GifHeight = 8;

    /// <summary>How many bytes of a file are needed.</summary>
    public const int Header = PngHeight + 4;

    public static (int Width, int Height) OfPng(ReadOnlySpan<byte> file) =>
        (BinaryPrimitives.ReadInt32BigEndian(file[PngWidth..]), BinaryPrimitives.ReadInt32BigEndian(file[PngHeight..]));

    public static (int Width, int Height) OfGif(ReadOnlySpan<byte> file) =>
        (BinaryPrimitives.ReadUInt16LittleEndian(file[GifWidth..]), BinaryPrimitives.ReadUInt16LittleEndian(file[GifHeight..]));
}
