namespace Scae.Core.Losses

open Scae.Tensors
open Scae.Core.Layers

/// What an object is doesn't depend on where it is seen from: two views of one image should name the same capsule, and
/// many images many capsules. No label is used.
[<RequireQualifiedAccess>]
type ViewForm =
    /// Minus the information between the capsules that two views name.
    | Information
    /// The cross-entropy between what one view says and balanced labels made of what the other says. Its gradient doesn't
    /// vanish where views say next to nothing.
    | Assignment

/// How views make labels for each other.
type ViewLabels =
    {
        /// What standardised logits are multiplied by.
        Sharpness: float
        /// Whether labels are balanced over the 2n rows of both views together, rather than over the n rows of each view.
        Together: bool
        /// [1]: the power of presence of which labels are made; 0 where they are made of standardised logits.
        Power: Tensor
        /// [1]: 1 where labels are balanced, 0 where a capsule may have as many as are present in it.
        Balance: Tensor
        /// [1]: how far a capsule's share of balanced labels may be from an equal one, as a part of that.
        Slack: Tensor
    }

/// Costs of two views that don't agree.
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
        let nats (p: Tensor) = (p + Least).log()
        (joint * (nats joint - nats (alone.matmul (alone.transpose (0, 1))))).sum()

    // Rounds that balance rows and columns.
    [<Literal>]
    let private Rounds = 4

    /// Labels [n, K] in proportion to e^x of x [n, K], whose rows sum to 1 and, nearly, columns to n/K (Sinkhorn & Knopp), or
    /// to something between (1 − slack)·n/K and (1 + slack)·n/K.
    let private balanced (slack: Tensor) (x: Tensor) : Tensor =
        let least, most = 1.0 - slack, 1.0 + slack
        let isSlack = slack.gt 0.0

        let round (q: Tensor) =
            let sums = q.sum (0, true)
            let share = sums * (float x.shape[1] / float x.shape[0])
            // Without slack this is 1 to the bit.
            let kept = least + ((share - least).relu() - (share - most).relu())
            q / (sums / kept) |> fun q -> q / q.sum (1, true)

        // Sums are shares where rows are distributions.
        let start = isSlack * x.softmax 1 + (1.0 - isSlack) * x.exp ()
        Seq.replicate Rounds round |> Seq.fold (|>) start

    /// Logits, standardised and multiplied by the sharpness.
    let private standardised (sharpness: float) (logits: Tensor) : Tensor =
        let centred = logits - logits.mean (0, true)
        let scale = (centred * centred).mean().sqrt() + Least
        // Beyond this e^x has no room in float32, and labels are as sharp as can be.
        (centred / scale * sharpness).clamp(-80.0, 80.0)

    /// ln(a^p + 10⁻⁹) for presence a = σ(l), so that nothing is impossible.
    let private powered (power: Tensor) (logits: Tensor) : Tensor =
        ((-(power * (-logits).softplus())).exp() + 1e-9).log()

    /// Labels [n, K] of logits [n, K].
    let private made (labels: ViewLabels) (said: Tensor) : Tensor =
        let isPowered = labels.Power.gt 0.0

        let x = (1.0 - isPowered) * standardised labels.Sharpness said + isPowered * powered labels.Power said

        labels.Balance * balanced labels.Slack x + (1.0 - labels.Balance) * x.softmax 1

    /// The cross-entropy of one view's presence a = σ(l), of logits l [2n, K], against the labels q that the other view makes, in
    /// nats summed over capsules and averaged over views: −Σ_k [q_k(x)·ln a_k(x′) + (1 − q_k(x))·ln(1 − a_k(x′))]. After swapped
    /// assignments (Caron et al. 2020, eq. 2), of presence instead of a softmax, so that few capsules are present and not only fewer than
    /// others. Labels are made of logits, standardised and multiplied by the sharpness, where the power is 0, and else of
    /// presence to this power. At 1 labels are what is said on average, and kinds that look alike run into each other; at 2 and
    /// above, as of standardised logits, what most views of a kind say is what all will say; in between a kind can still change
    /// its capsule for one that its neighbours name. Raises ArgumentException if the rows are odd in number.
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

    /// The cost of a form, with the labels of `assignment`.
    let cost (form: ViewForm) (labels: ViewLabels) (logits: Tensor) : Tensor =
        match form with
        | ViewForm.Information -> -(information logits)
        | ViewForm.Assignment -> assignment labels logits
