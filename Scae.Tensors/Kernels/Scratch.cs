using System;
using System.Runtime.CompilerServices;

namespace Scae.Tensors.Kernels;

/// <summary>Memory that a kernel needs while it runs: one block a thread, kept between calls, aligned to 64 bytes.</summary>
internal static unsafe class Scratch
{
    private const int Alignment = 64;

    [ThreadStatic]
    private static byte[]? t_block;

    /// <summary>
    /// At least <paramref name="bytes"/> bytes of this thread's block, contents undefined. The next call on the same
    /// thread hands out the same memory, so a kernel asks once and divides what it gets.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Rent(nint bytes)
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
}
