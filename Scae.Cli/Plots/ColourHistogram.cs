using System;
using System.Collections.Generic;

namespace Scae.Cli.Plots;

/// <summary>How many pixels fall into each cell of 5, 6 and 5 bits, and the sums of their exact colours.</summary>
internal sealed class ColourHistogram
{
    private readonly long[] _counts = new long[65536];
    private readonly long[] _sums = new long[65536 * 3];

    public long Count(ushort cell) => _counts[cell];

    public long Sum(ushort cell, int channel) => _sums[cell * 3 + channel];

    /// <summary>Counts an image and writes the cell of each of its pixels.</summary>
    public void Add(PixelImage image, Span<ushort> cells)
    {
        ReadOnlySpan<byte> rgb = image.Rgb;
        for (int i = 0; i < cells.Length; i++)
        {
            byte r = rgb[3 * i], g = rgb[3 * i + 1], b = rgb[3 * i + 2];
            ushort cell = ColourTable.Cell(r, g, b);
            cells[i] = cell;
            _counts[cell]++;
            _sums[cell * 3] += r;
            _sums[cell * 3 + 1] += g;
            _sums[cell * 3 + 2] += b;
        }
    }

    /// <summary>Adds the counts of another histogram; the order of merging makes no difference.</summary>
    public void Merge(ColourHistogram other)
    {
        for (int i = 0; i < _counts.Length; i++)
            _counts[i] += other._counts[i];
        for (int i = 0; i < _sums.Length; i++)
            _sums[i] += other._sums[i];
    }

    /// <summary>The cells that hold at least one pixel, in order.</summary>
    public ushort[] Occupied()
    {
        var cells = new List<ushort>();
        for (int i = 0; i < _counts.Length; i++)
        {
            if (_counts[i] > 0)
                cells.Add((ushort)i);
        }

        return [.. cells];
    }
}
