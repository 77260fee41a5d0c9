using System;

namespace Scae.Tensors;

/// <summary>stub</summary>
public static class Parallelism
{
    /// <summary>stub</summary>
    public static int Threads { get; set; } = Environment.ProcessorCount;
}
