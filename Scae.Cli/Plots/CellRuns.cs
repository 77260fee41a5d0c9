using System;
using System.Collections.Generic;

namespace Scae.Cli.Plots;

/// <summary>
/// The colour cells of a frame, stored as runs of equal ones. All frames of an animation are kept until their common
/// colours are known. Most of a figure is blank paper, so runs take a tenth of the room.
/// </summary>
internal sealed class CellRuns
{
    // The cell in the upper half, the length of the run in the lower.
    private readonly uint[] _runs;

    public CellRuns(ReadOnlySpan<ushort> cells)
    {
        var runs = new List<uint>();
        for (int i = 0; i < cells.Length;)
        {
            var rest = cells.Slice(i, Math.Min(cells.Length - i, ushort.MaxValue));
            int length = rest.IndexOfAnyExcept(cells[i]);
            if (length < 0)
                length = rest.Length;
            runs.Add(((uint)cells[i] << 16) | (uint)length);
            i += length;
        }

        _runs = [.. runs];
    }

    /// <summary>Writes the cells in order.</summary>
    public void CopyTo(Span<ushort> cells)
    {
        foreach (uint run in _runs)
        {
            int length = (ushort)run;
            cells[..length].Fill((ushort)(run >> 16));
            cells = cells[length..];
        }
    }
}
