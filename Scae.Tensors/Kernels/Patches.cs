using System;
using System.Numerics;
using System.Numerics.Tensors;

namespace Scae.Tensors.Kernels;

/// <summary>Images as columns of patches, and back.</summary>
internal static class Patches
{
    /// <summary>
    /// Every window's pixels as a column, channel by channel: [.., h, w] → [.., kh·kw, places]. The length of
    /// <paramref name="columns"/> says how many channels there are.
    /// </summary>
    public static void ToColumns<T>(Window window, ReadOnlySpan<T> image, Span<T> columns, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var line = default(Line);
        for (int at = 0; at < columns.Length; at += window.Columns, line.Next(window))
        {
            var target = columns.Slice(at, window.Columns);
            var (start, length) = line.Row(window);
            var row = image.Slice(start, length);
            int first = line.First(window);
            var (from, to) = Inside(first, window.Stride, row.Length, target.Length);
            var inside = target[from..to];
            if (!accumulate)
            {
                target[..from].Clear();
                target[to..].Clear();
            }

            if (from == to) continue;
            var seen = row[(first + (from * window.Stride))..];
            if (window.Stride == 1)
            {
                // Neighbours stay neighbours: the part of the row that the line sees moves as a whole.
                if (accumulate) TensorPrimitives.Add(inside, seen[..inside.Length], inside);
                else seen[..inside.Length].CopyTo(inside);
            }
            else if (accumulate)
            {
                for (int i = 0; i < inside.Length; i++) inside[i] += seen[i * window.Stride];
            }
            else
            {
                for (int i = 0; i < inside.Length; i++) inside[i] = seen[i * window.Stride];
            }
        }
    }

    /// <summary>Adds columns to the pixels of their windows: the transpose of <see cref="ToColumns"/>.</summary>
    public static void AddToImage<T>(Window window, ReadOnlySpan<T> columns, Span<T> image)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var line = default(Line);
        for (int at = 0; at < columns.Length; at += window.Columns, line.Next(window))
        {
            var from = columns.Slice(at, window.Columns);
            var (start, length) = line.Row(window);
            var row = image.Slice(start, length);
            int first = line.First(window);
            var (low, high) = Inside(first, window.Stride, row.Length, from.Length);
            if (low == high) continue;
            var inside = from[low..high];
            var seen = row[(first + (low * window.Stride))..];
            if (window.Stride == 1)
            {
                TensorPrimitives.Add(seen[..inside.Length], inside, seen);
                continue;
            }

            for (int i = 0; i < inside.Length; i++) seen[i * window.Stride] += inside[i];
        }
    }

    /// <summary>
    /// Which of so many windows have their pixel within a row of the given length, when the first window's pixel is
    /// `first`.
    /// </summary>
    private static (int From, int To) Inside(int first, int stride, int length, int windows)
    {
        int from = Math.Clamp((stride - 1 - first) / stride, 0, windows);
        return (from, Math.Clamp((length - first + stride - 1) / stride, from, windows));
    }

    /// <summary>
    /// A line of the columns: what one place of the kernel sees while the window moves along a row. Its coordinates are
    /// counted up: computing them from the line's number by division took longer than moving the line.
    /// </summary>
    private struct Line
    {
        private int _v;
        private int _kernelX;
        private int _kernelY;
        private int _plane;

        public void Next(Window window)
        {
            if (++_v < window.Rows) return;
            _v = 0;
            if (++_kernelX < window.KernelWidth) return;
            _kernelX = 0;
            if (++_kernelY < window.KernelHeight) return;
            _kernelY = 0;
            _plane++;
        }

        /// <summary>Where the row that is seen begins in the images, and its length; length 0 where it is outside.</summary>
        public readonly (int Start, int Length) Row(Window window)
        {
            int y = (_v * window.Stride) - window.Padding + _kernelY;
            return (uint)y < (uint)window.Height ? (((_plane * window.Height) + y) * window.Width, window.Width) : (0, 0);
        }

        /// <summary>The pixel of that row which the first window sees.</summary>
        public readonly int First(Window window) => _kernelX - window.Padding;
    }
}
