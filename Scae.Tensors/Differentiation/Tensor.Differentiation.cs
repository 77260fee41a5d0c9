using System;
using System.Collections.Generic;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Reverse-mode differentiation: mark inputs, run backwards from a scalar, read derivatives.</content>
public sealed partial class Tensor
{
    /// <summary>Whether the value depends on a tensor that was marked by <see cref="reverseDiff"/>.</summary>
    public bool RequiresGradient { get; internal set; }

    /// <summary>The value without its history; shares the elements.</summary>
    public Tensor primal => noDiff();

    /// <summary>
    /// The gradient that the last backward run left, in this tensor's shape; zeros when no run has reached it. After a run it
    /// shares the gradient's memory, which the next run that reaches the tensor overwrites: clone what is to be kept. A
    /// recording keeps only the gradients of marked tensors.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// The tensor depends on none that was marked by <see cref="reverseDiff"/>, or it is an intermediate value of a
    /// recording.
    /// </exception>
    public Tensor derivative
    {
        get
        {
            if (Gradient is null) throw new InvalidOperationException($"derivative: a tensor {Shape.Text(_shape)} doesn't depend on a tensor marked by reverseDiff");
            if (Gradient.TakesTurns) throw new InvalidOperationException($"derivative: a tensor {Shape.Text(_shape)} was made within a recording, which keeps the gradients of marked tensors alone");
            if (Gradient.Storage is null || !Gradient.IsTouched) return Allocate(dtype, _shape);
            return Over(Gradient.Storage, _shape);
        }
    }

    internal Operation? Creator { get; set; }

    internal Gradient? Gradient { get; set; }

    /// <summary>
    /// Whether gradients end here: the tensor has none, no operation made it (as when it was marked), or that operation
    /// passes none on.
    /// </summary>
    internal bool IsLeaf => !RequiresGradient || Creator is null or { CutsGradient: true };

    /// <summary>A leaf over the same elements whose derivative is wanted.</summary>
    /// <exception cref="ShapeError">The tensor holds integers.</exception>
    public Tensor reverseDiff()
    {
        if (dtype == Dtype.Int32) throw ShapeError.Of("reverseDiff", "integers have no derivative; cast to Float32 or Float64 first");
        var leaf = (IsDense ? this : noDiff().contiguous()).noDiff();
        leaf.RequiresGradient = true;
        leaf.Gradient = new Gradient(dtype, nelement);
        return leaf;
    }

    /// <summary>The same value, through which no gradient passes.</summary>
    public Tensor noDiff() => Recording.IsActive ? new NoDiff(this).RunAsView(WithoutHistory()) : WithoutHistory();

    /// <summary>
    /// Runs backwards from this scalar. Every derivative that it reaches is replaced, not added to; a tensor that is used
    /// several times gets the sum of its contributions.
    /// </summary>
    /// <exception cref="ShapeError">The tensor has more than one element: pass the weights of its elements instead.</exception>
    /// <exception cref="InvalidOperationException">It depends on no tensor marked by <see cref="reverseDiff"/>.</exception>
    public void reverse()
    {
        if (nelement != 1)
            throw ShapeError.Of("reverse", $"a loss must be a scalar, this has shape {Shape.Text(_shape)}; reduce it, or pass the weight of each element");
        reverse(onesLike());
    }

    /// <summary>Runs backwards from this tensor, whose elements have the given weights v: computes vᵀ·J.</summary>
    /// <exception cref="ShapeError">The weights have another shape or dtype.</exception>
    /// <exception cref="InvalidOperationException">It depends on no tensor marked by <see cref="reverseDiff"/>.</exception>
    public void reverse(Tensor weights)
    {
        if (Recording.IsActive) throw new InvalidOperationException("reverse: a recording is under way; return the loss from the recorded function and call Recording.Reverse");
        if (Gradient is null) throw new InvalidOperationException("reverse: the value depends on no tensor marked by reverseDiff, so every derivative would be zero");
        if (weights.dtype != dtype || !Shape.Same(weights.Sizes, Sizes))
            throw ShapeError.Of("reverse", $"weights {Shape.Text(weights.Sizes)} {weights.dtype} for a value {Shape.Text(Sizes)} {dtype}; both must agree");
        var order = Tape.Of([this], differentiableOnly: true);
        Tape.Forget(order);
        Gradient.IsTouched = true;
        Seed(weights);
        for (int i = order.Count - 1; i >= 0; i--)
        {
            if (order[i].Output.Gradient!.IsTouched) order[i].Backward();
        }
    }

    private Tensor WithoutHistory() => new(Storage, _shape, _strides, _offset) { Packed = Packed };

    private void Seed(Tensor weights)
    {
        if (dtype == Dtype.Float64) weights.CopyTo(Gradient!.Span<double>());
        else weights.CopyTo(Gradient!.Span<float>());
    }

    /// <summary>Computes nothing and passes no gradient; it only keeps the recorded order complete.</summary>
    private sealed class NoDiff(Tensor x) : ViewOperation(x)
    {
        public override bool CutsGradient => true;

        protected override PackedRows? Keep(PackedRows rows) => rows;

        protected override void Backward<T>()
        {
        }
    }
}

/// <summary>The operations behind a value, in the order in which they can run.</summary>
internal static class Tape
{
    public static List<Operation> Of(ReadOnlySpan<Tensor> outputs, bool differentiableOnly)
    {
        var found = new HashSet<Operation>(ReferenceEqualityComparer.Instance);
        var open = new Stack<Operation>();
        foreach (var output in outputs) Visit(output);
        while (open.TryPop(out var operation))
        {
            foreach (var input in operation.Inputs) Visit(input);
        }

        var order = new List<Operation>(found);
        order.Sort((a, b) => a.Serial.CompareTo(b.Serial));
        return order;

        void Visit(Tensor tensor)
        {
            if (tensor.Creator is { } creator && !(differentiableOnly && tensor.IsLeaf) && found.Add(creator)) open.Push(creator);
        }
    }

    /// <summary>
    /// Forgets what an earlier backward run left, so that the next one starts from nothing. A gradient gives up a buffer
    /// that a recording lends in turn: another order of operations would overwrite it before it is free.
    /// </summary>
    public static void Forget(List<Operation> order)
    {
        foreach (var operation in order)
        {
            if (operation.Output.Gradient is { } own) Forget(own);
            foreach (var input in operation.Inputs)
            {
                if (input.Gradient is { } gradient) Forget(gradient);
            }
        }

        static void Forget(Gradient gradient)
        {
            gradient.IsTouched = false;
            if (gradient.TakesTurns) gradient.Storage = null;
            gradient.TakesTurns = false;
        }
    }
}
