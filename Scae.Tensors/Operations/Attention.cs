using System;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Scaled dot-product attention in one operation.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// softmax(scale · q·kᵀ)·v for each head (Vaswani et al. 2017, eq. 1): queries [b, n, h·d], or [n, h·d] shared by the
    /// batch, keys [b, m, h·d] and values [b, m, h·e] → [b, n, h·e]. Heads are consecutive blocks of the last axis. scale
    /// is 1/√d unless given. Packed rows (see <see cref="pack"/>) attend only to rows of their own set.
    /// </summary>
    /// <exception cref="ShapeError">The sizes or dtypes don't fit, or a width isn't divisible by the heads.</exception>
    public static Tensor attention(Tensor queries, Tensor keys, Tensor values, int heads = 1, double? scale = null) =>
        AttentionOperation.Of(queries, keys, values, heads, scale).Output;

    /// <summary>As <see cref="attention"/>, with the weights [b, h, n, m] (each row sums to 1), which carry no gradient.</summary>
    /// <exception cref="ShapeError">The sizes or dtypes don't fit, or a width isn't divisible by the heads.</exception>
    public static (Tensor Output, Tensor Weights) attentionWithWeights(Tensor queries, Tensor keys, Tensor values, int heads = 1, double? scale = null)
    {
        var operation = AttentionOperation.Of(queries, keys, values, heads, scale);
        return (operation.Output, new WeightsOf(operation.Output, operation).Run(queries.dtype, operation.WeightsShape));
    }

    /// <summary>
    /// As <see cref="attention"/>, over keys that are each present to a degree d [b, m] in [0, 1]; <paramref name="mask"/>
    /// says how presence counts. A set whose keys are all absent is attended to evenly, never with NaN.
    /// </summary>
    /// <exception cref="ShapeError">The sizes or dtypes don't fit, or a width isn't divisible by the heads.</exception>
    /// <exception cref="ArgumentException">The scale isn't positive, or there is no such mask.</exception>
    public static Tensor maskedAttention(
        Tensor queries, Tensor keys, Tensor values, Tensor presence, PresenceMask mask = PresenceMask.Hard, int heads = 1, double? scale = null)
    {
        CheckSameDtype("maskedAttention", keys, presence);
        if (scale is not null && !(scale > 0)) throw new ArgumentException($"maskedAttention: scale {scale}; must be positive");
        if (!Enum.IsDefined(mask)) throw new ArgumentException($"maskedAttention: there is no mask {mask}", nameof(mask));
        if (presence.dim != 2 || keys.dim != 3 || presence._shape[0] != keys._shape[0] || presence._shape[1] != keys._shape[1])
            throw ShapeError.Of("maskedAttention", $"presence {Shape.Text(presence.Sizes)} of keys {Shape.Text(keys.Sizes)}; needs [b, m] and [b, m, h·d]");
        return AttentionOperation.Of(queries, keys, values, heads, scale, presence.contiguous(), mask).Output;
    }

    /// <summary>
    /// P = softmax(s·QKᵀ), Y = PV; backwards ∂V = Pᵀ∂Y, ∂S = s·P ∘ (∂P − Σ ∂P∘P) with ∂P = ∂Y·Vᵀ, ∂Q = ∂S·K and
    /// ∂K = ∂Sᵀ·Q. The weights are kept from forward in padded rows, [b, h, n, padded m].
    /// With presence d the scores are s·QKᵀ + β(d), one number a key, and ∂β is the sum of ∂S/s over heads and queries.
    /// </summary>
    private sealed class AttentionOperation : Operation
    {
        private readonly int _batch;
        private readonly int _heads;
        private readonly int _padded;
        private readonly int _queryBatch;
        private readonly double _scale;
        private readonly AttentionShape _shape;
        private readonly PresenceMask _mask;

        private AttentionOperation(Tensor[] inputs, int heads, double scale, PresenceMask mask)
            : base(inputs)
        {
            var (q, k, v) = (inputs[0], inputs[1], inputs[2]);
            _mask = mask;
            (_batch, _heads, _scale) = (k._shape[0], heads, scale);
            _shape = new AttentionShape(q._shape[^2], k._shape[1], q._shape[^1] / heads, v._shape[2] / heads, q._shape[^1], v._shape[2]);
            _queryBatch = q.dim == 2 ? 0 : _shape.Queries * q._shape[^1];
            _padded = q.dtype == Dtype.Float64 ? Planes.Pitch<double>(_shape.Keys) : Planes.Pitch<float>(_shape.Keys);
            Weights = Allocate(q.dtype, [_batch, heads, _shape.Queries, _padded]);
        }

        // For packed rows: their tensors have just two axes, rows and widths.
        private AttentionOperation(Tensor[] inputs, PackedRows rows, int heads, double scale)
            : base(inputs)
        {
            var (q, v) = (inputs[0], inputs[2]);
            (_batch, _heads, _scale) = (rows.Sets, heads, scale);
            _shape = new AttentionShape(rows.Items, rows.Items, q._shape[1] / heads, v._shape[1] / heads, q._shape[1], v._shape[1]);
            _queryBatch = rows.Items * q._shape[1];
            _padded = q.dtype == Dtype.Float64 ? Planes.Pitch<double>(rows.Items) : Planes.Pitch<float>(rows.Items);
            Weights = Allocate(q.dtype, [_batch, heads, rows.Items, _padded]);
        }

        public Tensor Weights { get; }

        public int[] WeightsShape => [_batch, _heads, _shape.Queries, _shape.Keys];

        public static AttentionOperation Of(Tensor q, Tensor k, Tensor v, int heads, double? scale, Tensor? presence = null, PresenceMask mask = PresenceMask.Hard)
        {
            CheckSameDtype("attention", q, k);
            CheckSameDtype("attention", k, v);
            if (q.Packed is { } rows) return OfPacked(q, k, v, rows, heads, scale);
            bool fits = k.dim == 3 && v.dim == 3 && q.dim is 2 or 3 && k._shape[1] == v._shape[1] && k._shape[0] == v._shape[0]
                && q._shape[^1] == k._shape[2] && (q.dim == 2 || q._shape[0] == k._shape[0]);
            if (!fits || !AreWidths(q._shape[^1], v._shape[2], heads) || k._shape[1] == 0)
                throw ShapeError.Of("attention", $"queries {Shape.Text(q.Sizes)}, keys {Shape.Text(k.Sizes)}, values {Shape.Text(v.Sizes)}, {heads} heads; needs [b, n, h·d] or [n, h·d], [b, m, h·d] and [b, m, h·e] with m, d > 0");
            Tensor[] inputs = presence is null ? [q.contiguous(), k.contiguous(), v.contiguous()] : [q.contiguous(), k.contiguous(), v.contiguous(), presence];
            var operation = new AttentionOperation(inputs, heads, scale ?? 1 / Math.Sqrt((double)q._shape[^1] / heads), mask);
            operation.Run(q.dtype, [k._shape[0], q._shape[^2], v._shape[2]]);
            return operation;
        }

        /// <summary>Whether queries and values of these widths can be divided among heads.</summary>
        private static bool AreWidths(int queries, int values, int heads) =>
            heads > 0 && queries > 0 && queries % heads == 0 && values % heads == 0;

        private static AttentionOperation OfPacked(Tensor q, Tensor k, Tensor v, PackedRows rows, int heads, double? scale)
        {
            if (k.Packed != rows || v.Packed != rows) throw PackedRows.Refusal(q, k, v);
            if (q._shape[1] != k._shape[^1] || !AreWidths(q._shape[1], v._shape[^1], heads))
                throw ShapeError.Of("attention", $"packed queries {Shape.Text(q.Sizes)}, keys {Shape.Text(k.Sizes)}, values {Shape.Text(v.Sizes)}, {heads} heads; needs [b·n, h·d], the same and [b·n, h·e] with d > 0");
            var operation = new AttentionOperation([q, k, v], rows, heads, scale ?? 1 / Math.Sqrt((double)q._shape[1] / heads));
            operation.Run(q.dtype, [q._shape[0], v._shape[1]]);
            return operation;
        }

        private AttentionBatch Batch => new(_shape, _batch, _heads, _queryBatch, _padded, _scale, Inputs.Length > 3 ? _mask : null, Output.Packed);

        protected override PackedRows? Keep(PackedRows rows) =>
            Inputs.Length == 3 && rows == Inputs[0].Packed && rows == Inputs[1].Packed && rows == Inputs[2].Packed ? rows : base.Keep(rows);

        protected override void Forward<T>()
        {
            if (Output.nelement == 0) return;
            Weights.Storage.AlignLike(Output.Storage);
            Batch.Forward(Inputs[0].Data<T>(), Inputs[1].Data<T>(), Inputs[2].Data<T>(), Presence<T>(), Weights.Data<T>(), Output.Data<T>());
        }

        protected override void Backward<T>()
        {
            if (Output.nelement == 0) return;
            bool addToQueries = true, addToKeys = true, addToValues = true;
            var toValues = Wants(2) ? InputGradient<T>(2, out addToValues) : default;
            Span<T> toQueries = default;
            if (Wants(0)) toQueries = _queryBatch == 0 ? InputGradientToAdd<T>(0) : InputGradient<T>(0, out addToQueries);
            var toKeys = Wants(1) ? InputGradient<T>(1, out addToKeys) : default;
            var toPresence = Inputs.Length > 3 && _mask == PresenceMask.Log && Wants(3) ? InputGradientToAdd<T>(3) : default;
            Batch.Backward(
                Inputs[0].Data<T>(), Inputs[1].Data<T>(), Inputs[2].Data<T>(), Presence<T>(), Weights.Data<T>(), OutputGradient<T>(),
                toQueries, addToQueries, toKeys, addToKeys, toValues, addToValues, toPresence);
        }

        private ReadOnlySpan<T> Presence<T>()
            where T : unmanaged => Inputs.Length > 3 ? Inputs[3].Data<T>() : default;
    }

    /// <summary>
    /// Copies out the weights that an attention's last forward run left. Its input is the attention's output, so that it
    /// runs afterwards.
    /// </summary>
    private sealed class WeightsOf(Tensor output, AttentionOperation attention) : CutOperation(output)
    {
        protected override void Forward<T>()
        {
            var y = Output.Data<T>();
            var p = attention.Weights.Data<T>();
            int keys = Output._shape[^1], padded = attention.Weights._shape[^1];
            for (int row = 0; row * keys < y.Length; row++) p.Slice(row * padded, keys).CopyTo(y.Slice(row * keys, keys));
        }
    }
}
