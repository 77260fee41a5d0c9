using System;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Threading;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Background threads that share the parts of a job with the caller. Dispatch takes about a microsecond and allocates
/// nothing; the thread pool's would do both worse.
/// </summary>
/// <remarks>
/// Caller and workers take the next part until none is left, so a worker that wakes late costs nothing: the caller has
/// done its parts by then. There is one job at a time. A second caller, or a job inside a job, runs its parts itself.
/// </remarks>
internal static unsafe class WorkerPool
{
    // Spinning bridges the gaps between the kernels of a training step. 1000 looks take 30 to 40 µs, as the runtime makes
    // SpinWait(1) last about 30 ns whatever the processor's pause instruction takes.
    private const int Spins = 1000;
    private const int PatientSpins = 20_000;

    // Which job (upper 32 bits), its parts (16 bits) and the next to take (16 bits): one word, so that taking a part also
    // checks that the job is still the one whose fields were read.
    private static long s_ticket;
    private static delegate*<void*, int, void> s_run;
    private static void* s_job;
    private static int s_helpers;
    private static int s_finished;
    private static Exception? s_error;
    private static int s_busy;
    private static Worker[] s_workers = [];

    /// <summary>
    /// Multiply-adds, or work that takes as long, below which one thread is faster: it takes 18 µs for 2²¹ of them, and
    /// waking a worker that sleeps takes 10 µs.
    /// </summary>
    public const long WorthSharing = 1 << 21;

    /// <summary>The most parts a job may have.</summary>
    public const int MaxParts = 0x7FFF;

    /// <summary>
    /// Runs parts 0 … parts − 1 of the job, on up to <see cref="Parallelism.Threads"/> threads, and returns when all are done.
    /// </summary>
    /// <remarks>
    /// Parts run on a copy of the job, which all threads share. If a part throws, no other part begins, and the first
    /// exception is thrown here once the parts under way are done. With one thread, or within another job, parts run in order
    /// on the job itself.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">parts is negative or more than <see cref="MaxParts"/>.</exception>
    public static void Run<TJob>(ref TJob job, int parts)
        where TJob : struct, IParallelJob
    {
        if (parts is < 0 or > MaxParts) throw new ArgumentOutOfRangeException(nameof(parts), parts, $"must be 0 to {MaxParts}");
        int threads = Parallelism.Threads;
        if (int.Min(threads, parts) <= 1 || Interlocked.CompareExchange(ref s_busy, 1, 0) != 0)
        {
            for (int part = 0; part < parts; part++) job.Run(part);
            return;
        }

        try
        {
            Share(ref job, parts, threads);
        }
        finally
        {
            Volatile.Write(ref s_busy, 0);
        }
    }

    /// <summary>
    /// The same, but on this thread alone when the job is too short for another to help, and with any number of parts.
    /// </summary>
    /// <param name="job">The job.</param>
    /// <param name="parts">Its parts.</param>
    /// <param name="work">Multiply-adds, or what takes as long.</param>
    public static void Run<TJob>(ref TJob job, int parts, long work)
        where TJob : struct, IParallelJob
    {
        if (work >= WorthSharing && parts <= MaxParts)
        {
            Run(ref job, parts);
            return;
        }

        Sharing.Run(new Each<TJob>(job), parts, work >= WorthSharing);
    }

    /// <summary>A job's parts as a range.</summary>
    private readonly struct Each<TJob>(TJob job) : IRange
        where TJob : struct, IParallelJob
    {
        public void Run(int from, int to)
        {
            var own = job;
            for (int part = from; part < to; part++) own.Run(part);
        }
    }

