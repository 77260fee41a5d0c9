using System;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <summary>How many threads the kernels may use. Results are the same to the bit for any number.</summary>
public static class Parallelism
{
    private const int Most = 1024;

    private static volatile int s_threads = Math.Min(Environment.ProcessorCount, Most);

    /// <summary>Threads that take part in a large operation, the caller included; 1 to 1,024.</summary>
    /// <remarks>Starts as the number of processors. Values beyond the limits become the nearest that is allowed.</remarks>
    public static int Threads
    {
        get => s_threads;
        set => s_threads = Math.Clamp(value, 1, Most);
    }

    /// <summary>
    /// Runs parts 0 … parts − 1 of some work on up to <see cref="Threads"/> threads, and returns when all are done. A part
    /// must write nothing that another one reads or writes. If a part throws, no other part begins, and the exception is
    /// thrown once the parts that run beside it are done. With one thread, within another such call, or while one is under
    /// way, parts run one after the other. Nothing is allocated.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">parts is negative or more than 32,767.</exception>
    /// <exception cref="InvalidOperationException">A recording is under way: it wouldn't see what other threads do.</exception>
    public static void Run(int parts, Action<int> part)
    {
        ArgumentNullException.ThrowIfNull(part);
        if (Recording.IsActive) throw new InvalidOperationException("Parallelism.Run: a recording is under way, which sees only what its own thread does; use Tensor.computed around it");
        var job = new Parts(part);
        WorkerPool.Run(ref job, parts);
    }

    private readonly struct Parts(Action<int> part) : IParallelJob
    {
        public void Run(int number) => part(number);
    }
}
