using System;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Sums over neighbourhoods that wrap.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// Sums of neighbours on a torus of S × D places, for [b, S, N, D]: y[b, t, n, c] = Σ x[b, (t + down) mod S, n, (c +
    /// right) mod D] over the offsets. Different b and n don't mix. An offset that is given twice counts twice; without
    /// any, the sums are 0.
    /// </summary>
    /// <exception cref="ShapeError">There aren't four axes, or the elements are integers.</exception>
    public Tensor neighbourSum((int Down, int Right)[] offsets)
    {
        ArgumentNullException.ThrowIfNull(offsets);
        RefuseIntegers("neighbourSum", this);
        if (dim != 4) throw ShapeError.Of("neighbourSum", $"{Shape.Text(Sizes)}; needs [b, S, N, D]");
        return new NeighbourSum(contiguous(), [.. offsets]).Run(dtype, shape);
    }

    /// <summary>∂x[t, c] = Σ ∂y[t − down, c − right]: the same sum over mirrored offsets.</summary>
    private sealed class NeighbourSum(Tensor x, (int Down, int Right)[] offsets) : Operation(x)
    {
        private readonly NeighbourSizes _sizes = new(x._shape[1], x._shape[2], x._shape[3]);

        protected override void Forward<T>() =>
            NeighbourKernel.Run(Inputs[0].Data<T>(), Output.Data<T>(), _sizes, offsets, mirrored: false, accumulate: false);

        protected override void Backward<T>()
        {
            if (!Wants(0)) return;
            var into = InputGradient<T>(0, out bool accumulate);
            NeighbourKernel.Run(OutputGradient<T>(), into, _sizes, offsets, mirrored: true, accumulate);
        }
    }
}
