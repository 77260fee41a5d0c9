namespace Scae.Core.Losses

open Scae.Tensors
open Scae.Core.Layers

/// What an object is doesn't depend on where it is seen from: two views of one image should name the same capsule, and
/// many images many capsules. No label is used.
[<RequireQualifiedAccess>]
module ViewAgreement =
    // The least share of a pair of capsules; a logarithm is taken of it.
    [<Literal>]
    let private Least = 1e-6

    /// I(k; k′) in nats, a scalar in [0, ln K], between the capsules that two views name (invariant information clustering,
    /// Ji et al. 2019, eq. 3): of logits [2n, K], row n + i the other view of row i. The joint distribution is
    /// symmetrised. Raises ArgumentException if the rows are odd in number.
    let information (logits: Tensor) : Tensor =
        if logits.shape[0] % 2 <> 0 then
            invalidArg (nameof logits) $"{logits.shape[0]} rows; must be even, two views of each"

        let n = logits.shape[0] / 2
        let q = logits.softmax 1
        let first, second = q.slice (0, 0, n), q.slice (0, n, 2 * n)
        let joint = (first.transpose(0, 1).matmul second) / float n
        let joint = 0.5 * (joint + joint.transpose (0, 1))
        let alone = joint.sum (1, true)
        let nats (p: Tensor) = (p + Least).log ()
        (joint * (nats joint - nats (alone.matmul (alone.transpose (0, 1))))).sum ()
