using System;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Temporary buffers of the present thread, kept between calls so that a kernel allocates nothing. Each slot is one
/// buffer: a kernel that needs two at once takes two slots, and no kernel calls another one of the same slot.
/// </summary>
internal static class Scratch
{
    private const int Slots = 8;

    public static Span<T> Take<T>(int slot, int length)
        where T : unmanaged
    {
        var buffers = Buffers<T>.t_slots ??= new T[Slots][];
        if (buffers[slot] is null || buffers[slot].Length < length)
            buffers[slot] = GC.AllocateUninitializedArray<T>(Math.Max(length, 1024), pinned: true);
        return buffers[slot].AsSpan(0, length);
    }

    private static class Buffers<T>
    {
        [ThreadStatic]
        public static T[][]? t_slots;
    }
}
