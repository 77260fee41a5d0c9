namespace Scae.Core.Losses

open Scae.Tensors
open Scae.Core.Layers

/// How the loss asks for few present capsules per example, and for many over the batch.
[<RequireQualifiedAccess>]
type SparsityForm =
    /// Entropies of normalised presence: low within an example, high over the batch.
    | Entropy
    /// Squared distances of summed presence: from a constant within an example, and from an equal share over the batch.
    | Squares
    /// Entropy of normalised presence relative to the uniform distribution: the entropy form except for a constant.
    | Divergence

/// The costs of presence within examples and over the batch. Both are to be minimised; the caller adds them with weights.
type SparsityCost = { Within: Tensor; Between: Tensor }

/// Sparsity of capsules' presence or explained mass x [b, K] (Kosiorek et al. 2019, §2.3; the released program's three forms).
[<RequireQualifiedAccess>]
module CapsuleSparsity =
    // The least sum of presences to divide by.
    [<Literal>]
    let private Least = 1e-8

    /// −Σ_k q_k ln(n·q_k) over the last axis, q the normalised x.
    let private entropyRelativeTo (n: float) (x: Tensor) : Tensor =
        let q = x / (x.sum (-1, true) + Least)
        -(q * Logarithm.safe (q * n)).sum(-1)

    let private ofEntropy (n: float) (x: Tensor) : SparsityCost =
        {
            Within = (entropyRelativeTo n x).mean()
            Between = -(entropyRelativeTo n (x.sum 0))
        }

    /// mean_b(Σ_k x_bk − active)² and mean_k(Σ_b x_bk − b/classes)². The second grows with the square of the batch.
    let private ofSquares (active: float) (classes: int) (x: Tensor) : SparsityCost =
        let perExample = x.sum 1 - active
        let perCapsule = x.sum 0 - float x.shape[0] / float classes

        {
            Within = (perExample * perExample).mean()
            Between = (perCapsule * perCapsule).mean()
        }

    /// The costs of x [b, K] ≥ 0, two scalars. The form of squares wants `active` capsules per example, and assumes
    /// as many examples of each of the `classes`. The cost as entropy lies in [0, ln K] within examples, and in
    /// [−ln K, 0] for the batch.
    let cost (form: SparsityForm) (active: float) (classes: int) (x: Tensor) : SparsityCost =
        match form with
        | SparsityForm.Entropy -> ofEntropy 1.0 x
        | SparsityForm.Divergence -> ofEntropy (float x.shape[1]) x
        | SparsityForm.Squares -> ofSquares active classes x
