namespace Scae.Tensors.Kernels;

/// <summary>Cuts ranges into parts for the threads there are. Where it is cut changes no bits.</summary>
internal static class Sharing
{
    /// <summary>
    /// Elements from which an operation of a few instructions each is shared: one thread takes 6 µs for them, and waking
    /// another takes 1 while it looks for work, 10 when it sleeps.
    /// </summary>
    public const int ManyElements = 1 << 15;

    /// <summary>Elements from which an elementary function is shared, which takes about ten times as long.</summary>
    public const int ManyFunctions = 1 << 13;

    /// <summary>Does a range of the given length, in parts of whole grains where it is long.</summary>
    public static void Run<TRange>(in TRange range, int length, bool isLong, int grain = 1)
        where TRange : struct, IRange
    {
        int grains = (int)(((long)length + grain - 1) / grain);
        if (!isLong || grains < 2 || Parallelism.Threads == 1)
        {
            range.Run(0, length);
            return;
        }

        // Twice as many parts as threads: a thread that the machine holds up delays the others by half as much.
        int parts = int.Min(grains, int.Min(2 * Parallelism.Threads, WorkerPool.MaxParts));
        var job = new Parts<TRange>(range, length, grain, grains, parts);
        WorkerPool.Run(ref job, parts);
    }

    private readonly struct Parts<TRange>(TRange range, int length, int grain, int grains, int parts) : IParallelJob
        where TRange : struct, IRange
    {
        public void Run(int part)
        {
            int from = (int)((long)grains * part / parts * grain), to = (int)long.Min(length, (long)grains * (part + 1) / parts * grain);
            range.Run(from, to);
        }
    }
}
