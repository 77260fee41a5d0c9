namespace Scae.Core.Losses

open Scae.Tensors
open Scae.Core.Layers

/// What an object is doesn't depend on where it is seen from. With the entropies of the posterior's sparsity this is the
/// information between an image and its capsule, regularised by views (IMSAT, Hu et al. 2017, eq. 6, with affine maps for
/// perturbations); no label is used.
[<RequireQualifiedAccess>]
module ViewAgreement =
    // Added to a sum of presences before it is divided by, and to a share before its logarithm is taken.
    [<Literal>]
    let private Least = 1e-8

    [<Literal>]
    let private Floor = 1e-4

    /// The cross-entropy, in nats and both ways, of the normalised x [2n, K] ≥ 0 of two views: row n + i shows what row i
    /// shows. It is least where both views name the same capsule and no other. Raises ArgumentException if rows are odd.
    let cost (x: Tensor) : Tensor =
        if x.shape[0] % 2 <> 0 then
            invalidArg (nameof x) $"{x.shape[0]} rows; must be even, two views of each"

        let n = x.shape[0] / 2
        let q = x / (x.sum (-1, true) + Least)
        let first, second = q.slice (0, 0, n), q.slice (0, n, 2 * n)
        let nats (p: Tensor) (q: Tensor) = -(p * (q + Floor).log()).sum(-1)
        (0.5 * (nats first second + nats second first)).mean()
