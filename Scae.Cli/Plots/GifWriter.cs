using System;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Scae.Tensors;

namespace Scae.Cli.Plots;

/// <summary>
/// Writes an animated GIF (GIF89a) that repeats for ever. All frames share one table of colours. Each frame after the first
/// holds only the rectangle that changed, in which unchanged pixels are transparent. It is written here because Skia reads
/// GIF but doesn't write it.
/// </summary>
internal static class GifWriter
{
    /// <summary>
    /// Writes count frames of width × height pixels. draw(i, image) is called once for each frame, on several threads at a
    /// time, and must write every pixel of the image. Delays are in hundredths of a second.
    /// </summary>
    public static void Write(int count, int width, int height, Action<int, PixelImage> draw, Func<int, int> delay, Stream stream)
    {
        if (count == 0)
            throw new ArgumentException("an animation needs at least one frame, got none", nameof(count));
        // Each worker draws every n-th frame, with buffers of its own.
        int workers = Math.Min(count, Parallelism.Threads);
        ushort[][] cells = Buffers<ushort>(), before = Buffers<ushort>();
        var frames = new CellRuns[count];
        var histogram = new ColourHistogram();
        Parallel.For(0, workers, worker =>
        {
            var colours = new ColourHistogram();
            var image = new PixelImage(width, height);
            for (int i = worker; i < count; i += workers)
            {
                draw(i, image);
                colours.Add(image, cells[worker]);
                frames[i] = new CellRuns(cells[worker]);
            }

            lock (histogram)
                histogram.Merge(colours);
        });

        ColourTable table = ColourTable.Make(histogram);
        byte[][] indices = Buffers<byte>();
        var blocks = new byte[count][];
        Parallel.For(0, workers, worker =>
        {
            for (int i = worker; i < count; i += workers)
            {
                frames[i].CopyTo(cells[worker]);
                if (i > 0)
                    frames[i - 1].CopyTo(before[worker]);
                blocks[i] = Frame(cells[worker], i == 0 ? null : before[worker], width, height, delay(i), table, indices[worker]);
            }
        });

        stream.Write("GIF89a"u8);
        WriteShort(stream, width);
        WriteShort(stream, height);
        stream.Write([0xF7, 0, 0]); // 256 colours follow; background 0; square pixels
        stream.Write(table.Rgb);
        stream.Write([0x21, 0xFF, 11, .. "NETSCAPE2.0"u8, 3, 1, 0, 0, 0]); // repeat for ever
        foreach (byte[] block in blocks)
            stream.Write(block);
        stream.WriteByte(0x3B);

        T[][] Buffers<T>() => [.. Enumerable.Range(0, workers).Select(_ => new T[width * height])];
    }

    private static byte[] Frame(ushort[] cells, ushort[]? before, int width, int height, int delay, ColourTable table, byte[] buffer)
    {
        ClipBox box = before is null ? new ClipBox(0, 0, width, height) : Changed(cells, before, width, height);
        Span<byte> indices = buffer.AsSpan(0, (box.X1 - box.X0) * (box.Y1 - box.Y0));
        for (int y = box.Y0, i = 0; y < box.Y1; y++)
        {
            for (int x = box.X0; x < box.X1; x++, i++)
            {
                int at = y * width + x;
                byte entry = table.Entry(cells[at]);
                indices[i] = before is not null && table.Entry(before[at]) == entry ? ColourTable.Transparent : entry;
            }
        }

        var block = new MemoryStream();
        block.Write([0x21, 0xF9, 4, 0x05]); // keep the picture below; one index is transparent
        WriteShort(block, delay);
        block.Write([ColourTable.Transparent, 0, 0x2C]);
        WriteShort(block, box.X0);
        WriteShort(block, box.Y0);
        WriteShort(block, box.X1 - box.X0);
        WriteShort(block, box.Y1 - box.Y0);
        block.WriteByte(0);
        new LzwEncoder(block).Write(indices);
        return block.ToArray();
    }

    /// <summary>The smallest box around the cells that differ; a single pixel if none does.</summary>
    private static ClipBox Changed(ushort[] now, ushort[] before, int width, int height)
    {
        int x0 = width, x1 = 0, y0 = height, y1 = 0;
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<ushort> a = now.AsSpan(y * width, width), b = before.AsSpan(y * width, width);
            int first = a.CommonPrefixLength(b);
            if (first == width)
                continue;
            int last = width - 1;
            while (a[last] == b[last])
                last--;
            (x0, x1) = (Math.Min(x0, first), Math.Max(x1, last + 1));
            (y0, y1) = (Math.Min(y0, y), y + 1);
        }

        return x1 == 0 ? new ClipBox(0, 0, 1, 1) : new ClipBox(x0, y0, x1, y1);
    }

    private static void WriteShort(Stream stream, int value)
    {
        stream.WriteByte((byte)value);
        stream.WriteByte((byte)(value >> 8));
    }
}
