using System;
using System.Collections.Generic;
using System.Linq;

namespace Scae.Tensors;

/// <summary>
/// A computation that is recorded once and replayed over the same tensors. The inputs are written in place, forward and
/// backward run the recorded operations again, and nothing is allocated. Gradients of intermediate values take turns in as
/// few buffers as their lifetimes allow. What is recorded can depend on shapes but not on values: reading a result while
/// recording is an error.
/// </summary>
public sealed class Recording
{
    [ThreadStatic]
    private static bool t_active;

    private readonly Operation[] _forward;
    private readonly Operation[] _backward;
    private readonly (Gradient Gradient, Storage Storage, bool TakesTurns)[] _plan;
    private readonly Tensor[] _outputs;

    private Recording(Tensor[] outputs)
    {
        _outputs = outputs;
        var order = Tape.Of(outputs, differentiableOnly: false);
        _forward = order.Where(operation => operation is not ViewOperation).ToArray();
        bool differentiable = outputs.Length > 0 && outputs[0] is { RequiresGradient: true, nelement: 1 };
        var backward = differentiable ? Tape.Of(outputs.AsSpan(0, 1), differentiableOnly: true) : [];
        backward.Reverse();
        _backward = backward.Where(operation => !operation.SharesGradient).ToArray();
        var storages = new HashSet<Storage>(order.SelectMany(operation => operation.Inputs.Append(operation.Output)).Select(tensor => tensor.Storage));
        foreach (var storage in storages) storage.Align();
        _plan = Plan(backward);
        storages.UnionWith(_plan.Select(gradient => gradient.Storage));
        Bytes = storages.Sum(storage => (long)storage.Length * (storage.Dtype == Dtype.Float64 ? 8 : 4));
    }

    /// <summary>What the recorded function returned; the values change with every replay.</summary>
    public IReadOnlyList<Tensor> Outputs => _outputs;

    /// <summary>
    /// The memory in bytes of all values and gradients that a replay goes through, inputs included. What single operations
    /// keep for themselves (weights of attention, slopes of a part mixture, functions of votes) isn't counted.
    /// </summary>
    public long Bytes { get; }

    /// <summary>How many operations a forward replay runs.</summary>
    public int Count => _forward.Length;

    internal static bool IsActive => t_active;

    /// <summary>What follows on this thread isn't recorded, until <see cref="Resume"/> gets the result of this.</summary>
    internal static bool Suspend()
    {
        bool wasActive = t_active;
        t_active = false;
        return wasActive;
    }

    internal static void Resume(bool wasActive) => t_active = wasActive;

    /// <summary>
    /// Runs a function once and records it. <see cref="Reverse"/> starts from its first output, and can be called only if
    /// that is a scalar that depends on tensors marked by reverseDiff.
    /// </summary>
    /// <exception cref="InvalidOperationException">A recording is under way already, or the function reads values.</exception>
    public static Recording Of(Func<IEnumerable<Tensor>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        if (t_active) throw new InvalidOperationException("Recording.Of: a recording is under way on this thread already; recordings don't nest");
        t_active = true;
        try
        {
            return new Recording(function().ToArray());
        }
        finally
        {
            t_active = false;
        }
    }

    /// <summary>Runs forward over the inputs' present values.</summary>
    public void Forward()
    {
        foreach (var operation in _forward) operation.Forward();
    }

    /// <summary>Runs backwards from the first output; afterwards the marked tensors' derivatives are those of this run.</summary>
    /// <exception cref="InvalidOperationException">The first output isn't a scalar that depends on a marked tensor.</exception>
    public void Reverse()
    {
        if (_plan.Length == 0) throw new InvalidOperationException("Recording.Reverse: the first output must be a scalar that depends on a tensor marked by reverseDiff");

        // Another recording over the same tensors, or an eager run, may have given the gradients other buffers since.
        foreach (var (gradient, storage, takesTurns) in _plan)
        {
            gradient.Storage = storage;
            gradient.TakesTurns = takesTurns;
            gradient.IsTouched = false;
        }

        var seed = _outputs[0].Gradient!;
        seed.IsTouched = true;
        if (seed.Dtype == Dtype.Float64) seed.Span<double>()[0] = 1;
        else seed.Span<float>()[0] = 1;
        foreach (var operation in _backward)
        {
            if (operation.Output.Gradient!.IsTouched) operation.Backward();
        }
    }

    /// <summary>
    /// Walks through the backward run once and assigns buffers. A gradient needs a buffer from its first contribution until
    /// the operation that made its tensor has run backwards. Leaves keep theirs.
    /// </summary>
    private (Gradient Gradient, Storage Storage, bool TakesTurns)[] Plan(List<Operation> backward)
    {
        var leaves = new HashSet<Gradient>(backward.SelectMany(operation => operation.Inputs)
            .Where(input => input.IsLeaf && input.Gradient is not null).Select(input => input.Gradient!));
        var assigned = new Dictionary<Gradient, Storage>();
        var free = new List<Storage>();
        if (backward.Count > 0) Assign(_outputs[0].Gradient!);
        foreach (var operation in backward)
        {
            foreach (var input in operation.Inputs)
            {
                if (input.Gradient is { } gradient) Assign(gradient);
            }

            var own = operation.Output.Gradient!;
            if (!operation.SharesGradient && !leaves.Contains(own) && assigned.TryGetValue(own, out var storage)) free.Add(storage);
        }

        return [.. assigned.Select(pair => (pair.Key, pair.Value, !leaves.Contains(pair.Key)))];

        void Assign(Gradient gradient)
        {
            if (assigned.ContainsKey(gradient)) return;
            if (leaves.Contains(gradient))
            {
                // Kept, not replaced: another recording or a held derivative may look at it.
                if (gradient.Storage is null) gradient.Storage = Storage.Aligned(gradient.Dtype, gradient.Length);
                else gradient.Storage.Align();
                assigned.Add(gradient, gradient.Storage);
                return;
            }

            var fitting = free.Where(storage => storage.Dtype == gradient.Dtype && storage.Length >= gradient.Length)
                .OrderBy(storage => storage.Length).FirstOrDefault();
            if (fitting is not null && fitting.Length <= 2L * Math.Max(gradient.Length, 1024)) free.Remove(fitting);
            else fitting = Storage.Aligned(gradient.Dtype, gradient.Length);
            assigned.Add(gradient, fitting);
            gradient.TakesTurns = true;
        }
    }
}
