using System;
using System.Numerics;
using System.Numerics.Tensors;
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

    /// <summary>An operation that ends in an activation; its rules are compiled for each kind of activation.</summary>
    private abstract class ActivatedOperation(Tensor[] inputs, Activation activation) : Operation(inputs)
    {
        protected override void Forward<T>()
        {
            if (Output.nelement == 0) return;
            switch (activation)
            {
                case Activation.Relu: Forward<T, ReluLayer>(); break;
                case Activation.Sigmoid: Forward<T, SigmoidLayer>(); break;
                case Activation.Tanh: Forward<T, TanhLayer>(); break;
                default: Forward<T, PlainLayer>(); break;
            }
        }

        protected override void Backward<T>()
        {
            if (Output.nelement == 0) return;
            switch (activation)
            {
                case Activation.Relu: Backward<T, ReluLayer>(); break;
                case Activation.Sigmoid: Backward<T, SigmoidLayer>(); break;
                case Activation.Tanh: Backward<T, TanhLayer>(); break;
                default: Backward<T, PlainLayer>(); break;
            }
        }

        /// <summary>The forward rule, called only if there are elements.</summary>
        protected abstract void Forward<T, TActivation>()
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
            where TActivation : struct, IActivation;

        /// <summary>The backward rule, called only if there are elements.</summary>
        protected abstract void Backward<T, TActivation>()
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
            where TActivation : struct, IActivation;
    }

    private readonly struct PlainLayer : IActivation
    {
        public static void Apply<T>(Span<T> z)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
        }

        public static void Slope<T>(ReadOnlySpan<T> g, ReadOnlySpan<T> y, Span<T> dz)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => g.CopyTo(dz);
    }

    private readonly struct ReluLayer : IActivation
    {
        public static void Apply<T>(Span<T> z)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => TensorPrimitives.Max(z, T.Zero, z);

        public static void Slope<T>(ReadOnlySpan<T> g, ReadOnlySpan<T> y, Span<T> dz)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => Elementwise.Map3<T, Relu>(g, y, 1, y, 1, dz, accumulate: false);
    }

    private readonly struct SigmoidLayer : IActivation
    {
        public static void Apply<T>(Span<T> z)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => Elementwise.Map1<T, Sigmoid>(z, z);

        public static void Slope<T>(ReadOnlySpan<T> g, ReadOnlySpan<T> y, Span<T> dz)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => Elementwise.Map3<T, Sigmoid>(g, y, 1, y, 1, dz, accumulate: false);
    }

    private readonly struct TanhLayer : IActivation
    {
        public static void Apply<T>(Span<T> z)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => Elementwise.Map1<T, Tanh>(z, z);

        public static void Slope<T>(ReadOnlySpan<T> g, ReadOnlySpan<T> y, Span<T> dz)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => Elementwise.Map3<T, Tanh>(g, y, 1, y, 1, dz, accumulate: false);
    }
}
