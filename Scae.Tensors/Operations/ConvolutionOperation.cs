using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Convolution with bias and activation in one operation.</content>
public sealed partial class Tensor
{
    /// <summary>Y = f(W∗X + b), one image at a time. Backwards, ∂Z = ∂Y ∘ f′ follows from Y; the kernel describes the rest.</summary>
    private sealed class ConvolutionOperation(Tensor[] inputs, Window window, Activation activation) : ActivatedOperation(inputs, activation)
    {
        private readonly ConvolutionSizes _sizes = new(inputs[0]._shape[0], inputs[0]._shape[1], inputs[1]._shape[0], window);

        protected override void Forward<T, TActivation>() =>
            ConvolutionKernel.Forward<T, TActivation>(
                _sizes, Inputs[0].Data<T>(), Inputs[1].Data<T>(), Inputs.Length > 2 ? Inputs[2].Data<T>() : default, Output.Data<T>());

        protected override void Backward<T, TActivation>()
        {
            bool accumulate = true;
            var toImages = Wants(0) ? InputGradient<T>(0, out accumulate) : default;
            ConvolutionKernel.Backward<T, TActivation>(
                _sizes, Inputs[0].Data<T>(), Inputs[1].Data<T>(), Output.Data<T>(), OutputGradient<T>(), toImages, accumulate,
                Wants(1) ? InputGradientToAdd<T>(1) : default, Inputs.Length > 2 && Wants(2) ? InputGradientToAdd<T>(2) : default);
        }
    }
}
