using System;
using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Products of floats over so many terms that a single chain of additions would drift. They are computed in pieces, which
/// are added up in double.
/// </summary>
internal static unsafe class MatMulLong
{
    /// <summary>C_i (+)= A_i·B_i for every i &lt; batch, in pieces of <see cref="MatMul.LongestChain"/> terms.</summary>
    public static void Multiply<T>(VectorWidth width, in MatMulProblem<T> problem)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (problem.CBatch == 0)
        {
            One(width, problem);
            return;
        }

        MatMulProblem<T> one = problem;
        one.Batch = 1;
        for (int i = 0; i < problem.Batch; i++)
        {
            One(width, one);
            one.A += one.ABatch;
            one.B += one.BBatch;
            one.C += one.CBatch;
        }
    }

    /// <summary>Computes one matrix C: a single product, or the sum of a batch.</summary>
    private static void One<T>(VectorWidth width, in MatMulProblem<T> problem)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int m = problem.M, n = problem.N, most = int.Max(1, MatMul.LongestChain / problem.K);
        var totals = Scratch.Take<double>(Scratch.ChainSlot, m * n);
        var made = Scratch.Take<T>(Scratch.ChainSlot, m * n);
        totals.Clear();
        fixed (T* c = made)
        {
            MatMulProblem<T> piece = problem;
            piece.C = c;
            piece.Ldc = n;
            piece.Accumulate = false;
            for (int i = 0; i < problem.Batch; i += most)
            {
                piece.Batch = int.Min(most, problem.Batch - i);
                for (int p = 0; p < problem.K; p += MatMul.LongestChain)
                {
                    piece.K = int.Min(MatMul.LongestChain, problem.K - p);
                    piece.A = problem.A + (i * problem.ABatch) + (p * problem.ACol);
                    piece.B = problem.B + (i * problem.BBatch) + (p * problem.BRow);
                    MatMul.Run(width, piece);
                    for (int at = 0; at < made.Length; at++) totals[at] += double.CreateTruncating(made[at]);
                }
            }
        }

        for (int row = 0; row < m; row++)
        {
            var sums = totals.Slice(row * n, n);
            Span<T> target = new(problem.C + (row * problem.Ldc), n);
            for (int j = 0; j < n; j++)
                target[j] = T.CreateTruncating(problem.Accumulate ? sums[j] + double.CreateTruncating(target[j]) : sums[j]);
        }
    }
}
