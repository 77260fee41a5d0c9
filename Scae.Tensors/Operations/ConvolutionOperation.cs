using System;
using System.Numerics.Tensors;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Convolution with bias and activation in one operation.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// An image at a time: Z = W·C with the columns C of its patches, Y = f(Z + b); backwards ∂W = Σ ∂Z·Cᵀ, ∂C = Wᵀ·∂Z
    /// added where the patches lie. Columns of a whole batch would take 48 MB for a layer of 128 channels.
    /// </summary>
    private sealed class ConvolutionOperation(Tensor[] inputs, Window window, Activation activation) : Operation(inputs)
    {
        private readonly int _images = inputs[0]._shape[0];
        private readonly int _channels = inputs[0]._shape[1];
        private readonly int _filters = inputs[1]._shape[0];

        private int Seen => _channels * window.Seen;

        protected override void Forward<T>()
        {
            if (Output.nelement == 0) return;
            var y = Output.Data<T>();
            int size = _channels * window.Area, made = _filters * window.Places;
            for (int b = 0; b < _images; b++)
            {
                var columns = Scratch.Take<T>(0, Seen * window.Places);
                Patches.ToColumns(window, Inputs[0].Data<T>().Slice(b * size, size), columns, accumulate: false);
                var to = y.Slice(b * made, made);
                if (Inputs.Length > 2)
                {
                    ReadOnlySpan<T> bias = Inputs[2].Data<T>();
                    for (int o = 0; o < _filters; o++) to.Slice(o * window.Places, window.Places).Fill(bias[o]);
                }

                MatMul.Multiply<T>(_filters, window.Places, Seen, Inputs[1].Data<T>(), Seen, 1, columns, window.Places, 1, to, window.Places, accumulate: Inputs.Length > 2);
                switch (activation)
                {
                    case Activation.Relu: TensorPrimitives.Max(to, T.Zero, to); break;
                    case Activation.Sigmoid: TensorPrimitives.Sigmoid<T>(to, to); break;
                    case Activation.Tanh: Elementwise.Map1<T, Tanh>(to, to); break;
                }
            }
        }

        protected override void Backward<T>()
        {
            if (Output.nelement == 0) return;
            ReadOnlySpan<T> g = OutputGradient<T>(), y = Output.Data<T>();
            var toBias = Inputs.Length > 2 && Wants(2) ? InputGradientToAdd<T>(2) : default;
            var toFilters = Wants(1) ? InputGradientToAdd<T>(1) : default;
            var toImages = Wants(0) ? InputGradientToAdd<T>(0) : default;
            int size = _channels * window.Area, made = _filters * window.Places;
            for (int b = 0; b < _images; b++)
            {
                var columns = Scratch.Take<T>(0, Seen * window.Places);
                var dz = BeforeActivation(activation, g.Slice(b * made, made), y.Slice(b * made, made));
                for (int o = 0; o < toBias.Length; o++) toBias[o] += Reduce.Sum<T>(dz.Slice(o * window.Places, window.Places));
                if (!toFilters.IsEmpty)
                {
                    Patches.ToColumns(window, Inputs[0].Data<T>().Slice(b * size, size), columns, accumulate: false);
                    MatMul.Multiply<T>(_filters, Seen, window.Places, dz, window.Places, 1, columns, 1, window.Places, toFilters, Seen, accumulate: true);
                }

                if (toImages.IsEmpty) continue;
                MatMul.Multiply<T>(Seen, window.Places, _filters, Inputs[1].Data<T>(), 1, Seen, dz, window.Places, 1, columns, window.Places, accumulate: false);
                Patches.AddToImage<T>(window, columns, toImages.Slice(b * size, size));
            }
        }
    }
}
