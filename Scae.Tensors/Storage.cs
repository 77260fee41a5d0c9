using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Scae.Tensors;

/// <summary>
/// The elements that a tensor and all its views share. The first recording that uses them moves them to pinned memory that
/// starts at a cache line, since a 64-byte vector load that crosses lines costs twice. After that they stay where they are.
/// </summary>
internal sealed class Storage
{
    private const int CacheLine = 64;
    private Array _elements;
    private int _start;

    private Storage(Dtype dtype, Array elements, int start, int length)
    {
        Dtype = dtype;
        _elements = elements;
        _start = start;
        Length = length;
    }

    public Dtype Dtype { get; }

    public int Length { get; }

    public bool IsAligned { get; private set; }

    public static Storage Zeros(Dtype dtype, int length) => dtype switch
    {
        Dtype.Float32 => new(dtype, new float[length], 0, length),
        Dtype.Float64 => new(dtype, new double[length], 0, length),
        _ => new(dtype, new int[length], 0, length),
    };

    public static Storage Aligned(Dtype dtype, int length)
    {
        // The empty array only says what type the elements have: moving makes the room.
        var storage = Zeros(dtype, 0);
        var aligned = new Storage(dtype, storage._elements, 0, length);
        aligned.Move(copy: false);
        return aligned;
    }

    public static Storage Of(Array elements) => elements switch
    {
        float[] => new(Dtype.Float32, elements, 0, elements.Length),
        double[] => new(Dtype.Float64, elements, 0, elements.Length),

        // For the runtime an array of uint, or of an enumeration, is an array of int as well.
        int[] when elements.GetType() == typeof(int[]) => new(Dtype.Int32, elements, 0, elements.Length),
        _ => throw new ArgumentException($"a tensor holds float, double or int, not {elements.GetType().GetElementType()}"),
    };

    /// <summary>The elements from <paramref name="offset"/> on; T must be the storage's element type.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<T> Span<T>(int offset, int length)
        where T : unmanaged =>
        new(Unsafe.As<T[]>(_elements), _start + offset, length);

    /// <summary>Moves the elements to pinned memory at a cache line's start, for all views at once.</summary>
    public void Align()
    {
        if (!IsAligned) Move(copy: true);
    }

    /// <summary>Aligns this storage, an operation's working memory, if the operation's output is aligned.</summary>
    public void AlignLike(Storage other)
    {
        if (other.IsAligned) Align();
    }

    private void Move(bool copy)
    {
        switch (Dtype)
        {
            case Dtype.Float32: Move<float>(copy); break;
            case Dtype.Float64: Move<double>(copy); break;
            default: Move<int>(copy); break;
        }
    }

    private void Move<T>(bool copy)
        where T : unmanaged
    {
        int size = Unsafe.SizeOf<T>();
        T[] moved = GC.AllocateArray<T>(Length + (CacheLine / size), pinned: true);
        long address = Marshal.UnsafeAddrOfPinnedArrayElement(moved, 0);
        int start = (int)((CacheLine - (address % CacheLine)) % CacheLine) / size;
        if (copy) Span<T>(0, Length).CopyTo(moved.AsSpan(start));
        _elements = moved;
        _start = start;
        IsAligned = true;
    }
}
