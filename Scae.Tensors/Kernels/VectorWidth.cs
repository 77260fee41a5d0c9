namespace Scae.Tensors.Kernels;

/// <summary>Which vectors a kernel uses.</summary>
internal enum VectorWidth
{
    /// <summary>The widest that the processor has.</summary>
    Widest,

    /// <summary>512 bits.</summary>
    Bits512,

    /// <summary>256 bits.</summary>
    Bits256,

    /// <summary>128 bits.</summary>
    Bits128,

    /// <summary>No vectors.</summary>
    Scalar,
}
