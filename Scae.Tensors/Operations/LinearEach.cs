using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Linear layers with separate weights for every capsule, in one operation.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// activation(x_k·W_k + b_k), with separate weights for each of the k capsules: x [b, k, in], W [k, in, out] and b
    /// [k, out] or null → [b, k, out]. Nothing is transposed or copied: each capsule's rows are read where they are.
    /// </summary>
    /// <exception cref="ShapeError">The sizes or dtypes don't fit.</exception>
    public Tensor linearEach(Tensor weights, Tensor? biases = null, Activation activation = Activation.None)
    {
        CheckSameDtype("linearEach", this, weights);
        if (biases is not null) CheckSameDtype("linearEach", this, biases);
        CheckActivation("linearEach", activation);
        bool fits = dim == 3 && weights.dim == 3 && weights._shape[0] == _shape[1] && weights._shape[1] == _shape[2]
            && (biases is null || (biases.dim == 2 && biases._shape[0] == _shape[1] && biases._shape[1] == weights._shape[2]));
        if (!fits)
            throw ShapeError.Of("linearEach", $"input {Shape.Text(Sizes)}, weights {Shape.Text(weights.Sizes)}, biases {(biases is null ? "none" : Shape.Text(biases.Sizes))}; needs [b, k, in], [k, in, out] and [k, out]");
        Tensor[] inputs = biases is null ? [contiguous(), weights.contiguous()] : [contiguous(), weights.contiguous(), biases.contiguous()];
        return new LinearEachOperation(inputs, activation).Run(dtype, [_shape[0], _shape[1], weights._shape[2]]);
    }

    /// <summary>
    /// Z_k = X_k·W_k + b_k, Y = f(Z); backwards ∂Z = ∂Y ∘ f′, ∂b_k = Σ_b ∂Z_k, ∂W_k = X_kᵀ·∂Z_k and ∂X_k = ∂Z_k·W_kᵀ. The
    /// rows of all capsules are interleaved: those of one capsule are k·in (or k·out) elements apart.
    /// </summary>
    private sealed class LinearEachOperation(Tensor[] inputs, Activation activation) : ActivatedOperation(inputs, activation)
    {
        private readonly int _rows = inputs[0]._shape[0];
        private readonly int _capsules = inputs[0]._shape[1];
        private readonly int _in = inputs[0]._shape[2];
        private readonly int _out = inputs[1]._shape[2];

        private CapsuleSizes Sizes => new(_rows, _capsules, _in, _out);

        protected override void Forward<T, TActivation>() =>
            CapsuleLayer.Forward<T, TActivation>(
                Sizes, Inputs[0].Data<T>(), Inputs[1].Data<T>(), Inputs.Length > 2 ? Inputs[2].Data<T>() : default, Output.Data<T>());

        protected override void Backward<T, TActivation>()
        {
            bool addToInputs = true, addToWeights = true;
            var toBiases = Inputs.Length > 2 && Wants(2) ? InputGradientToAdd<T>(2) : default;
            var toWeights = Wants(1) ? InputGradient<T>(1, out addToWeights) : default;
            var toInputs = Wants(0) ? InputGradient<T>(0, out addToInputs) : default;

            // When inputs and weights are one tensor, capsules would write into each other's rows of its gradient. So the
            // weights' gradients of all capsules are computed first.
            bool isOne = Wants(0) && ReferenceEquals(Inputs[0].Gradient, Inputs[1].Gradient);
            CapsuleLayer.Backward<T, TActivation>(
                Sizes, Inputs[0].Data<T>(), Inputs[1].Data<T>(), Output.Data<T>(), OutputGradient<T>(),
                isOne ? default : toInputs, addToInputs, toWeights, addToWeights, toBiases);
            if (!isOne) return;
            CapsuleLayer.Backward<T, TActivation>(
                Sizes, Inputs[0].Data<T>(), Inputs[1].Data<T>(), Output.Data<T>(), OutputGradient<T>(),
                toInputs, addToInputs: true, default, addToWeights: true, default);
        }
    }
}
