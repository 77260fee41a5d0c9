using System;
using System.Numerics;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <summary>What a layer applies to its sums.</summary>
public enum Activation
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>max(z, 0); gradient 0 at 0.</summary>
    Relu,

    /// <summary>1 / (1 + e⁻ᶻ).</summary>
    Sigmoid,

    /// <summary>tanh z.</summary>
    Tanh,
}

/// <content>Activations of linear layers and convolutions.</content>
public sealed partial class Tensor
{
    private static void CheckActivation(string operation, Activation activation)
    {
        if (!Enum.IsDefined(activation)) throw new ArgumentException($"{operation}: there is no activation {activation}", nameof(activation));
    }

    /// <summary>An operation that ends in an activation; its rules are compiled for each kind of activation.</summary>
    private abstract class ActivatedOperation(Tensor[] inputs, Activation activation) : Operation(inputs)
    {
        protected override void Forward<T>()
        {
            if (Output.nelement == 0) return;
            switch (activation)
            {
                case Activation.Relu: Forward<T, Activated<Relu>>(); break;
                case Activation.Sigmoid: Forward<T, Activated<Sigmoid>>(); break;
                case Activation.Tanh: Forward<T, Activated<Tanh>>(); break;
                default: Forward<T, Plain>(); break;
            }
        }

        protected override void Backward<T>()
        {
            if (Output.nelement == 0) return;
            switch (activation)
            {
                case Activation.Relu: Backward<T, Activated<Relu>>(); break;
                case Activation.Sigmoid: Backward<T, Activated<Sigmoid>>(); break;
                case Activation.Tanh: Backward<T, Activated<Tanh>>(); break;
                default: Backward<T, Plain>(); break;
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

    private readonly struct Plain : IActivation
    {
        public static void Apply<T>(Span<T> z)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
        }

        public static void Slope<T>(ReadOnlySpan<T> g, ReadOnlySpan<T> y, Span<T> dz)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => g.CopyTo(dz);
    }

    /// <summary>A function whose backward rule needs the gradient and y alone.</summary>
    private readonly struct Activated<TFunction> : IActivation
        where TFunction : struct, IMap1, IMap3
    {
        public static void Apply<T>(Span<T> z)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => Elementwise.Map1<T, TFunction>(z, z);

        public static void Slope<T>(ReadOnlySpan<T> g, ReadOnlySpan<T> y, Span<T> dz)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => Elementwise.Map3<T, TFunction>(g, y, 1, y, 1, dz, accumulate: false);
    }
}
