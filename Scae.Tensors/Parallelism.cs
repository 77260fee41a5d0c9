using System;

namespace Scae.Tensors;

/// <summary>How many threads the kernels may use. Results are the same to the bit for any number.</summary>
public static class Parallelism
{
    private static volatile int s_threads = Environment.ProcessorCount;

    /// <summary>Threads that take part in a large operation, the caller included; at least 1.</summary>
    /// <remarks>Starts as the number of processors. Smaller values than 1 become 1.</remarks>
    public static int Threads
    {
        get => s_threads;
        set => s_threads = Math.Max(1, value);
    }
}