    private static void Share<TJob>(ref TJob job, int parts, int threads)
        where TJob : struct, IParallelJob
    {
        int helpers = int.Min(threads, parts) - 1;

        // A local lives on the stack and doesn't move, which a reference into an object might.
        TJob copy = job;
        if (s_workers.Length < helpers) Hire(helpers);
        s_run = &RunPart<TJob>;
        s_job = Unsafe.AsPointer(ref copy);
        s_helpers = threads - 1;
        s_finished = 0;
        s_error = null;
        long ticket = ((s_ticket >> 32) + 1) << 32 | (long)parts << 16;
        Interlocked.Exchange(ref s_ticket, ticket);
        for (int i = 0; i < helpers; i++) s_workers[i].WakeIfAsleep();

        TakeParts(0);
        AwaitParts(parts);
        job = copy;
        if (s_error is { } error)
        {
            s_error = null;
            ExceptionDispatchInfo.Throw(error);
        }
    }

    private static void RunPart<TJob>(void* job, int part)
        where TJob : struct, IParallelJob => Unsafe.AsRef<TJob>(job).Run(part);

    /// <summary>
    /// Takes parts of the current job until none is left; false when there was none to begin with. The caller is number 0.
    /// Workers whose number is too high, hired when more threads were allowed, take none.
    /// </summary>
    private static bool TakeParts(int number)
    {
        bool any = false;
        while (true)
        {
            long ticket = Volatile.Read(ref s_ticket);
            int part = (int)(ticket & 0xFFFF), parts = (int)(ticket >> 16 & 0xFFFF);
            if (part >= parts) return any;

            // The number of helpers belongs to the ticket that was read, as the job's other fields do; otherwise taking a
            // part fails below. Once a ticket is over, it doesn't matter who takes no parts of it.
            if (number > s_helpers) return any;
            delegate*<void*, int, void> run = s_run;
            void* job = s_job;
            if (Interlocked.CompareExchange(ref s_ticket, ticket + 1, ticket) != ticket) continue;
            any = true;
            try
            {
                // After an exception the parts that are left only count as done.
                if (Volatile.Read(ref s_error) is null) run(job, part);
            }
            catch (Exception error)
            {
                Interlocked.CompareExchange(ref s_error, error, null);
            }

            Interlocked.Increment(ref s_finished);
        }
    }

    // Other threads are at most one part behind. Giving up the processor at once would cost a time slice of milliseconds on a
    // busy machine, so it spins for some 600 µs first.
    private static void AwaitParts(int parts)
    {
        for (int spin = 0; spin < PatientSpins; spin++)
        {
            if (Volatile.Read(ref s_finished) == parts) return;
            Thread.SpinWait(1);
        }

        SpinWait wait = default;
        while (Volatile.Read(ref s_finished) < parts) wait.SpinOnce(sleep1Threshold: -1);
    }

    private static void Hire(int count)
    {
        Worker[] workers = new Worker[count];
        s_workers.CopyTo(workers, 0);
        for (int i = s_workers.Length; i < count; i++) workers[i] = new Worker(i + 1);
        s_workers = workers;
    }

    /// <summary>A thread that takes parts, spins for a moment when there are none, and then sleeps.</summary>
    private sealed class Worker
    {
        private readonly AutoResetEvent _wake = new(false);
        private readonly int _number;
        private int _asleep;

        public Worker(int number)
        {
            _number = number;

            // A background thread doesn't keep the process alive.
            new Thread(Loop) { IsBackground = true, Name = $"Scae worker {number}" }.Start();
        }

        public void WakeIfAsleep()
        {
            // Waking takes the caller 10 µs (a lock with Pulse takes 20, and a SemaphoreSlim wakes later).
            if (Volatile.Read(ref _asleep) != 0 && Interlocked.Exchange(ref _asleep, 0) != 0) _wake.Set();
        }

        private void Loop()
        {
            while (true)
            {
                for (int spin = 0; spin < Spins; spin++)
                {
                    if (TakeParts(_number)) spin = 0;
                    Thread.SpinWait(1);
                }

                // First say so, then look again: a job that came in between either sees the flag or is seen here.
                Interlocked.Exchange(ref _asleep, 1);
                if (TakeParts(_number) && Interlocked.Exchange(ref _asleep, 0) != 0) continue;
                _wake.WaitOne();
            }
        }
    }
}
