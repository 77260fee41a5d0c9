using System.Numerics;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>What operations have in common whose work is cut into ranges.</content>
public sealed partial class Tensor
{
    /// <summary>An operation on items, such as rows or images, which threads share: nobody writes what belongs to another item.</summary>
    private abstract class SharedOperation(params Tensor[] inputs) : Operation(inputs)
    {
        /// <summary>How many items there are.</summary>
        protected abstract int Items { get; }

        /// <summary>Whether the work is worth sharing.</summary>
        protected virtual bool IsLong => Inputs[0].nelement >= Sharing.ManyElements;

        protected override void Forward<T>()
        {
            if (Items > 0) Sharing.Run(new ForwardRange<T>(this), Items, IsLong);
        }

        /// <summary>Computes the first input's gradient; operations that have others override it.</summary>
        protected override void Backward<T>()
        {
            if (!Wants(0)) return;
            InputGradient<T>(0, out bool accumulate);
            Backward<T>(Items, accumulate);
        }

        /// <summary>Shares the backward rule of so many items.</summary>
        protected void Backward<T>(int items, bool accumulate)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            if (items > 0) Sharing.Run(new BackwardRange<T>(this, accumulate), items, IsLong);
        }

        /// <summary>The forward rule for items from, …, to − 1.</summary>
        protected abstract void Forward<T>(int from, int to)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>;

        /// <summary>The backward rule for items from, …, to − 1. It adds to the first input's gradient or overwrites it.</summary>
        protected abstract void Backward<T>(int from, int to, bool accumulate)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>;

        private readonly struct ForwardRange<T>(SharedOperation operation) : IRange
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            public void Run(int from, int to) => operation.Forward<T>(from, to);
        }

        private readonly struct BackwardRange<T>(SharedOperation operation, bool accumulate) : IRange
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            public void Run(int from, int to) => operation.Backward<T>(from, to, accumulate);
        }
    }
}
