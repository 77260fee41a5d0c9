namespace Scae.Tensors.Kernels;

/// <summary>The ways to compute a product; all give the same bits.</summary>
internal enum MatMulPath
{
    /// <summary>Whichever is fastest for the sizes.</summary>
    Fitting,

    /// <summary>Operands are read where they lie: <see cref="MatMulDirect"/>.</summary>
    Direct,

    /// <summary>Operands are packed in blocks: <see cref="MatMulBlocked"/>.</summary>
    Blocked,

    /// <summary>C has only a few columns: <see cref="MatMulNarrow"/>.</summary>
    Narrow,

    /// <summary>The work is shared between threads however little it is.</summary>
    Shared,
}
