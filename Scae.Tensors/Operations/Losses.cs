using System;

namespace Scae.Tensors;

/// <content>
/// DiffSharp's losses: the input is this tensor, the target the argument; the reduction is "mean" (over all elements or,
/// for classes, over all positions), "sum" or "none".
/// </content>
public sealed partial class Tensor
{
    /// <summary>(x − target)².</summary>
    /// <exception cref="ShapeError">The shapes or dtypes differ.</exception>
    public Tensor mseLoss(Tensor target, string reduction = "mean")
    {
        CheckSameShape("mseLoss", target);
        var difference = this - target;
        return (difference * difference).Reduced("mseLoss", reduction);
    }

    /// <summary>
    /// −(t·log x + (1 − t)·log(1 − x)) for probabilities x; x and 1 − x are cut off at 10⁻¹² (safelog), where the
    /// gradient ends. From logits use bernoulliLogLikelihood, which loses nothing.
    /// </summary>
    /// <exception cref="ShapeError">The shapes or dtypes differ.</exception>
    public Tensor bceLoss(Tensor target, string reduction = "mean")
    {
        CheckSameShape("bceLoss", target);
        return (-((target * safelog()) + ((1.0 - target) * (1.0 - this).safelog()))).Reduced("bceLoss", reduction);
    }

    /// <summary>Minus the log-probability of the target class: [n, c, ..] log-probabilities and Int32 classes [n, ..].</summary>
    /// <exception cref="ShapeError">The shapes don't fit, or a class lies outside.</exception>
    public Tensor nllLoss(Tensor target, string reduction = "mean")
    {
        bool fits = dim >= 2 && target.dtype == Dtype.Int32 && target.dim == dim - 1;
        for (int i = 0; fits && i < target.dim; i++) fits = target._shape[i] == _shape[i == 0 ? 0 : i + 1];
        if (!fits)
            throw ShapeError.Of("nllLoss", $"{Scae.Tensors.Shape.Text(Shape)} with classes {Scae.Tensors.Shape.Text(target.Shape)} {target.dtype}; needs [n, c, ..] and Int32 [n, ..]");
        return (-gather(1, target.unsqueeze(1)).squeeze(1)).Reduced("nllLoss", reduction);
    }

    /// <summary>nllLoss of logsoftmax over axis 1: [n, c, ..] logits and Int32 classes [n, ..].</summary>
    /// <exception cref="ShapeError">The shapes don't fit, or a class lies outside.</exception>
    public Tensor crossEntropyLoss(Tensor target, string reduction = "mean") => logsoftmax(1).nllLoss(target, reduction);

    private Tensor Reduced(string loss, string reduction) => reduction switch
    {
        "mean" => mean(),
        "sum" => sum(),
        "none" => this,
        _ => throw new ArgumentException($"{loss}: reduction \"{reduction}\"; there are \"mean\", \"sum\" and \"none\""),
    };

    private void CheckSameShape(string loss, Tensor target)
    {
        CheckSameDtype(loss, this, target);
        if (!Scae.Tensors.Shape.Same(Shape, target.Shape))
            throw ShapeError.Of(loss, $"{Scae.Tensors.Shape.Text(Shape)} with target {Scae.Tensors.Shape.Text(target.Shape)}; shapes must be equal");
    }
}
