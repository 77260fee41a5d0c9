using System;
using System.Numerics;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Scaled dot-product attention in one operation.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// softmax(scale · q·kᵀ)·v for each head (Vaswani et al. 2017, eq. 1): queries [b, n, h·d] or [n, h·d] shared by
    /// the batch, keys [b, m, h·d], values [b, m, h·e] → [b, n, h·e]. Heads are consecutive blocks of the last axis.
    /// scale is 1/√d unless given.
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
    /// As <see cref="attention"/> over keys of which each is present to a degree d [b, m] in [0, 1]; how that counts,
    /// <paramref name="mask"/> says. A set without a present key is attended to evenly, never NaN.
    /// </summary>
    /// <exception cref="ShapeError">The sizes or dtypes don't fit, or a width isn't divisible by the heads.</exception>
    /// <exception cref="ArgumentException">The scale isn't positive.</exception>
    public static Tensor maskedAttention(
        Tensor queries, Tensor keys, Tensor values, Tensor presence, PresenceMask mask = PresenceMask.Hard, int heads = 1, double? scale = null)
    {
        CheckSameDtype("maskedAttention", keys, presence);
        if (scale is not null && !(scale > 0)) throw new ArgumentException($"maskedAttention: scale {scale}; must be positive");
        if (presence.dim != 2 || keys.dim != 3 || presence._shape[0] != keys._shape[0] || presence._shape[1] != keys._shape[1])
            throw ShapeError.Of("maskedAttention", $"presence {Scae.Tensors.Shape.Text(presence.Shape)} of keys {Scae.Tensors.Shape.Text(keys.Shape)}; needs [b, m] and [b, m, h·d]");
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
            _padded = q.dtype == Dtype.Float64 ? AttentionKernel.Padded<double>(_shape.Keys) : AttentionKernel.Padded<float>(_shape.Keys);
            Weights = Allocate(q.dtype, [_batch, heads, _shape.Queries, _padded]);
        }

        public Tensor Weights { get; }

        public int[] WeightsShape => [_batch, _heads, _shape.Queries, _shape.Keys];

        public static AttentionOperation Of(Tensor q, Tensor k, Tensor v, int heads, double? scale, Tensor? presence = null, PresenceMask mask = PresenceMask.Hard)
        {
            CheckSameDtype("attention", q, k);
            CheckSameDtype("attention", k, v);
            bool fits = k.dim == 3 && v.dim == 3 && q.dim is 2 or 3 && k._shape[1] == v._shape[1] && k._shape[0] == v._shape[0]
                && q._shape[^1] == k._shape[2] && (q.dim == 2 || q._shape[0] == k._shape[0]);
            if (!fits || heads < 1 || q._shape[^1] % heads != 0 || v._shape[2] % heads != 0 || k._shape[1] == 0)
                throw ShapeError.Of("attention", $"queries {Scae.Tensors.Shape.Text(q.Shape)}, keys {Scae.Tensors.Shape.Text(k.Shape)}, values {Scae.Tensors.Shape.Text(v.Shape)}, {heads} heads; needs [b, n, h·d] or [n, h·d], [b, m, h·d] and [b, m, h·e] with m > 0");
            Tensor[] inputs = presence is null ? [q.contiguous(), k.contiguous(), v.contiguous()] : [q.contiguous(), k.contiguous(), v.contiguous(), presence];
            var operation = new AttentionOperation(inputs, heads, scale ?? 1 / Math.Sqrt((double)q._shape[^1] / heads), mask);
            operation.Run(q.dtype, [k._shape[0], q._shape[^2], v._shape[2]]);
            return operation;
        }

        protected override void Forward<T>()
        {
            if (Output.nelement == 0) return;
            Weights.Storage.AlignLike(Output.Storage);
            ReadOnlySpan<T> q = Inputs[0].Data<T>(), k = Inputs[1].Data<T>(), v = Inputs[2].Data<T>();
            Span<T> p = Weights.Data<T>(), y = Output.Data<T>();
            T scale = T.CreateChecked(_scale);
            for (int b = 0; b < _batch; b++)
            {
                var bias = Bias<T>(b, scale);
                for (int h = 0; h < _heads; h++)
                    AttentionKernel.Forward(_shape, q[QueryAt(b, h)..], k[KeyAt(b, h)..], v[ValueAt(b, h)..], scale, bias, p[WeightAt(b, h)..], y[OutputAt(b, h)..]);
            }
        }

        protected override void Backward<T>()
        {
            if (Output.nelement == 0) return;
            if (Wants(2)) ValueGradient<T>();
            if (Wants(0) || Wants(1) || PresenceWants) ScoreGradients<T>();
        }

        private bool PresenceWants => Inputs.Length > 3 && _mask == PresenceMask.Log && Wants(3);

        /// <summary>What the presences of one set add to the scaled scores of its keys; empty without presences.</summary>
        private ReadOnlySpan<T> Bias<T>(int b, T scale)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            if (Inputs.Length < 4) return [];
            var presence = Inputs[3].Data<T>().Slice(b * _shape.Keys, _shape.Keys);
            return _mask == PresenceMask.Hard ? AttentionKernel.HardBias<T>(presence, scale) : AttentionKernel.LogBias<T>(presence);
        }

        private void ValueGradient<T>()
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            ReadOnlySpan<T> p = Weights.Data<T>(), g = OutputGradient<T>();
            var into = InputGradient<T>(2, out bool accumulate);
            var (n, m, _, e, _, stride) = _shape;
            for (int b = 0; b < _batch; b++)
            {
                for (int h = 0; h < _heads; h++)
                    MatMul.Multiply<T>(m, e, n, p[WeightAt(b, h)..], 1, _padded, g[OutputAt(b, h)..], stride, 1, into[ValueAt(b, h)..], stride, accumulate);
            }
        }

        private void ScoreGradients<T>()
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            ReadOnlySpan<T> p = Weights.Data<T>(), g = OutputGradient<T>(), q = Inputs[0].Data<T>(), k = Inputs[1].Data<T>(), v = Inputs[2].Data<T>();
            bool toQueries = Wants(0), toKeys = Wants(1), addQueries = true, addKeys = true;
            Span<T> dq = default, dk = default;
            if (toQueries) dq = _queryBatch == 0 ? InputGradientToAdd<T>(0) : InputGradient<T>(0, out addQueries);
            if (toKeys && !(toQueries && ReferenceEquals(Inputs[0].Gradient, Inputs[1].Gradient))) dk = InputGradient<T>(1, out addKeys);
            else if (toKeys) dk = dq;
            Span<T> dd = PresenceWants ? InputGradientToAdd<T>(3) : default;
            T scale = T.CreateChecked(_scale);
            var (n, m, d, _, stride, _) = _shape;
            for (int b = 0; b < _batch; b++)
            {
                for (int h = 0; h < _heads; h++)
                {
                    var ds = AttentionKernel.ScoreGradient(_shape, g[OutputAt(b, h)..], v[ValueAt(b, h)..], p[WeightAt(b, h)..], scale);
                    if (toQueries) MatMul.Multiply<T>(n, d, m, ds, _padded, 1, k[KeyAt(b, h)..], stride, 1, dq[QueryAt(b, h)..], stride, addQueries);
                    if (toKeys) MatMul.Multiply<T>(m, d, n, ds, 1, _padded, q[QueryAt(b, h)..], stride, 1, dk[KeyAt(b, h)..], stride, addKeys);
                    if (!dd.IsEmpty) AttentionKernel.AddLogBiasGradient(ds, _padded, Inputs[3].Data<T>().Slice(b * m, m), scale, dd.Slice(b * m, m));
                }
            }
        }

        private int QueryAt(int b, int h) => (b * _queryBatch) + (h * _shape.Width);

        private int KeyAt(int b, int h) => (b * _shape.Keys * _shape.KeyStride) + (h * _shape.Width);

        private int ValueAt(int b, int h) => (b * _shape.Keys * _shape.ValueStride) + (h * _shape.Values);

        private int OutputAt(int b, int h) => (b * _shape.Queries * _shape.ValueStride) + (h * _shape.Values);

        private int WeightAt(int b, int h) => ((b * _heads) + h) * _shape.Queries * _padded;
    }

    /// <summary>The weights that the last forward run of an attention left; made from its output so that it runs after it.</summary>
    private sealed class WeightsOf(Tensor output, AttentionOperation attention) : Operation(output)
    {
        public override bool CutsGradient => true;

        protected override void Forward<T>()
        {
            var y = Output.Data<T>();
            var p = attention.Weights.Data<T>();
            int keys = Output._shape[^1], padded = attention.Weights._shape[^1];
            for (int row = 0; row * keys < y.Length; row++) p.Slice(row * padded, keys).CopyTo(y.Slice(row * keys, keys));
        }

        protected override void Backward<T>()
        {
        }
    }
}
