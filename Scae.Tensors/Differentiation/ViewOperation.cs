namespace Scae.Tensors;

/// <summary>An operation whose output shares its input's elements: forward there is nothing to do.</summary>
internal abstract class ViewOperation(Tensor x) : Operation(x)
{
    protected sealed override void Forward<T>()
    {
    }
}
