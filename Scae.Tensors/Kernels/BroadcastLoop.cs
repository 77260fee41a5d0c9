using System;
using System.Collections.Generic;

namespace Scae.Tensors.Kernels;

/// <summary>
/// How a loop over a broadcast shape walks its operands. Axes of size one are dropped, and neighbouring axes are merged
/// where every operand allows it, so that operands of equal dense shapes become a single row.
/// </summary>
internal sealed class BroadcastLoop
{
    private readonly int[] _sizes;
    private readonly int[][] _strides;

    /// <summary>A loop over <paramref name="shape"/> with one array of strides, aligned to the shape, for each operand.</summary>
    public BroadcastLoop(ReadOnlySpan<int> shape, params int[][] strides)
    {
        var sizes = new List<int>();
        var kept = new List<int[]>();
        for (int axis = 0; axis < shape.Length; axis++)
        {
            if (shape[axis] == 1) continue;
            int[] steps = Array.ConvertAll(strides, operand => operand[axis]);
            if (sizes.Count > 0 && Merges(kept[^1], steps, shape[axis]))
            {
                sizes[^1] *= shape[axis];
                kept[^1] = steps;
            }
            else
            {
                sizes.Add(shape[axis]);
                kept.Add(steps);
            }
        }

        if (sizes.Count == 0)
        {
            sizes.Add(1);
            kept.Add(new int[strides.Length]);
        }

        _sizes = [.. sizes];
        _strides = new int[strides.Length][];
        for (int operand = 0; operand < strides.Length; operand++)
            _strides[operand] = [.. kept.ConvertAll(steps => steps[operand])];
        Rows = 1;
        for (int axis = 0; axis < _sizes.Length - 1; axis++) Rows *= _sizes[axis];
    }

    /// <summary>How many rows the loop has.</summary>
    public int Rows { get; }

    /// <summary>The length of a row.</summary>
    public int RowLength => _sizes[^1];

    /// <summary>The operand's step within a row.</summary>
    public int Step(int operand) => _strides[operand][^1];

    /// <summary>
    /// The operand's step from one row to the next; it holds for the number of rows that <see cref="RowsInStep"/> says.
    /// </summary>
    public int RowStep(int operand) => _sizes.Length > 1 ? _strides[operand][^2] : 0;

    /// <summary>How many rows, the present one included, follow each other at a distance of <see cref="RowStep"/>.</summary>
    public int RowsInStep(ReadOnlySpan<int> index) => _sizes.Length > 1 ? _sizes[^2] - index[_sizes.Length - 2] : 1;

    /// <summary>Moves on by the given number of rows, at most as many as <see cref="RowsInStep"/> says.</summary>
    public void Skip(Span<int> offsets, Span<int> index, int rows)
    {
        if (rows > 1)
        {
            for (int operand = 0; operand < offsets.Length; operand++) offsets[operand] += (rows - 1) * _strides[operand][^2];
            index[_sizes.Length - 2] += rows - 1;
        }

        Next(offsets, index);
    }

    /// <summary>Sets the operands' offsets and the counters to the row with the given number; <see cref="Next"/> advances them.</summary>
    public void Start(Span<int> offsets, Span<int> index, int row = 0)
    {
        offsets.Clear();
        index.Clear();
        for (int axis = _sizes.Length - 2; axis >= 0 && row > 0; row /= _sizes[axis--])
        {
            index[axis] = row % _sizes[axis];
            for (int operand = 0; operand < offsets.Length; operand++) offsets[operand] += _strides[operand][axis] * index[axis];
        }
    }

    /// <summary>The number of counters that <see cref="Start"/> and <see cref="Next"/> need.</summary>
    public int Counters => _sizes.Length;

    /// <summary>Moves every operand's offset to the next row.</summary>
    public void Next(Span<int> offsets, Span<int> index)
    {
        for (int axis = _sizes.Length - 2; axis >= 0; axis--)
        {
            for (int operand = 0; operand < offsets.Length; operand++) offsets[operand] += _strides[operand][axis];
            if (++index[axis] < _sizes[axis]) return;
            for (int operand = 0; operand < offsets.Length; operand++) offsets[operand] -= _strides[operand][axis] * _sizes[axis];
            index[axis] = 0;
        }
    }

    private static bool Merges(int[] outer, int[] inner, int innerSize)
    {
        for (int operand = 0; operand < outer.Length; operand++)
        {
            if (outer[operand] != inner[operand] * innerSize) return false;
        }

        return true;
    }
}
