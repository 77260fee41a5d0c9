using System;
using System.Numerics;
using System.Numerics.Tensors;

namespace Scae.Tensors.Kernels;

/// <summary>Copies between a strided view and dense memory, axis by axis; threads share long copies.</summary>
internal static unsafe class StridedCopy
{
    // A transposition of fewer rows or columns is no faster than the plain loop.
    private const int Block = 8;

    /// <summary>Reads a view in row-major order into dense memory.</summary>
    public static void Gather<T>(ReadOnlySpan<T> source, int offset, ReadOnlySpan<int> shape, ReadOnlySpan<int> strides, Span<T> destination)
        where T : unmanaged
    {
        if (destination.IsEmpty) return;
        int* sizes = stackalloc int[shape.Length + 1], steps = stackalloc int[shape.Length + 1];
        Walk walk = Walk.Over(shape, strides, sizes, steps);
        bool isLong = destination.Length >= Sharing.ManyElements;
        fixed (T* from = source, to = destination)
        {
            T* first = from + offset;
            if (walk.IsTransposed) Sharing.Run(new Planes<T>(walk, first, to), walk.Rows / walk.Columns, isLong);
            else if (walk.Rows == 1) Sharing.Run(new Line<T>(first, walk.Step, to), walk.Inner, isLong, grain: 64);
            else Sharing.Run(new Lines<T>(walk, first, to), walk.Rows, isLong);
        }
    }

    /// <summary>Adds dense memory in row-major order to the elements of a strided view. Along an axis of stride 0 it sums.</summary>
    public static void ScatterAdd<T>(ReadOnlySpan<T> source, Span<T> destination, int offset, ReadOnlySpan<int> shape, ReadOnlySpan<int> strides)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (source.IsEmpty) return;
        if (AxisSums.AreAny(shape, strides))
        {
            // The axes of stride 0 are summed first: adding many rows one after the other would drift.
            Span<int> rest = stackalloc int[shape.Length];
            int count = 1;
            for (int axis = 0; axis < shape.Length; axis++) count *= rest[axis] = strides[axis] == 0 ? 1 : shape[axis];
            var sums = Scratch.Take<T>(5, count);
            sums.Clear();
            AxisSums.Add(source, shape, strides, sums);
            ScatterAdd(sums, destination, offset, rest, strides);
            return;
        }

