using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>Chooses how a product is computed and by how many threads. No choice changes its bits.</summary>
internal static unsafe class MatMulParallel
{
    // Bytes of A and B from which packing costs less than reading in place. A tall tile uses each line of B for long enough:
    // on Zen 5 (14 rows) 512³ floats (2 MiB) are 5 % faster in place, and 1024³ (8 MiB) 12 % slower. A low tile doesn't: on
    // Zen 3 (6 rows) 256³ (512 KiB) is a fifth faster packed, and 128³ (128 KiB) equally fast.
    private const long WorthPackingTall = 3 << 20, WorthPackingLow = 128 << 10;

    /// <summary>C_i (+)= A_i·B_i for every i &lt; batch.</summary>
    public static void Multiply<T, TVector, TLanes>(in MatMulProblem<T> problem)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        int threads = Parallelism.Threads;
        bool share = problem.Path == MatMulPath.Shared
            || (problem.Path == MatMulPath.Fitting
                && (long)problem.Batch * problem.M * problem.N * problem.K >= WorkerPool.WorthSharing);
        if (threads == 1 || !share)
        {
            Serial<T, TVector, TLanes>(problem);
            return;
        }

        Job<T, TVector, TLanes> job = Job<T, TVector, TLanes>.Cut(problem, threads);
        WorkerPool.Run(ref job, job.Parts);
    }

    private static void Serial<T, TVector, TLanes>(in MatMulProblem<T> problem)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        MatMulPath path = problem.Path is MatMulPath.Fitting or MatMulPath.Shared
            ? Fitting<T, TVector, TLanes>(problem)
            : problem.Path;
        if (path == MatMulPath.Blocked) MatMulBlocked.Multiply<T, TVector, TLanes>(problem);
        else if (path == MatMulPath.Narrow) MatMulNarrow.Multiply<T, TVector, TLanes>(problem);
        else MatMulDirect.Multiply<T, TVector, TLanes>(problem);
    }

    private static MatMulPath Fitting<T, TVector, TLanes>(in MatMulProblem<T> problem)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        int m = problem.M, n = problem.N, k = problem.K;
        if (4 * n <= TLanes.Count && m >= TLanes.Count) return MatMulPath.Narrow;
        long worth = TLanes.TileRows == MatMulTile.MaxRows ? WorthPackingTall : WorthPackingLow;
        bool large = (long)sizeof(T) * k * ((long)m + n) >= worth && m >= 64 && n >= 64 && k >= 64;
        return large ? MatMulPath.Blocked : MatMulPath.Direct;
    }

    /// <summary>A product cut along its batch, its rows or its columns into parts of nearly the same size.</summary>
    private struct Job<T, TVector, TLanes> : IParallelJob
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        private MatMulProblem<T> _problem;
        private Axis _axis;
        private int _grain, _grains;

        public int Parts { get; private set; }

        public static Job<T, TVector, TLanes> Cut(in MatMulProblem<T> problem, int threads)
        {
            Job<T, TVector, TLanes> job = new() { _problem = problem };
            // Grains are whole tiles. Columns come before rows when B is the larger operand: each part packs its own.
            (job._axis, job._grain) =
                problem.Batch >= threads && problem.CBatch != 0 ? (Axis.Batch, 1)
                : problem.N > problem.M && problem.N >= 2 * threads * TLanes.Count ? (Axis.Columns, 2 * TLanes.Count)
                : (Axis.Rows, TLanes.TileRows);
            int size = job._axis switch { Axis.Batch => problem.Batch, Axis.Columns => problem.N, _ => problem.M };
            job._grains = (size + job._grain - 1) / job._grain;
            // Twice as many parts as threads: a thread that the machine holds up then delays the others by half as much.
            job.Parts = int.Min(job._grains, int.Min(2 * threads, WorkerPool.MaxParts));
            return job;
        }

        public void Run(int part)
        {
            MatMulProblem<T> own = _problem;
            int from = (int)((long)_grains * part / Parts) * _grain;
            int to = (int)((long)_grains * (part + 1) / Parts) * _grain;
            switch (_axis)
            {
                case Axis.Batch:
                    own.Batch = int.Min(to, own.Batch) - from;
                    own.A += from * own.ABatch;
                    own.B += from * own.BBatch;
                    own.C += from * own.CBatch;
                    break;
                case Axis.Columns:
                    own.N = int.Min(to, own.N) - from;
                    own.B += from * own.BCol;
                    own.C += from;
                    break;
                default:
                    own.M = int.Min(to, own.M) - from;
                    own.A += from * own.ARow;
                    own.C += from * own.Ldc;
                    break;
            }

            Serial<T, TVector, TLanes>(own);
        }
    }

    private enum Axis
    {
        Batch,
        Rows,
        Columns,
    }
}
