namespace Scae.Tensors;

/// <summary>An operation through which no gradient passes, such as a comparison.</summary>
internal abstract class CutOperation(params Tensor[] inputs) : Operation(inputs)
{
    public sealed override bool CutsGradient => true;

    protected sealed override void Backward<T>()
    {
    }
}
