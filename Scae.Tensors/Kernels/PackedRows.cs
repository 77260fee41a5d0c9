using System;
using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Where the present items of many sets are when they lie one behind the other: a tensor of as many rows as there are
/// items, of which the first <see cref="Count"/> count. Which items are present may differ from replay to replay.
/// </summary>
/// <param name="sets">How many sets.</param>
/// <param name="items">Items of each, present or not.</param>
internal sealed class PackedRows(int sets, int items)
{
    private readonly int[] _starts = new int[sets + 1];
    private readonly int[] _places = new int[sets * items];

    public int Sets { get; } = sets;

    public int Items { get; } = items;

    /// <summary>Rows that count.</summary>
    public int Count => _starts[^1];

    /// <summary>The first row of each set, and the end of the last.</summary>
    public ReadOnlySpan<int> Starts => _starts;

    /// <summary>For each row that counts, in order, which of all items it is.</summary>
    public ReadOnlySpan<int> Places => _places.AsSpan(0, Count);

    public static ShapeError Refusal() =>
        ShapeError.Of("pack", "the operation doesn't know that only some rows count; packed rows go through linear, layerNorm, attention and sums of their like, others need unpack first");

    /// <summary>Elements of a packed tensor that count.</summary>
    public int Elements(Tensor packed) => Count * packed.Sizes[^1];

    /// <summary>Takes the items whose presence isn't 0.</summary>
    public void Choose<T>(ReadOnlySpan<T> presence)
        where T : unmanaged, INumberBase<T>
    {
        int count = 0;
        for (int item = 0; item < presence.Length; item++)
        {
            if (item % Items == 0) _starts[item / Items] = count;
            if (!T.IsZero(presence[item])) _places[count++] = item;
        }

        _starts[^1] = count;
    }
}
