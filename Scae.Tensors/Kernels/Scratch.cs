using System;
using System.Runtime.CompilerServices;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Temporary buffers of the present thread, kept between calls so that kernels allocate nothing. Each slot is one buffer: a
/// kernel that needs two at once takes two slots, and a kernel never calls another that uses the same slot.
/// </summary>
internal static class Scratch
{
    /// <summary>The slot of partial sums, which only the sum of a long span uses.</summary>
    public const int SumSlot = 8;

    /// <summary>The slot of the pieces of a long chain and their totals, which only products of matrices use.</summary>
    public const int ChainSlot = 9;

    /// <summary>The slot of the totals of long sums, see <see cref="LongSums{T}"/>.</summary>
    public const int TotalSlot = 10;

    private const int Slots = 11;
    private const int Alignment = 64;

    [ThreadStatic]
    private static byte[]? t_block;

    public static Span<T> Take<T>(int slot, int length)
        where T : unmanaged
    {
        var buffers = Buffers<T>.t_slots ??= new T[Slots][];
        if (buffers[slot] is null || buffers[slot].Length < length)
            buffers[slot] = GC.AllocateUninitializedArray<T>(Math.Max(length, 1024), pinned: true);
        return buffers[slot].AsSpan(0, length);
    }

    /// <summary>
    /// At least so many bytes from a cache line's start, with undefined contents; only products of matrices use them. The
    /// next call on the same thread hands out the same memory, so a product asks once and divides what it gets.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe byte* Rent(nint bytes)
    {
        byte[]? block = t_block;
        if (block is null || block.Length < bytes + Alignment) block = Grow(bytes);
        nint address = (nint)Unsafe.AsPointer(ref block[0]);
        return (byte*)((address + Alignment - 1) & -Alignment);
    }

    // Pinned arrays never move, so the pointer stays good for as long as the thread holds the array.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte[] Grow(nint bytes) =>
        t_block = GC.AllocateUninitializedArray<byte>(checked((int)bytes + Alignment), pinned: true);

    private static class Buffers<T>
    {
        [ThreadStatic]
        public static T[][]? t_slots;
    }
}
