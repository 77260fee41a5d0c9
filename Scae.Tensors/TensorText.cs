using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Scae.Tensors;

/// <summary>
/// A tensor's elements as text: the last axis as a row, axes in brackets and, of a large tensor, the ends of each axis alone, as
/// NumPy shows arrays.
/// </summary>
internal static class TensorText
{
    // A tensor of more elements than this is shortened.
    private const int MostElements = 100;

    // How many places of a shortened axis are shown at each end.
    private const int Edge = 3;

    /// <summary>
    /// The elements in row-major order. Each row has a line; a single number has no brackets. Only what is shown is read, from
    /// its place in the storage.
    /// </summary>
    public static string Of<T>(Func<int, T> read, int[] shape, int[] strides, int offset)
        where T : IFormattable
    {
        long count = shape.Aggregate(1L, (product, size) => product * size);
        if (count == 0) return "[]";
        bool isShort = count > MostElements;
        var numbers = Shown(shape, strides, isShort, offset).Select(at => Number(read(at))).ToList();

        // The columns of a single row needn't be aligned.
        int width = shape.Length > 1 ? numbers.Select(number => number.Length).Max() : 0;
        var next = numbers.Select(number => number.PadLeft(width)).GetEnumerator();
        return Nested(shape, isShort, next, depth: 0);
    }

    private static string Number<T>(T element)
        where T : IFormattable => element.ToString(element is int ? "D" : "G6", CultureInfo.InvariantCulture);

    /// <summary>Where the elements that are shown stand, in order.</summary>
    private static IEnumerable<int> Shown(int[] shape, int[] strides, bool isShort, int offset)
    {
        IEnumerable<int> starts = [offset];
        foreach (var (size, stride) in shape.Zip(strides))
            starts = starts.SelectMany(start => Places(size, isShort).Where(place => place >= 0).Select(place => start + (place * stride)));
        return starts;
    }

    /// <summary>The places of an axis that are shown, with −1 for those that are left out.</summary>
    private static IEnumerable<int> Places(int size, bool isShort) => isShort && size > 2 * Edge
        ? [.. Enumerable.Range(0, Edge), -1, .. Enumerable.Range(size - Edge, Edge)]
        : Enumerable.Range(0, size);

    private static string Nested(ReadOnlySpan<int> shape, bool isShort, IEnumerator<string> next, int depth)
    {
        if (shape.IsEmpty)
        {
            next.MoveNext();
            return next.Current;
        }

        var parts = new List<string>();
        foreach (int place in Places(shape[0], isShort)) parts.Add(place < 0 ? "…" : Nested(shape[1..], isShort, next, depth + 1));

        // Rows stand below each other, behind the brackets that are open.
        string separator = shape.Length == 1 ? ", " : ",\n" + new string(' ', depth + 1);
        return $"[{string.Join(separator, parts)}]";
    }
}
