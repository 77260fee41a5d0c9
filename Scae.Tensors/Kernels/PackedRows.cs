using System;
using System.Linq;
using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Where the present items of many sets are stored when they lie one behind the other. The packed tensor has as many rows
/// as there are items, but only the first <see cref="Count"/> are valid. Which items are present may differ from replay to
/// replay.
/// </summary>
/// <param name="sets">How many sets.</param>
/// <param name="items">How many items each set has, present or not.</param>
internal sealed class PackedRows(int sets, int items)
{
    private readonly int[] _starts = new int[sets + 1];
    private readonly int[] _places = new int[sets * items];

    public int Sets { get; } = sets;

    public int Items { get; } = items;

    /// <summary>How many rows are valid.</summary>
    public int Count => _starts[^1];

    /// <summary>The first row of each set, and at the end <see cref="Count"/>.</summary>
    public ReadOnlySpan<int> Starts => _starts;

    /// <summary>For each valid row, in order, the number of its item among the items of all sets.</summary>
    public ReadOnlySpan<int> Places => _places.AsSpan(0, Count);

    /// <summary>The error for an operation on these tensors, some of which are packed.</summary>
    public static ShapeError Refusal(params Tensor[] inputs) =>
        ShapeError.Of("pack", $"the operation on {string.Join(" and ", inputs.Select(Named))} doesn't know that only some rows count; packed rows go through linear, layerNorm, attention and sums of their like (of one and the same packing), others need unpack first");

    private static string Named(Tensor input) => (input.Packed is null ? string.Empty : "packed ") + Shape.Text(input.Sizes);

    /// <summary>How many elements of a packed tensor are valid.</summary>
    public int Elements(Tensor packed) => Count * packed.Sizes[^1];

    /// <summary>Packs the items whose presence isn't 0.</summary>
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
