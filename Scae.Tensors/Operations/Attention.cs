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
        return (operation.Output, new WeightsOf(operation.Output, operation).Run(queries.dtype, operation.Weights.shape));
    }

    /// <summary>
    /// P = softmax(s·QKᵀ), Y = PV; backwards ∂V = Pᵀ∂Y, ∂S = P ∘ (∂P − Σ ∂P∘P) with ∂P = ∂Y·Vᵀ, ∂Q = s·∂S·K,
    /// ∂K = s·∂Sᵀ·Q. The weights are kept from forward, [b, h, n, m].
    /// </summary>
    private sealed class AttentionOperation : Operation
    {
        private readonly int _batch;
        private readonly int _heads;
        private readonly int _queries;
        private readonly int _keys;
        private readonly int _width;
        private readonly int _values;
        private readonly int _queryBatch;
        private readonly double _scale;

        private AttentionOperation(Tensor q, Tensor k, Tensor v, int heads, double scale)
            : base(q, k, v)
        {
            (_batch, _heads, _queries, _keys) = (k._shape[0], heads, q._shape[^2], k._shape[1]);
            (_width, _values) = (q._shape[^1] / heads, v._shape[2] / heads);
            _queryBatch = q.dim == 2 ? 0 : _queries * q._shape[^1];
            _scale = scale;
            Weights = Allocate(q.dtype, [_batch, heads, _queries, _keys]);
        }

        public Tensor Weights { get; }

        public static AttentionOperation Of(Tensor q, Tensor k, Tensor v, int heads, double? scale)
        {
            CheckSameDtype("attention", q, k);
            CheckSameDtype("attention", k, v);
            bool fits = k.dim == 3 && v.dim == 3 && q.dim is 2 or 3 && k._shape[1] == v._shape[1] && k._shape[0] == v._shape[0]
                && q._shape[^1] == k._shape[2] && (q.dim == 2 || q._shape[0] == k._shape[0]);
            if (!fits || heads < 1 || q._shape[^1] % heads != 0 || v._shape[2] % heads != 0 || k._shape[1] == 0)
                throw ShapeError.Of("attention", $"queries {Scae.Tensors.Shape.Text(q.Shape)}, keys {Scae.Tensors.Shape.Text(k.Shape)}, values {Scae.Tensors.Shape.Text(v.Shape)}, {heads} heads; needs [b, n, h·d] or [n, h·d], [b, m, h·d] and [b, m, h·e] with m > 0");
            var operation = new AttentionOperation(q.contiguous(), k.contiguous(), v.contiguous(), heads, scale ?? 1 / Math.Sqrt((double)q._shape[^1] / heads));
            operation.Run(q.dtype, [k._shape[0], q._shape[^2], v._shape[2]]);
            return operation;
        }

        protected override void Forward<T>()
        {
            if (Output.nelement == 0) return;
            Weights.Storage.AlignLike(Output.Storage);
            var p = Weights.Data<T>();
            ReadOnlySpan<T> q = Inputs[0].Data<T>(), k = Inputs[1].Data<T>(), v = Inputs[2].Data<T>();
            var y = Output.Data<T>();
            int dk = _width * _heads, dv = _values * _heads, map = _queries * _keys;
            for (int h = 0; h < _heads; h++)
            {
                MatMul.MultiplyBatched<T>(
                    _batch, _queries, _keys, _width, q[(h * _width)..], _queryBatch, dk, 1, k[(h * _width)..], _keys * dk, 1, dk, p[(h * map)..], _heads * map, _keys, accumulate: false);
            }

            SoftmaxKernel.Forward(p, _keys, T.CreateChecked(_scale), p);
            for (int h = 0; h < _heads; h++)
            {
                MatMul.MultiplyBatched<T>(
                    _batch, _queries, _values, _keys, p[(h * map)..], _heads * map, _keys, 1, v[(h * _values)..], _keys * dv, dv, 1, y[(h * _values)..], _queries * dv, dv, accumulate: false);
            }
        }

        protected override void Backward<T>()
        {
            if (Output.nelement == 0) return;
            ReadOnlySpan<T> p = Weights.Data<T>(), g = OutputGradient<T>();
            int dv = _values * _heads, map = _queries * _keys;
            if (Wants(2))
            {
                var into = InputGradient<T>(2, out bool accumulate);
                for (int h = 0; h < _heads; h++)
                {
                    MatMul.MultiplyBatched<T>(
                        _batch, _keys, _values, _queries, p[(h * map)..], _heads * map, 1, _keys, g[(h * _values)..], _queries * dv, dv, 1, into[(h * _values)..], _keys * dv, dv, accumulate);
                }
            }

            if (!Wants(0) && !Wants(1)) return;
            var ds = Scratch.Take<T>(1, p.Length);
            ReadOnlySpan<T> v = Inputs[2].Data<T>();
            for (int h = 0; h < _heads; h++)
            {
                MatMul.MultiplyBatched<T>(
                    _batch, _queries, _keys, _values, g[(h * _values)..], _queries * dv, dv, 1, v[(h * _values)..], _keys * dv, 1, dv, ds[(h * map)..], _heads * map, _keys, accumulate: false);
            }

            SoftmaxKernel.Backward(ds, p, _keys, T.CreateChecked(_scale), ds, accumulate: false);
            ScoreGradients<T>(ds);
        }

        private void ScoreGradients<T>(ReadOnlySpan<T> ds)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            int dk = _width * _heads, map = _queries * _keys;
            ReadOnlySpan<T> q = Inputs[0].Data<T>(), k = Inputs[1].Data<T>();
            if (Wants(0))
            {
                bool accumulate = true;
                var into = _queryBatch == 0 ? InputGradientToAdd<T>(0) : InputGradient<T>(0, out accumulate);
                for (int h = 0; h < _heads; h++)
                {
                    MatMul.MultiplyBatched<T>(
                        _batch, _queries, _width, _keys, ds[(h * map)..], _heads * map, _keys, 1, k[(h * _width)..], _keys * dk, dk, 1, into[(h * _width)..], _queryBatch, dk, accumulate);
                }
            }

            if (Wants(1))
            {
                var into = InputGradient<T>(1, out bool accumulate);
                for (int h = 0; h < _heads; h++)
                {
                    MatMul.MultiplyBatched<T>(
                        _batch, _keys, _width, _queries, ds[(h * map)..], _heads * map, 1, _keys, q[(h * _width)..], _queryBatch, dk, 1, into[(h * _width)..], _keys * dk, dk, accumulate);
                }
            }
        }
    }

    /// <summary>The weights that the last forward run of an attention left; made from its output so that it runs after it.</summary>
    private sealed class WeightsOf(Tensor output, AttentionOperation attention) : Operation(output)
    {
        public override bool CutsGradient => true;

        protected override void Forward<T>() => attention.Weights.Data<T>().CopyTo(Output.Data<T>());

        protected override void Backward<T>()
        {
        }
    }
}
