using System;

namespace Scae.Tensors;

/// <summary>How many cores the kernels use. Results don't depend on it.</summary>
public static class Parallelism
{
    private static int s_threads = Environment.ProcessorCount;

    /// <summary>The number of threads, at least 1; every core unless set.</summary>
    public static int Threads
    {
        get => s_threads;
        set => s_threads = Math.Max(1, value);
    }
}
