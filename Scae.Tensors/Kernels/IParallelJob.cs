namespace Scae.Tensors.Kernels;

/// <summary>Work in parts that don't depend on each other, so that they may run in any order and at once.</summary>
internal interface IParallelJob
{
    /// <summary>Does one part. It must write nothing that another part reads or writes.</summary>
    void Run(int part);
}
