using System;
using Scae.Tensors.Kernels;

namespace Scae.Benchmarks;

/// <summary>Operands for a <see cref="MatMulCase"/>, filled with numbers between −1 and 1.</summary>
internal sealed class MatMulOperands
{
    private readonly MatMulCase _shape;
    private readonly float[] _a, _b, _c;

    public MatMulOperands(MatMulCase shape)
    {
        _shape = shape;
        Random random = new(1);
        _a = Draw(random, shape.Batch * shape.M * shape.K);
        _b = Draw(random, shape.Batch * shape.K * shape.N);
        _c = new float[shape.Batch * shape.M * shape.N];
    }

    public void Multiply()
    {
        (_, int batch, int m, int n, int k, bool aT, bool bT) = _shape;
        if (batch == 1)
            MatMul.Multiply<float>(m, n, k, _a, aT ? 1 : k, aT ? m : 1, _b, bT ? 1 : n, bT ? k : 1, _c, n, false);
        else
            MatMul.MultiplyBatched<float>(
                batch, m, n, k, _a, m * k, aT ? 1 : k, aT ? m : 1, _b, k * n, bT ? 1 : n, bT ? k : 1, _c, m * n, n, false);
    }

    public void MultiplyWithOpenBlas() => OpenBlas.Multiply(_shape, _a, _b, _c);

    private static float[] Draw(Random random, int count)
    {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) numbers[i] = 2 * random.NextSingle() - 1;
        return numbers;
    }
}
