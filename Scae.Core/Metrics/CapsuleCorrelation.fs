namespace Scae.Core.Metrics

open System

/// How far the capsules of a sequence rolled, and how far its moving factor moved, in steps.
[<Struct>]
type CapsuleOffset = { Factor: int; Observed: int; True: int }

/// CapCorr of Keller & Welling 2021, §6: whether capsules roll as the true factors move.
[<RequireQualifiedAccess>]
module CapsuleCorrelation =
    /// r[k] = Σ_m a[(m + k) mod D]·b[m], the periodic cross-correlation of two capsules of D entries.
    let periodic (a: ReadOnlySpan<float32>) (b: ReadOnlySpan<float32>) : float[] =
        let size = a.Length
        let result = Array.zeroCreate<float> size

        for k in 0 .. size - 1 do
            let mutable sum = 0.0

            for m in 0 .. size - 1 do
                let at = m + k
                sum <- sum + float a[if at < size then at else at - size] * float b[m]

            result[k] <- sum

        result

    let private firstLargest (values: float[]) : int =
        let mutable best = 0

        for i in 1 .. values.Length - 1 do
            if values[i] > values[best] then
                best <- i

        best

    /// The most frequent roll of capsules between two frames [N·D]; the smallest of equally frequent ones.
    let roll (entries: int) (first: ReadOnlySpan<float32>) (other: ReadOnlySpan<float32>) : int =
        let counts = Array.zeroCreate<float> entries

        for at in 0..entries .. first.Length - 1 do
            let shift = firstLargest (periodic (first.Slice(at, entries)) (other.Slice(at, entries)))
            counts[shift] <- counts[shift] + 1.0

        firstLargest counts

    /// The roll of one sequence T [S, N·D] whose factors are labels[t][f], measured between its first frame and a
    /// frame where the moving factor is 0. Of several such frames, the one where roll and truth are closest is taken,
    /// the first on ties. None if nothing moves or the moving factor is never 0. The moving factor is the one that
    /// changes most from frame 0 to frame 1.
    let offset (entries: int) (labels: int[][]) (t: ReadOnlySpan<float32>) : CapsuleOffset voption =
        let moves =
            if labels.Length < 2 then
                [||]
            else
                Array.map2 (fun (a: int) b -> float (abs (b - a))) labels[0] labels[1]

        if moves.Length = 0 || Array.max moves = 0.0 then
            ValueNone
        else
            let factor = firstLargest moves
            let truth = labels[0][factor]
            let block = t.Length / labels.Length
            let first = t.Slice(0, block)
            let mutable best = ValueNone

            for frame in 0 .. labels.Length - 1 do
                if labels[frame][factor] = 0 then
                    let observed = roll entries first (t.Slice(frame * block, block))
                    let found = { Factor = factor; Observed = observed; True = truth }

                    match best with
                    | ValueSome known when abs (known.Observed - truth) <= abs (observed - truth) -> ()
                    | _ -> best <- ValueSome found

            best

    /// Pearson's correlation; 0 if one of the two doesn't vary, as with capsules that are constant in time.
    let private pearson (pairs: (float * float)[]) : float =
        let meanX, meanY = pairs |> Array.averageBy fst, pairs |> Array.averageBy snd
        let product f = pairs |> Array.sumBy (fun (x, y) -> f (x - meanX) (y - meanY))
        let xx, yy = product (fun x _ -> x * x), product (fun _ y -> y * y)

        if xx = 0.0 || yy = 0.0 then
            0.0
        else
            product (*) / sqrt (xx * yy)

    /// CapCorr of a factor: the correlation of observed and true offsets over the sequences in which it moves. 0 if
    /// either is always the same, None if there are no such sequences.
    let ofFactor (factor: int) (offsets: CapsuleOffset seq) : float option =
        let pairs =
            [|
                for it in offsets do
                    if it.Factor = factor then
                        float it.Observed, float it.True
            |]

        if pairs.Length = 0 then None else Some(pearson pairs)
