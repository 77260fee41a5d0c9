using System;
using System.Buffers.Binary;
using System.IO;
using System.IO.Compression;
using System.Numerics;

namespace Scae.Cli.Plots;

/// <summary>Writes 8-bit RGB PNG (ISO/IEC 15948), without times or texts: equal pixels give equal bytes.</summary>
internal static class PngWriter
{
    private static readonly uint[] s_crcTable = MakeCrcTable();

    public static void Write(PixelImage image, Stream stream)
    {
        stream.Write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, image.Width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], image.Height);
        header[8] = 8; // bits per channel
        header[9] = 2; // red, green, blue
        WriteChunk(stream, "IHDR"u8, header);
        WriteChunk(stream, "IDAT"u8, Compress(image));
        WriteChunk(stream, "IEND"u8, []);
    }

    private static byte[] Compress(PixelImage image)
    {
        int stride = image.Width * 3;
        var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            byte[] zeros = new byte[stride], candidate = new byte[stride], best = new byte[stride + 1];
            for (int y = 0; y < image.Height; y++)
            {
                ReadOnlySpan<byte> row = image.Rgb.AsSpan(y * stride, stride);
                ReadOnlySpan<byte> above = y == 0 ? zeros : image.Rgb.AsSpan((y - 1) * stride, stride);
                Filter(row, above, candidate, best);
                zlib.Write(best);
            }
        }

        return packed.ToArray();
    }

    /// <summary>
    /// Chooses None, Sub or Up by the smallest sum of absolute differences, the usual heuristic; a row that repeats
    /// the one above, as most rows of a figure do, needs no comparison.
    /// </summary>
    private static void Filter(ReadOnlySpan<byte> row, ReadOnlySpan<byte> above, byte[] candidate, byte[] best)
    {
        Span<byte> chosen = best.AsSpan(1);
        best[0] = 2;
        Subtract(row, above, chosen);
        if (row.SequenceEqual(above))
            return;
        long up = Weight(chosen), plain = Weight(row);
        candidate[0] = row[0];
        candidate[1] = row[1];
        candidate[2] = row[2];
        Subtract(row[3..], row[..^3], candidate.AsSpan(3));
        long sub = Weight(candidate);
        if (sub < up && sub < plain)
        {
            best[0] = 1;
            candidate.CopyTo(chosen);
        }
        else if (plain <= up)
        {
            best[0] = 0;
            row.CopyTo(chosen);
        }
    }

    private static void Subtract(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, Span<byte> result)
    {
        int i = 0;
        for (; i + Vector<byte>.Count <= a.Length; i += Vector<byte>.Count)
            (new Vector<byte>(a[i..]) - new Vector<byte>(b[i..])).CopyTo(result[i..]);
        for (; i < a.Length; i++)
            result[i] = (byte)(a[i] - b[i]);
    }

    /// <summary>The sum of the bytes' distances from zero, where 255 is as close as 1.</summary>
    private static long Weight(ReadOnlySpan<byte> bytes)
    {
        long sum = 0;
        int i = 0;
        for (; i + Vector<byte>.Count <= bytes.Length; i += Vector<byte>.Count)
        {
            var v = new Vector<byte>(bytes[i..]);
            Vector.Widen(Vector.Min(v, Vector<byte>.Zero - v), out Vector<ushort> low, out Vector<ushort> high);
            sum += Vector.Sum(low + high);
        }

        for (; i < bytes.Length; i++)
            sum += Math.Min(bytes[i], (byte)-bytes[i]);
        return sum;
    }

    private static void WriteChunk(Stream stream, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> word = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(word, data.Length);
        stream.Write(word);
        stream.Write(type);
        stream.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(word, ~Crc(data, Crc(type, 0xFFFFFFFF)));
        stream.Write(word);
    }

    private static uint Crc(ReadOnlySpan<byte> data, uint crc)
    {
        foreach (byte b in data)
            crc = s_crcTable[(byte)(crc ^ b)] ^ (crc >> 8);
        return crc;
    }

    private static uint[] MakeCrcTable()
    {
        var table = new uint[256];
        for (uint n = 0; n < 256; n++)
        {
            uint c = n;
            for (int k = 0; k < 8; k++)
                c = (c & 1) != 0 ? 0xEDB88320 ^ (c >> 1) : c >> 1;
            table[n] = c;
        }

        return table;
    }
}
