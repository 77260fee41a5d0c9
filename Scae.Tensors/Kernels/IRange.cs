namespace Scae.Tensors.Kernels;

/// <summary>Work on numbered items that don't depend on each other, so that any range of them can be done by itself.</summary>
internal interface IRange
{
    /// <summary>Does items from, …, to − 1. It must write nothing that another range reads or writes.</summary>
    void Run(int from, int to);
}
