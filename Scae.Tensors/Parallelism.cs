using System;
using Scae.Tensors.Kernels;

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

    /// <summary>
    /// Runs parts 0 … parts − 1 of some work on up to <see cref="Threads"/> threads, and returns when all are done. A part
    /// must write nothing that another one reads or writes. If a part throws, the exception is thrown once the parts that
    /// run beside it are done. With one thread, within another such call, or while one is under way, parts run one after
    /// the other, and the first exception ends them. Nothing is allocated.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">parts is negative or more than 32,767.</exception>
    public static void Run(int parts, Action<int> part)
    {
        ArgumentNullException.ThrowIfNull(part);
        var job = new Parts(part);
        WorkerPool.Run(ref job, parts);
    }

    private readonly struct Parts(Action<int> part) : IParallelJob
    {
        public void Run(int number) => part(number);
    }
}