        // No two elements of the view share a place in memory, so threads don't get in each other's way.
        int* sizes = stackalloc int[shape.Length + 1], steps = stackalloc int[shape.Length + 1];
        Walk walk = Walk.Over(shape, strides, sizes, steps);
        bool isLong = source.Length >= Sharing.ManyElements;
        fixed (T* from = source, to = destination)
        {
            if (walk.Rows == 1) Sharing.Run(new AddedLine<T>(from, to + offset, walk.Step), walk.Inner, isLong, grain: 64);
            else Sharing.Run(new AddedLines<T>(walk, from, to + offset), walk.Rows, isLong);
        }
    }

    /// <summary>
    /// How a view's elements are walked: axes of size one are dropped, and neighbouring axes that one step reaches are
    /// merged. At least one axis remains. Sizes and steps are stored in the caller's memory.
    /// </summary>
    private struct Walk
    {
        private int* _sizes, _steps;
        private int _axes;

        /// <summary>The last axis.</summary>
        public readonly int Inner => _sizes[_axes - 1];

        public readonly int Step => _steps[_axes - 1];

        /// <summary>Elements of the axis before the last.</summary>
        public readonly int Columns => _sizes[_axes - 2];

        /// <summary>How often the last axis is walked.</summary>
        public int Rows { get; private set; }

        /// <summary>Whether the last two axes are those of a transposed matrix.</summary>
        public readonly bool IsTransposed => _axes > 1 && _steps[_axes - 2] == 1 && Step >= Columns && Columns >= Block && Inner >= Block;

        public static Walk Over(ReadOnlySpan<int> shape, ReadOnlySpan<int> strides, int* sizes, int* steps)
        {
            Walk walk = new() { _sizes = sizes, _steps = steps, Rows = 1 };
            for (int axis = 0; axis < shape.Length; axis++)
            {
                if (shape[axis] == 1) continue;
                if (walk._axes > 0 && steps[walk._axes - 1] == (long)shape[axis] * strides[axis])
                {
                    sizes[walk._axes - 1] *= shape[axis];
                    steps[walk._axes - 1] = strides[axis];
                    continue;
                }

                (sizes[walk._axes], steps[walk._axes]) = (shape[axis], strides[axis]);
                walk._axes++;
            }

            if (walk._axes == 0) (sizes[0], steps[0], walk._axes) = (1, 1, 1);
            for (int axis = 0; axis < walk._axes - 1; axis++) walk.Rows *= sizes[axis];
            return walk;
        }

        /// <summary>The place of a row; its number along each axis but the last is written to index.</summary>
        public readonly nint Start(int row, Span<int> index)
        {
            nint at = 0;
            for (int axis = _axes - 2; axis >= 0; axis--)
            {
                index[axis] = row % _sizes[axis];
                at += (nint)index[axis] * _steps[axis];
                row /= _sizes[axis];
            }

            return at;
        }

        /// <summary>The place of the next row.</summary>
        public readonly nint Next(nint at, Span<int> index)
        {
            for (int axis = _axes - 2; axis >= 0; axis--)
            {
                at += _steps[axis];
                if (++index[axis] < _sizes[axis]) break;
                at -= (nint)_steps[axis] * _sizes[axis];
                index[axis] = 0;
            }

            return at;
        }

        /// <summary>How many numbers an index must have room for.</summary>
        public readonly int Axes => _axes;
    }

    private readonly struct Line<T>(T* source, int step, T* destination) : IRange
        where T : unmanaged
    {
        public void Run(int from, int to) => Copy(source + ((nint)from * step), step, new Span<T>(destination + from, to - from));

        public static void Copy(T* from, int step, Span<T> to)
        {
            if (step == 1) new ReadOnlySpan<T>(from, to.Length).CopyTo(to);
            else if (step == 0) to.Fill(*from);
            else
            {
                for (int i = 0; i < to.Length; i++, from += step) to[i] = *from;
            }
        }
    }

    private readonly struct Lines<T>(Walk walk, T* source, T* destination) : IRange
        where T : unmanaged
    {
        public void Run(int from, int to)
        {
            Span<int> index = stackalloc int[walk.Axes];
            nint at = walk.Start(from, index);
            int inner = walk.Inner, step = walk.Step;
            for (int row = from; row < to; row++, at = walk.Next(at, index))
                Line<T>.Copy(source + at, step, new Span<T>(destination + ((nint)row * inner), inner));
        }
    }

    /// <summary>Matrices that are transposed, one after the other.</summary>
    private readonly struct Planes<T>(Walk walk, T* source, T* destination) : IRange
        where T : unmanaged
    {
        public void Run(int from, int to)
        {
            Span<int> index = stackalloc int[walk.Axes];
            int columns = walk.Columns, inner = walk.Inner;
            for (int plane = from; plane < to; plane++)
            {
                T* first = source + walk.Start(plane * columns, index), target = destination + ((nint)plane * columns * inner);
                if (sizeof(T) == sizeof(double)) Transposition.Dense(columns, inner, (double*)first, walk.Step, (double*)target);
                else Transposition.Dense(columns, inner, (float*)first, walk.Step, (float*)target);
            }
        }
    }

    private readonly struct AddedLine<T>(T* source, T* destination, int step) : IRange
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run(int from, int to) => Add(new ReadOnlySpan<T>(source + from, to - from), destination + ((nint)from * step), step);

        public static void Add(ReadOnlySpan<T> from, T* to, int step)
        {
            if (step == 1)
            {
                TensorPrimitives.Add(new ReadOnlySpan<T>(to, from.Length), from, new Span<T>(to, from.Length));
                return;
            }

            for (int i = 0; i < from.Length; i++, to += step) *to += from[i];
        }
    }

    private readonly struct AddedLines<T>(Walk walk, T* source, T* destination) : IRange
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run(int from, int to)
        {
            Span<int> index = stackalloc int[walk.Axes];
            nint at = walk.Start(from, index);
            int inner = walk.Inner, step = walk.Step;
            for (int row = from; row < to; row++, at = walk.Next(at, index))
                AddedLine<T>.Add(new ReadOnlySpan<T>(source + ((nint)row * inner), inner), destination + at, step);
        }
    }
}
