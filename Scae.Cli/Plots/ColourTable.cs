using System;
using System.Collections.Generic;
using System.Linq;

namespace Scae.Cli.Plots;

/// <summary>
/// At most 255 colours for many pictures, found by median cut (Heckbert 1982) over all their pixels. Colours are counted in
/// 65,536 cells of 5, 6 and 5 bits. A table entry is the mean of the exact colours in its cells, so flat areas, which make
/// up most of a figure, keep their colour.
/// </summary>
internal sealed class ColourTable
{
    /// <summary>The index that means "as in the frame before".</summary>
    public const byte Transparent = 255;

    private const int Limit = 255;

    private readonly byte[] _entryOfCell = new byte[65536];

    private ColourTable(byte[] rgb) => Rgb = rgb;

    /// <summary>256 colours of three bytes; those not used are black.</summary>
    public byte[] Rgb { get; }

    /// <summary>The cell of a colour.</summary>
    public static ushort Cell(byte r, byte g, byte b) => (ushort)(((r >> 3) << 11) | ((g >> 2) << 5) | (b >> 3));

    /// <summary>The entry for a cell that occurred in the histogram.</summary>
    public byte Entry(ushort cell) => _entryOfCell[cell];

    public static ColourTable Make(ColourHistogram histogram)
    {
        List<Box> boxes = [new Box(histogram, histogram.Occupied())];
        while (boxes.Count < Limit)
        {
            // The box with the widest spread is split first; how many pixels it has counts, too, but less.
            Box? widest = boxes.Where(box => box.Cells.Length > 1).MaxBy(box => box.Priority);
            if (widest is null)
                break;
            boxes.Remove(widest);
            boxes.AddRange(widest.Split());
        }

        var table = new ColourTable(new byte[256 * 3]);
        for (int i = 0; i < boxes.Count; i++)
        {
            boxes[i].Mean.CopyTo(table.Rgb.AsSpan(3 * i));
            foreach (ushort cell in boxes[i].Cells)
                table._entryOfCell[cell] = (byte)i;
        }

        return table;
    }

    /// <summary>A set of cells that will share one colour.</summary>
    private sealed class Box
    {
        private readonly ColourHistogram _histogram;
        private readonly int _axis;

        public Box(ColourHistogram histogram, ushort[] cells)
        {
            _histogram = histogram;
            Cells = cells;
            Span<long> sums = stackalloc long[3];
            Span<double> squares = stackalloc double[3];
            long count = 0;
            foreach (ushort cell in cells)
            {
                long n = histogram.Count(cell);
                count += n;
                for (int c = 0; c < 3; c++)
                {
                    sums[c] += histogram.Sum(cell, c);
                    double mean = (double)histogram.Sum(cell, c) / n;
                    squares[c] += mean * mean * Math.Sqrt(n);
                }
            }

            Mean = new byte[3];
            double widest = -1, weight = cells.Sum(cell => Math.Sqrt(histogram.Count(cell)));
            for (int c = 0; c < 3 && count > 0; c++)
            {
                Mean[c] = (byte)((sums[c] + count / 2) / count);
                double first = cells.Sum(cell => (double)histogram.Sum(cell, c) / histogram.Count(cell) * Math.Sqrt(histogram.Count(cell)));
                double spread = squares[c] - first * first / weight;
                if (spread > widest)
                    (widest, _axis) = (spread, c);
            }

            Priority = widest;
        }

        public ushort[] Cells { get; }

        public byte[] Mean { get; }

        public double Priority { get; }

        /// <summary>Two boxes with about half of the weight each, cut along the channel that spreads most.</summary>
        public Box[] Split()
        {
            ushort[] sorted = [.. Cells.OrderBy(cell => (double)_histogram.Sum(cell, _axis) / _histogram.Count(cell)).ThenBy(cell => cell)];
            double total = sorted.Sum(cell => Math.Sqrt(_histogram.Count(cell))), sum = 0;
            int cut = 0;
            while (cut < sorted.Length - 1 && (cut == 0 || sum < total / 2))
                sum += Math.Sqrt(_histogram.Count(sorted[cut++]));
            return [new Box(_histogram, sorted[..cut]), new Box(_histogram, sorted[cut..])];
        }
    }
}
