using System.Runtime.CompilerServices;

namespace Scae.Tensors.Kernels;

/// <summary>How methods are compiled that loop over vectors.</summary>
internal static class VectorLoop
{
    /// <summary>Once, at full optimisation, and never into their callers.</summary>
    /// <remarks>
    /// Vectors have 512 bits. Where the hardware's are narrower, every operation on one is a method that the compiler has to
    /// inline, and it stops when a method has grown by so many of them. A loop within its caller, or compiled a second time
    /// with a profile, then calls the operations that are left one by one: exp and softmax took four times as long.
    /// </remarks>
    public const MethodImplOptions Options = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;
}
