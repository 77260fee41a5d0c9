using System;
using System.Collections.Generic;
using System.Numerics;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <summary>
/// One step of an optimiser on one parameter, in place: parameter, gradient and the optimiser's state are dense tensors
/// of one shape and dtype (Float32 or Float64). Nothing is allocated. The gradient is multiplied by gradientScale
/// first: clipping by global norm is gradientScale = min(1, clip / norm) with <see cref="GlobalNorm"/>.
/// </summary>
public static class Updates
{
    /// <summary>
    /// Adam (Kingma &amp; Ba 2015, algorithm 1): m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g²,
    /// p ← p − learningRate · m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ). The first step is t = 1.
    /// </summary>
    /// <exception cref="ShapeError">Shapes or dtypes differ, or a tensor isn't dense.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The step is below 1.</exception>
    public static void Adam(Tensor parameter, Tensor gradient, Tensor mean, Tensor square, double learningRate, double beta1, double beta2, double epsilon, long step, double gradientScale = 1)
    {
        Check("Adam", parameter, gradient);
        Check("Adam", parameter, mean);
        Check("Adam", parameter, square);
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        double rate = learningRate / (1 - Math.Pow(beta1, step)), rootScale = 1 / Math.Sqrt(1 - Math.Pow(beta2, step));
        if (parameter.dtype == Dtype.Float64) Run<double>();
        else Run<float>();

        void Run<T>()
            where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
            UpdateKernel.Adam(
                parameter.Data<T>(), gradient.Data<T>(), mean.Data<T>(), square.Data<T>(), Of<T>(gradientScale), Of<T>(beta1), Of<T>(1 - beta1), Of<T>(beta2), Of<T>(1 - beta2), Of<T>(rate), Of<T>(rootScale), Of<T>(epsilon));
    }

    /// <summary>
    /// RMSProp (Tieleman &amp; Hinton 2012): v ← ρv + (1 − ρ)g², p ← p − learningRate · g / (√v + ε). With a velocity u,
    /// steps accumulate as in TensorFlow: u ← μu + learningRate · g / (√v + ε), p ← p − u. With
    /// <paramref name="epsilonInsideRoot"/> the root is √(v + ε), also as in TensorFlow.
    /// </summary>
    /// <exception cref="ShapeError">Shapes or dtypes differ, or a tensor isn't dense.</exception>
    /// <exception cref="ArgumentException">There is a momentum, but no velocity.</exception>
    public static void RmsProp(Tensor parameter, Tensor gradient, Tensor square, double learningRate, double decay, double epsilon, double gradientScale = 1, Tensor? velocity = null, double momentum = 0, bool epsilonInsideRoot = false)
    {
        Check("RmsProp", parameter, gradient);
        Check("RmsProp", parameter, square);
        if (velocity is not null) Check("RmsProp", parameter, velocity);
        else if (momentum != 0) throw new ArgumentException($"RmsProp: momentum {momentum} needs a velocity tensor", nameof(momentum));
        if (parameter.dtype == Dtype.Float64) Run<double>();
        else Run<float>();

        void Run<T>()
            where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
            UpdateKernel.RmsProp(
                parameter.Data<T>(), gradient.Data<T>(), square.Data<T>(), velocity is null ? default : velocity.Data<T>(), Of<T>(gradientScale), Of<T>(decay), Of<T>(1 - decay), Of<T>(learningRate), Of<T>(momentum), Of<T>(epsilonInsideRoot ? epsilon : 0), Of<T>(epsilonInsideRoot ? 0 : epsilon));
    }

    /// <summary>
    /// Gradient descent with momentum as in PyTorch: u ← μu + g, p ← p − learningRate · u; with Nesterov's look-ahead
    /// p ← p − learningRate · (g + μu). A momentum of 0 is plain descent.
    /// </summary>
    /// <exception cref="ShapeError">Shapes or dtypes differ, or a tensor isn't dense.</exception>
    public static void SgdMomentum(Tensor parameter, Tensor gradient, Tensor velocity, double learningRate, double momentum, double gradientScale = 1, bool nesterov = false)
    {
        Check("SgdMomentum", parameter, gradient);
        Check("SgdMomentum", parameter, velocity);
        if (parameter.dtype == Dtype.Float64) Run<double>();
        else Run<float>();

        void Run<T>()
            where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
            UpdateKernel.SgdMomentum(parameter.Data<T>(), gradient.Data<T>(), velocity.Data<T>(), Of<T>(gradientScale), Of<T>(learningRate), Of<T>(momentum), nesterov);
    }

    /// <summary>Moves a running average a share of the way to the parameter: a ← a + share · (p − a).</summary>
    /// <exception cref="ShapeError">Shapes or dtypes differ, or a tensor isn't dense.</exception>
    public static void Average(Tensor average, Tensor parameter, double share)
    {
        Check("Average", parameter, average);
        if (parameter.dtype == Dtype.Float64) Run<double>();
        else Run<float>();

        void Run<T>()
            where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
            UpdateKernel.Average(average.Data<T>(), parameter.Data<T>(), Of<T>(share));
    }

    /// <summary>√Σx² over all elements of all tensors, summed in double in the tensors' order; 0 for none.</summary>
    /// <exception cref="ShapeError">A tensor isn't dense or holds integers.</exception>
    public static double GlobalNorm(IReadOnlyList<Tensor> gradients)
    {
        ArgumentNullException.ThrowIfNull(gradients);
        double sum = 0;
        for (int i = 0; i < gradients.Count; i++)
        {
            var gradient = gradients[i];
            Check("GlobalNorm", gradient, gradient);
            sum += gradient.dtype == Dtype.Float64 ? UpdateKernel.SumOfSquares(gradient.Data<double>()) : UpdateKernel.SumOfSquares(gradient.Data<float>());
        }

        return Math.Sqrt(sum);
    }

    private static T Of<T>(double value)
        where T : IBinaryFloatingPointIeee754<T> => T.CreateChecked(value);

    private static void Check(string update, Tensor parameter, Tensor other)
    {
        if (parameter.dtype == Dtype.Int32 || other.dtype != parameter.dtype || !Shape.Same(parameter.Sizes, other.Sizes))
            throw ShapeError.Of(update, $"parameter {Shape.Text(parameter.Sizes)} {parameter.dtype} with {Shape.Text(other.Sizes)} {other.dtype}; gradient and state must have the parameter's shape and dtype, Float32 or Float64");
        if (!parameter.IsDense || !other.IsDense)
            throw ShapeError.Of(update, $"a view of shape {Shape.Text(parameter.Sizes)} isn't dense; update the tensor that it views");
    }
}
