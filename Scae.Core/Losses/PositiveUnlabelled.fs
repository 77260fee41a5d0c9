namespace Scae.Core.Losses

open Scae.Tensors

/// Rows to classify, some of which may not count.
type WeighedLogits =
    {
        /// The logit of the positive class, [n].
        Logits: Tensor
        /// The weight of each row, [n]; no gradient passes.
        Weights: Tensor
    }

/// Learns a class from examples of it (positives) and from unlabelled examples, among which the class's share π is
/// known (Elkan & Noto 2008, "Learning Classifiers from Only Positive and Unlabeled Data"). Both costs are summed
/// over the unlabelled examples. If positives are distributed as the class is, both are least when σ(logit) is the
/// probability of the class. Without positives they are 0.
[<RequireQualifiedAccess>]
module PositiveUnlabelled =
    /// The numbers of positive and of unlabelled rows, which are constants.
    let private numbers (positives: WeighedLogits) (unlabelled: WeighedLogits) : Tensor * Tensor =
        positives.Weights.sum (), unlabelled.Weights.sum ()

    let private atLeastOne (number: Tensor) : Tensor = number.clamp (1.0, System.Double.PositiveInfinity)

    /// u·(π·E_P[−ln σ(l)] + max(0, E_U[−ln(1 − σ(l))] − π·E_P[−ln(1 − σ(l))])) of u unlabelled rows, a scalar: the
    /// non-negative risk (Kiryo, Niu, du Plessis & Sugiyama 2017, eq. 6) under the logistic loss. prior : π, a scalar.
    let nonNegative (prior: Tensor) (positives: WeighedLogits) (unlabelled: WeighedLogits) : Tensor =
        let p, u = numbers positives unlabelled
        let share = prior * u / atLeastOne p
        let asPositive = share * (positives.Weights * (-positives.Logits).softplus()).sum()

        let asNegative =
            (unlabelled.Weights * unlabelled.Logits.softplus ()).sum()
            - share * (positives.Weights * positives.Logits.softplus ()).sum()

        p.gt 0.0 * (asPositive + asNegative.relu ())

    /// −Σ_P ln g − Σ_U ln(1 − g) with g = c·σ(l) / (1 + c·σ(l)) and c = p / (u·π) for p positive and u unlabelled
    /// rows, a scalar: minus the logarithm of the probability that just these rows are the positive ones, if σ(l) is
    /// the probability of the class (Lancaster & Imbens 1996, "Case-control studies with contaminated controls"; Ward
    /// et al. 2009, "Presence-only data and the EM algorithm"). Rows that are surely positive have no gradient. In
    /// `nonNegative` they pull the logit up and down, and only the mean is 0. prior : π, a scalar.
    let likelihood (prior: Tensor) (positives: WeighedLogits) (unlabelled: WeighedLogits) : Tensor =
        let p, u = numbers positives unlabelled
        let c = p / (prior * atLeastOne u)
        let whole (logits: Tensor) = (1.0 + c * logits.sigmoid ()).log()

        // The term ln c is left out, since no logit changes it.
        p.gt 0.0
        * ((positives.Weights * ((-positives.Logits).softplus() + whole positives.Logits)).sum()
           + (unlabelled.Weights * whole unlabelled.Logits).sum())
