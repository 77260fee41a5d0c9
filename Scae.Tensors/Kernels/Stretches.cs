using System;

namespace Scae.Tensors.Kernels;

/// <summary>Copies and clears dense memory; all threads share long stretches.</summary>
internal static unsafe class Stretches
{
    // A whole number of cache lines: parts begin at a cache line where the whole does.
    private const int Grain = 256;

    /// <summary>into_i = from_i.</summary>
    public static void Copy<T>(ReadOnlySpan<T> from, Span<T> into)
        where T : unmanaged
    {
        fixed (T* source = from, target = into[..from.Length])
            Sharing.Run(new Copying<T>(source, target), from.Length, from.Length >= Sharing.ManyElements, Grain);
    }

    /// <summary>into_i = 0.</summary>
    public static void Clear<T>(Span<T> into)
        where T : unmanaged
    {
        fixed (T* target = into) Sharing.Run(new Clearing<T>(target), into.Length, into.Length >= Sharing.ManyElements, Grain);
    }

    private readonly struct Copying<T>(T* source, T* target) : IRange
        where T : unmanaged
    {
        public void Run(int from, int to) => new ReadOnlySpan<T>(source + from, to - from).CopyTo(new Span<T>(target + from, to - from));
    }

    private readonly struct Clearing<T>(T* target) : IRange
        where T : unmanaged
    {
        public void Run(int from, int to) => new Span<T>(target + from, to - from).Clear();
    }
}
