using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>The poses of capsules' votes in one operation.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// The poses of capsules' votes, pose(own_k) ∘ pose(part_kv) (Kosiorek et al. 2019, OV_k·OP_kv) → [b, k, v, 6]. This
    /// tensor has raw numbers [b, k, n] with n ≥ 6·(v + 1). The first 6·v numbers of a capsule, to which parts [k, v, 6] is
    /// added, stand for its parts' poses. The next six, to which own [k, 6] is added, stand for its own pose. The others
    /// aren't used. A result (a, b, t_x, c, d, t_y) is the map (x, y) ↦ (a·x + b·y + t_x, c·x + d·y + t_y).
    /// </summary>
    /// <remarks>
    /// The pose of six free numbers (p_x, p_y, θ, q, u_x, u_y) has scales σ(p) + 0.01, angle 2πθ, shear tanh 5q and shift
    /// tanh 5u; its linear part is Shear·Scale·Rotation. A similarity has one scale, σ(p_x) + 0.01, and no shear.
    /// </remarks>
    /// <exception cref="ShapeError">The sizes or dtypes don't fit.</exception>
    public Tensor votePoses(Tensor parts, Tensor own, bool isSimilarity = false)
    {
        CheckSameDtype("votePoses", this, parts);
        CheckSameDtype("votePoses", parts, own);
        bool fits = dim == 3 && parts.dim == 3 && own.dim == 2 && parts._shape[0] == _shape[1] && parts._shape[2] == PosePlanes.Numbers
            && own._shape[0] == _shape[1] && own._shape[1] == PosePlanes.Numbers && _shape[2] >= PosePlanes.Numbers * (parts._shape[1] + 1);
        if (!fits)
            throw ShapeError.Of("votePoses", $"raw numbers {Shape.Text(Sizes)}, parts {Shape.Text(parts.Sizes)}, own {Shape.Text(own.Sizes)}; needs [b, k, 6·(v + 1) or more], [k, v, 6] and [k, 6]");
        return new VotePosesOperation(contiguous(), parts.contiguous(), own.contiguous(), isSimilarity).Run(dtype, [_shape[0], _shape[1], parts._shape[1], PosePlanes.Numbers]);
    }

    /// <summary>See the kernel. The functions of the raw numbers are kept for the backward pass.</summary>
    private sealed class VotePosesOperation : Operation
    {
        private readonly VoteSizes _sizes;
        private readonly Tensor _kept;

        public VotePosesOperation(Tensor raw, Tensor parts, Tensor own, bool isSimilarity)
            : base(raw, parts, own)
        {
            _sizes = new(raw._shape[0], raw._shape[1], parts._shape[1], raw._shape[2], isSimilarity);
            int kept = raw.dtype == Dtype.Float64 ? VoteKernel.Kept<double>(_sizes) : VoteKernel.Kept<float>(_sizes);
            _kept = Allocate(raw.dtype, [_sizes.Images, kept]);
        }

        protected override void Forward<T>()
        {
            if (Output.nelement == 0) return;
            _kept.Storage.AlignLike(Output.Storage);
            VoteKernel.Forward<T>(_sizes, Inputs[0].Data<T>(), Inputs[1].Data<T>(), Inputs[2].Data<T>(), _kept.Data<T>(), Output.Data<T>());
        }

        protected override void Backward<T>()
        {
            if (Output.nelement == 0) return;
            VoteKernel.Backward<T>(
                _sizes, _kept.Data<T>(), OutputGradient<T>(), Wants(0) ? InputGradientToAdd<T>(0) : default,
                Wants(1) ? InputGradientToAdd<T>(1) : default, Wants(2) ? InputGradientToAdd<T>(2) : default);
        }
    }
}
