namespace Scae.Tensors.Kernels;

/// <summary>Cuts ranges into parts for the threads there are. Where it is cut changes no bits.</summary>
internal static class Sharing
{
    /// <summary>
    /// How many elements make an operation of a few instructions each worth sharing: one thread takes 6 µs for them. Waking
    /// another thread takes 1 µs while it still looks for work, and 10 µs when it sleeps.
    /// </summary>
    public const int ManyElements = 1 << 15;

    /// <summary>The same for elementary functions, which take about ten times as long.</summary>
    public const int ManyFunctions = 1 << 13;

    /// <summary>Does a range of the given length. When it is long, threads share it in parts of whole grains.</summary>
    public static void Run<TRange>(in TRange range, int length, bool isLong, int grain = 1)
        where TRange : struct, IRange
    {
        int grains = (int)(((long)length + grain - 1) / grain);
        if (!isLong || grains < 2 || Parallelism.Threads == 1)
        {
            range.Run(0, length);
            return;
        }

        // Twice as many parts as threads: a thread that the machine holds up then delays the others by half as much.
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
