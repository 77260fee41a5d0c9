namespace Scae.Tensors;

/// <summary>The element type of a tensor; it travels with the tensor.</summary>
public enum Dtype
{
    /// <summary>IEEE 754 binary32, the default.</summary>
    Float32,

    /// <summary>IEEE 754 binary64, for checking gradients.</summary>
    Float64,

    /// <summary>32-bit integers: indices only, no arithmetic.</summary>
    Int32,
}
