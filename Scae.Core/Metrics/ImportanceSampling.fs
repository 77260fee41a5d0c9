namespace Scae.Core.Metrics

open System

/// Estimates of log p(x) per frame from the logarithms of importance weights, w[r][b·S + t] for draw r, sequence b
/// and frame t.
[<RequireQualifiedAccess>]
module ImportanceSampling =
    /// ln Σ e^x; −∞ for no values, or if all are −∞.
    let private logSumExp (values: float seq) : float =
        let largest =
            (Double.NegativeInfinity, values) ||> Seq.fold (fun a b -> if Double.IsNaN b then b else max a b)

        if Double.IsFinite largest then
            largest + log (values |> Seq.sumBy (fun value -> exp (value - largest)))
        else
            largest

    let private checkWeights (weights: float[][]) : unit =
        if weights.Length = 0 || weights[0].Length = 0 then
            invalidArg (nameof weights) "importance sampling: there are no weights"

        if weights |> Array.exists (fun draw -> draw.Length <> weights[0].Length) then
            invalidArg (nameof weights) "importance sampling: every draw needs the weights of all frames"

    /// The authors' published figure: the mean over frames of ln Σ_r w, which is too high by log R.
    let asPublished (weights: float[][]) : float =
        checkWeights weights

        Array.init weights[0].Length (fun frame -> weights |> Seq.map (fun draw -> draw[frame]) |> logSumExp)
        |> Array.average

    /// The same with ln (1/R) Σ_r w. This is right if frames don't depend on each other, as without u or with L = 0.
    /// Otherwise it is no bound, since T of a frame depends on the u of other frames, whose densities it leaves out.
    let perFrame (weights: float[][]) : float = asPublished weights - log (float weights.Length)

    /// (1/S) ln (1/R) Σ_r Π_t w, averaged over sequences of S frames: in expectation at most log p(x_1:S)/S, always.
    let perSequence (frames: int) (weights: float[][]) : float =
        checkWeights weights

        if weights[0].Length % frames <> 0 then
            invalidArg (nameof weights) $"importance sampling: {weights[0].Length} frames aren't sequences of {frames}"

        let sequences = weights[0].Length / frames

        Array.init sequences (fun b ->
            let ofDraw (draw: float[]) = Seq.sum (Seq.init frames (fun t -> draw[b * frames + t]))
            (logSumExp (weights |> Seq.map ofDraw) - log (float weights.Length)) / float frames)
        |> Array.average
