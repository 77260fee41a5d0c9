namespace Scae.Core.Losses

open Scae.Tensors
open Scae.Core.Layers

/// What an object is doesn't depend on where it is seen from. So two views of one image should name the same capsule,
/// and many images should name many capsules. No label is used.
[<RequireQualifiedAccess>]
type ViewForm =
    /// Minus the information between the capsules that two views name.
    | Information
    /// The cross-entropy between the capsules that one view names and balanced labels made from the other view. Its
    /// gradient doesn't vanish when the views say next to nothing.
    | Assignment

/// How views make labels for each other.
type ViewLabels =
    {
        /// What standardised logits are multiplied by.
        Sharpness: float
        /// Whether labels are balanced over the 2n rows of both views together, rather than over the n rows of each view.
        Together: bool
        /// [1]: labels are made of presence to this power; if it is 0, of standardised logits.
        Power: Tensor
        /// [1]: 1 if labels are balanced; 0 if a capsule may have as many labels as it is present for.
        Balance: Tensor
        /// [1]: how far a capsule's share of balanced labels may differ from an equal one, as a fraction of that.
        Slack: Tensor
    }

/// Costs for two views that disagree.
[<RequireQualifiedAccess>]
module ViewAgreement =
    // The least share of a pair of capsules, since its logarithm is taken.
    [<Literal>]
    let private Least = 1e-6

    /// I(k; k′) in nats, a scalar in [0, ln K]: the information between the capsules that two views name (invariant
    /// information clustering, Ji et al. 2019, eq. 3). logits [2n, K], where row n + i is the other view of row i.
    /// The joint distribution is symmetrised. Raises ArgumentException if the number of rows is odd.
    let information (logits: Tensor) : Tensor =
        if logits.shape[0] % 2 <> 0 then
            invalidArg (nameof logits) $"{logits.shape[0]} rows; must be even, two views of each"

        let n = logits.shape[0] / 2
        let q = logits.softmax 1
        let first, second = q.slice (0, 0, n), q.slice (0, n, 2 * n)
        let joint = (first.transpose(0, 1).matmul second) / float n
        let joint = 0.5 * (joint + joint.transpose (0, 1))
        let alone = joint.sum (1, true)
        let nats (p: Tensor) = (p + Least).log()
        (joint * (nats joint - nats (alone.matmul (alone.transpose (0, 1))))).sum()

    // How many rounds balance rows and columns.
    [<Literal>]
    let private Rounds = 4

    /// Labels [n, K] in proportion to e^x for x [n, K]. Rows sum to 1 and columns nearly to n/K (Sinkhorn & Knopp),
    /// or with slack to something between (1 − slack)·n/K and (1 + slack)·n/K.
    let private balanced (slack: Tensor) (x: Tensor) : Tensor =
        let least, most = 1.0 - slack, 1.0 + slack
        let isSlack = slack.gt 0.0

        let round (q: Tensor) =
            let sums = q.sum (0, true)
            let share = sums * (float x.shape[1] / float x.shape[0])
            // Without slack this is exactly 1.
            let kept = least + ((share - least).relu() - (share - most).relu())
            let balanced = q / (sums / kept)
            let rows = balanced.sum (1, true)
            // A row far below all others vanishes in float32 where columns are divided. It keeps the labels that it has by itself.
            (rows.gt 0.0).where(balanced / rows, x.softmax 1)

        // With slack, rows must be distributions, so that the sums of columns are shares.
        let start = isSlack * x.softmax 1 + (1.0 - isSlack) * x.exp ()
        Seq.replicate Rounds round |> Seq.fold (|>) start

    /// Logits, standardised and multiplied by the sharpness.
    let private standardised (sharpness: float) (logits: Tensor) : Tensor =
        let centred = logits - logits.mean (0, true)
        let scale = (centred * centred).mean().sqrt() + Least
        // Beyond this e^x doesn't fit into float32.
        (centred / scale * sharpness).clamp(-80.0, 80.0)

    /// ln(a^p + 10⁻⁹) for presence a = σ(l), so that nothing is impossible.
    let private powered (power: Tensor) (logits: Tensor) : Tensor =
        ((-(power * (-logits).softplus())).exp() + 1e-9).log()

    /// Labels [n, K] of logits [n, K].
    let private made (labels: ViewLabels) (said: Tensor) : Tensor =
        let isPowered = labels.Power.gt 0.0

        let x = (1.0 - isPowered) * standardised labels.Sharpness said + isPowered * powered labels.Power said

        labels.Balance * balanced labels.Slack x + (1.0 - labels.Balance) * x.softmax 1

    /// The cross-entropy of one view's presence a = σ(l), for logits l [2n, K], against the labels q that the other
    /// view makes, in nats, summed over capsules and averaged over views: −Σ_k [q_k(x)·ln a_k(x′) + (1 − q_k(x))·ln(1
    /// − a_k(x′))]. It follows swapped assignments (Caron et al. 2020, eq. 2), but with presence instead of a
    /// softmax, so that few capsules are present, and not just fewer than others. If the power is 0, labels are made
    /// of standardised logits times the sharpness, otherwise of presence to this power. At power 1 labels are the
    /// average of what is said, and kinds that look alike merge. At 2 and above, and with standardised logits, what
    /// most views of a kind say becomes what all say. In between, a kind can still change to the capsule that its
    /// neighbours name. Raises ArgumentException if the number of rows is odd.
    let assignment (labels: ViewLabels) (logits: Tensor) : Tensor =
        if logits.shape[0] % 2 <> 0 then
            invalidArg (nameof logits) $"{logits.shape[0]} rows; must be even, two views of each"

        let n = logits.shape[0] / 2
        let views (x: Tensor) = x.slice (0, 0, n), x.slice (0, n, 2 * n)
        let first, second = views logits

        let ofFirst, ofSecond =
            if labels.Together then
                views (made labels (logits.noDiff ()))
            else
                made labels (first.noDiff ()), made labels (second.noDiff ())

        let nats (q: Tensor) (said: Tensor) = (said.softplus () - q * said).sum() / float n
        0.5 * (nats ofFirst second + nats ofSecond first)

    /// The cost in the given form; `labels` is for `assignment`.
    let cost (form: ViewForm) (labels: ViewLabels) (logits: Tensor) : Tensor =
        match form with
        | ViewForm.Information -> -(information logits)
        | ViewForm.Assignment -> assignment labels logits
