using System.Numerics.Tensors;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Sets without their absent items, so that layers spend no time on them.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// The items [b, n, d] whose presence [b, n] isn't 0, one set behind the other, in rows [b·n, d]. Only as many rows are
    /// valid as there are such items; what the others hold is unspecified. Packed rows go through <see cref="linear"/>,
    /// <see cref="layerNorm"/>, <see cref="attention"/> (among the rows of their own set) and operations on two tensors of
    /// the same packing. All other operations refuse them. Presence gets no gradient.
    /// </summary>
    /// <exception cref="ShapeError">The sizes or dtypes don't fit.</exception>
    public Tensor pack(Tensor presence)
    {
        CheckSameDtype("pack", this, presence);
        if (dim != 3 || presence.dim != 2 || presence._shape[0] != _shape[0] || presence._shape[1] != _shape[1])
            throw ShapeError.Of("pack", $"items {Shape.Text(Sizes)}, presence {Shape.Text(presence.Sizes)}; needs [b, n, d] and [b, n]");
        var operation = new PackOperation(contiguous(), presence.contiguous());
        return operation.Run(dtype, [_shape[0] * _shape[1], _shape[2]]);
    }

    /// <summary>Unpacks the rows to [b, n, d], with the given vector [d] in place of each absent item.</summary>
    /// <exception cref="ShapeError">The tensor isn't packed, or the vector doesn't fit.</exception>
    public Tensor unpack(Tensor absent)
    {
        CheckSameDtype("unpack", this, absent);
        if (Packed is null) throw ShapeError.Of("unpack", $"{Shape.Text(Sizes)} isn't packed; needs what pack returned, or layers made of it");
        if (absent.dim != 1 || absent._shape[0] != _shape[1])
            throw ShapeError.Of("unpack", $"rows {Shape.Text(Sizes)}, absent items {Shape.Text(absent.Sizes)}; needs [b·n, d] and [d]");
        return new UnpackOperation(this, absent.contiguous(), Packed).Run(dtype, [Packed.Sets, Packed.Items, _shape[1]]);
    }

    private sealed class PackOperation(Tensor items, Tensor presence) : Operation(items, presence)
    {
        private readonly PackedRows _rows = new(items._shape[0], items._shape[1]);

        protected override PackedRows? Made => _rows;

        protected override void Forward<T>()
        {
            _rows.Choose<T>(Inputs[1].Data<T>());
            int d = Output._shape[1], row = 0;
            var x = Inputs[0].Data<T>();
            var y = Output.Data<T>();
            foreach (int place in _rows.Places) x.Slice(place * d, d).CopyTo(y.Slice(row++ * d, d));
        }

        protected override void Backward<T>()
        {
            if (!Wants(0)) return;
            int d = Output._shape[1], row = 0;
            var g = OutputGradient<T>();
            var into = InputGradientToAdd<T>(0);
            foreach (int place in _rows.Places)
            {
                var target = into.Slice(place * d, d);
                TensorPrimitives.Add(target, g.Slice(row++ * d, d), target);
            }
        }
    }

    private sealed class UnpackOperation(Tensor packed, Tensor absent, PackedRows rows) : Operation(packed, absent)
    {
        private readonly int _d = packed._shape[1];

        protected override PackedRows? Keep(PackedRows kept) => Inputs[1].Packed is null ? null : base.Keep(kept);

        protected override void Forward<T>()
        {
            var y = Output.Data<T>();
            var x = Inputs[0].Data<T>();
            Rowwise.Repeat<T>(Inputs[1].Data<T>(), y);
            int row = 0;
            foreach (int place in rows.Places) x.Slice(row++ * _d, _d).CopyTo(y.Slice(place * _d, _d));
        }

        /// <summary>
        /// Valid rows take their items' gradients. The gradients of absent items are written out first and then summed
        /// pairwise: adding them one after the other would drift.
        /// </summary>
        protected override void Backward<T>()
        {
            var g = OutputGradient<T>();
            if (Wants(0))
            {
                var into = InputGradientToAdd<T>(0);
                int row = 0;
                foreach (int place in rows.Places)
                {
                    var target = into.Slice(row++ * _d, _d);
                    TensorPrimitives.Add(target, g.Slice(place * _d, _d), target);
                }
            }

            if (!Wants(1)) return;
            var left = Scratch.Take<T>(4, g.Length - (rows.Count * _d));
            int next = 0, absences = 0;
            for (int place = 0; place < rows.Sets * rows.Items; place++)
            {
                if (next < rows.Count && rows.Places[next] == place) next++;
                else g.Slice(place * _d, _d).CopyTo(left.Slice(absences++ * _d, _d));
            }

            Rowwise.AddSum<T>(left, InputGradientToAdd<T>(1));
        }
    }
}
