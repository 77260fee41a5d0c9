using System.Threading;

namespace Scae.Tensors.Kernels;

/// <summary>Work that falls into independent parts.</summary>
internal interface IParallelJob
{
    /// <summary>Does the part-th of so many parts.</summary>
    void Run(int part, int parts);
}

/// <summary>
/// Threads that wait for parts of a kernel. The caller does the first part itself. Only one kernel at a time uses the
/// pool: a second caller, or one inside a part, does all its parts alone, with the same result. Nothing is allocated.
/// </summary>
internal static class WorkerPool
{
    // A training step hands out work every few tens of microseconds; sleeping in between would cost as much again.
    private const int SpinsBeforeSleep = 2000;

    private static readonly Lock s_busy = new();
    private static Worker[] s_workers = [];

    /// <summary>Runs every part of a job, and returns when all are done.</summary>
    public static void Run<TJob>(ref TJob job, int parts)
        where TJob : struct, IParallelJob
    {
        if (parts > 1 && !s_busy.IsHeldByCurrentThread && s_busy.TryEnter())
        {
            try
            {
                Share(ref job, parts);
            }
            finally
            {
                s_busy.Exit();
            }

            return;
        }

        for (int part = 0; part < parts; part++) job.Run(part, parts);
    }

    private static void Share<TJob>(ref TJob job, int parts)
        where TJob : struct, IParallelJob
    {
        if (s_workers.Length < parts - 1) Grow(parts - 1);
        var work = Work<TJob>.Instance;
        work.Job = job;
        for (int part = 1; part < parts; part++) s_workers[part - 1].Start(work, part, parts);
        job.Run(0, parts);
        for (int part = 1; part < parts; part++) s_workers[part - 1].Wait();
        work.Job = default;
    }

    private static void Grow(int count)
    {
        var workers = new Worker[count];
        s_workers.CopyTo(workers, 0);
        for (int i = s_workers.Length; i < count; i++) workers[i] = new Worker(i);
        s_workers = workers;
    }

    private abstract class Work
    {
        public abstract void Run(int part, int parts);
    }

    /// <summary>The one place of a kind of job while it is shared, so that starting one allocates nothing.</summary>
    private sealed class Work<TJob> : Work
        where TJob : struct, IParallelJob
    {
        public static readonly Work<TJob> Instance = new();

        public TJob Job;

        public override void Run(int part, int parts) => Job.Run(part, parts);
    }

    private sealed class Worker
    {
        private readonly SemaphoreSlim _wake = new(0);
        private Work? _work;
        private int _part;
        private int _parts;
        private volatile int _state;
        private System.Exception? _problem;

        public Worker(int number)
        {
            var thread = new Thread(Loop) { IsBackground = true, Name = $"scae worker {number}" };
            thread.Start();
        }

        private const int Idle = 0;
        private const int Ready = 1;
        private const int Asleep = 2;
        private const int Done = 3;

        public void Start(Work work, int part, int parts)
        {
            (_work, _part, _parts) = (work, part, parts);
            if (Interlocked.Exchange(ref _state, Ready) == Asleep) _wake.Release();
        }

        public void Wait()
        {
            var spin = default(SpinWait);
            while (_state != Done) spin.SpinOnce(sleep1Threshold: -1);
            _state = Idle;
            if (_problem is { } problem)
            {
                _problem = null;
                throw problem;
            }
        }

        private void Loop()
        {
            while (true)
            {
                for (int spins = 0; spins < SpinsBeforeSleep && _state != Ready; spins++) Thread.SpinWait(8);
                if (_state != Ready && Interlocked.CompareExchange(ref _state, Asleep, Idle) == Idle) _wake.Wait();
                if (_state != Ready) continue;
                try
                {
                    _work!.Run(_part, _parts);
                }
                catch (System.Exception problem)
                {
                    _problem = problem;
                }

                _work = null;
                _state = Done;
            }
        }
    }
}
