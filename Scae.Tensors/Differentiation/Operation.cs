using System;
using System.Numerics;
using System.Threading;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <summary>
/// One operation on tensors. The forward rule fills <see cref="Output"/> from <see cref="Inputs"/>, and the backward rule
/// beside it adds to the inputs' gradients. An operation can run any number of times over the same tensors: that is how a
/// recorded step is replayed without allocating.
/// </summary>
internal abstract class Operation(params Tensor[] inputs)
{
    private static long s_serial;

    public Tensor[] Inputs { get; } = inputs;

    public Tensor Output { get; private set; } = null!;

    /// <summary>The order in which operations were made; they can run in this order.</summary>
    public long Serial { get; } = Interlocked.Increment(ref s_serial);

    /// <summary>Whether the output is a view that shares its input's gradient, so that there is nothing to do backwards.</summary>
    public virtual bool SharesGradient => false;

    /// <summary>Whether no gradient passes from the output to the inputs, as through a comparison.</summary>
    public virtual bool CutsGradient => false;

    /// <summary>Makes the output with the given dtype and shape, runs forward, and links both for the backward run.</summary>
    public Tensor Run(Dtype dtype, int[] shape)
    {
        Link(Tensor.Allocate(dtype, shape));
        Forward();
        return Output;
    }

    /// <summary>The same for a view: the output shares the input's storage and there is nothing to compute.</summary>
    public Tensor RunAsView(Tensor view)
    {
        Link(view);
        return view;
    }

    public void Forward()
    {
        if (ComputeDtype == Dtype.Float64) Forward<double>();
        else Forward<float>();
    }

    public void Backward()
    {
        if (ComputeDtype == Dtype.Float64) Backward<double>();
        else Backward<float>();
    }

    /// <summary>Fills the output's elements.</summary>
    protected abstract void Forward<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;

    /// <summary>
    /// Adds to the gradients of those inputs that want one. The gradient of an input must be fetched only when its
    /// contribution is written, since two inputs may be the same tensor.
    /// </summary>
    protected abstract void Backward<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;

    /// <summary>
    /// Which rows of the output are valid when only some rows of an input are: see <see cref="PackedRows"/>. Most
    /// operations would take all rows for valid ones, so they refuse.
    /// </summary>
    /// <exception cref="ShapeError">The operation can't leave rows out.</exception>
    protected virtual PackedRows? Keep(PackedRows rows) => throw PackedRows.Refusal(Inputs);

    /// <summary>Which rows of the output are valid, if this operation itself chooses them.</summary>
    protected virtual PackedRows? Made => null;

    /// <summary>The dtype the rules are instantiated with; operations that make integers override it.</summary>
    protected virtual Dtype ComputeDtype => Output.dtype;

    protected bool Wants(int input) => Inputs[input].RequiresGradient;

    protected ReadOnlySpan<T> OutputGradient<T>()
        where T : unmanaged => Output.Gradient!.Span<T>();

    /// <summary>The gradient of an input; when not <paramref name="accumulate"/>, every element must be written.</summary>
    protected Span<T> InputGradient<T>(int input, out bool accumulate)
        where T : unmanaged
    {
        var gradient = Inputs[input].Gradient!;
        accumulate = gradient.IsTouched;
        gradient.IsTouched = true;
        return gradient.Span<T>();
    }

    /// <summary>The gradient of an input, cleared if nothing has contributed yet, so that it can be added to.</summary>
    protected Span<T> InputGradientToAdd<T>(int input)
        where T : unmanaged
    {
        var span = InputGradient<T>(input, out bool accumulate);
        if (!accumulate) Stretches.Clear(span);
        return span;
    }

    private void Link(Tensor output)
    {
        Output = output;
        output.Packed = Made;
        foreach (var input in Inputs)
        {
            if (input.Packed is { } rows) output.Packed = Keep(rows);
        }

        bool wanted = false;
        if (output.dtype != Dtype.Int32 && !CutsGradient)
        {
            foreach (var input in Inputs) wanted |= input.RequiresGradient;
        }

        if (wanted)
        {
            output.RequiresGradient = true;
            output.Gradient = SharesGradient ? Inputs[0].Gradient : new Gradient(output.dtype, output.nelement);
        }

        if (wanted || Recording.IsActive) output.Creator = this;
    }
}
