namespace Scae.Core.Metrics

open System
open System.Numerics.Tensors
open Scae.Tensors

/// A function w > 0 of standard normal noise ε whose expectations are to be estimated: one for each unit, which is a number of
/// rows one after the other whose log-weights are added. It has room for one run at a time.
type AnnealedWeights =
    private
        {
            /// ε, tensors [n, …] that are written in place.
            Noise: Tensor[]
            /// Σ ln w, and ln w [n].
            Recording: Recording
            /// Rows of a unit.
            Rows: int
            /// p, as large as ε.
            Momentum: float32[][]
            /// ε where a trajectory started.
            Start: float32[][]
        }

/// Annealed importance sampling (Neal 2001) of E w(ε) under standard normal ε. If ε is the noise of a proposal q and
/// ln w = ln p(x, h) − ln q(h | x) for what h it makes, that is p(x). A unit goes from N(0, 1), where β = 0, through
/// π_β ∝ N(ε; 0, 1)·w(ε)^β to its posterior, where β = 1, and collects Δβ·ln w on its way. Under each β a Hamiltonian trajectory
/// moves it, as where Wu et al. 2017 evaluate decoders. The expectation of the estimate is E w for any number of temperatures, so that
/// of its logarithm is at most ln E w; with more temperatures it usually comes closer.
[<RequireQualifiedAccess>]
module AnnealedImportanceSampling =
    // Steps of a trajectory.
    [<Literal>]
    let private Leapfrogs = 5

    // The share of trajectories to be accepted, with which step sizes are chosen (Neal 2011, §5.4.4), the first step size, and how
    // fast it follows.
    [<Literal>]
    let private Accepted = 0.65

    [<Literal>]
    let private FirstStep = 0.1

    [<Literal>]
    let private Haste = 0.2

    // Half of the least number above 0 that is drawn.
    [<Literal>]
    let private LeastLuck = 3e-8

    /// Records the log-weights [n] of noise, tensors float32 [n, …] marked by reverseDiff. They depend on noise of their own
    /// unit only, `rows` rows each. Other inputs may be written between runs; parameters should be frozen, or each run writes
    /// their gradients. Raises ArgumentException where shapes don't fit, or if n isn't a multiple of `rows`.
    let record (rows: int) (noise: Tensor list) (logWeights: unit -> Tensor) : AnnealedWeights =
        let n =
            match noise |> List.map (fun tensor -> tensor.shape[0]) |> List.distinct with
            | [ n ] -> n
            | _ -> invalidArg (nameof noise) "annealed importance sampling: needs tensors with equally many rows"

        if rows < 1 || n % rows <> 0 then
            invalidArg (nameof rows) $"annealed importance sampling: {n} rows aren't units of {rows}"

        let room () = [| for tensor in noise -> Array.zeroCreate<float32> tensor.nelement |]

        {
            Noise = Array.ofList noise
            Recording =
                Recording.Of(fun () ->
                    let weights = logWeights ()

                    if weights.shape <> [| n |] then
                        invalidArg
                            (nameof logWeights)
                            $"annealed importance sampling: log-weights are %A{weights.shape}, not one for each of {n} rows"

                    [ weights.sum (); weights ])
            Rows = rows
            Momentum = room ()
            Start = room ()
        }

    // A unit's part of a tensor.
    let private part (weights: AnnealedWeights) (unit: int) (all: Span<float32>) : Span<float32> =
        let rows = weights.Noise[0].shape[0]
        let size = all.Length / rows * weights.Rows
        all.Slice(unit * size, size)

    let private position (weights: AnnealedWeights) (i: int) : Span<float32> = weights.Noise[i].Elements<float32>()

    let private units (weights: AnnealedWeights) : int = weights.Noise[0].shape[0] / weights.Rows

    let private sumOfSquares (values: Span<float32>) : float =
        let mutable sum = 0.0

        for value in values do
            sum <- sum + float value * float value

        sum

    /// ln w of each unit, as the last run of the recording found it.
    let private found (weights: AnnealedWeights) : float[] =
        let rows = weights.Recording.Outputs[1].toArray<float32>()

        Array.init (units weights) (fun unit ->
            Array.sumBy float rows[unit * weights.Rows .. (unit + 1) * weights.Rows - 1])

    /// ½ε² + ½p² − β ln w of each unit.
    let private energies (weights: AnnealedWeights) (beta: float) (logWeights: float[]) : float[] =
        logWeights
        |> Array.mapi (fun unit logWeight ->
            let mutable squares = 0.0

            for i in 0 .. weights.Noise.Length - 1 do
                squares <-
                    squares
                    + sumOfSquares (part weights unit (position weights i))
                    + sumOfSquares (part weights unit (Span weights.Momentum[i]))

            0.5 * squares - beta * logWeight)

    /// p += size·(β ∇ln w − ε), at the noise of the last forward run.
    let private kick (weights: AnnealedWeights) (beta: float) (size: float) : unit =
        weights.Recording.Reverse()

        for i in 0 .. weights.Noise.Length - 1 do
            let momentum = Span weights.Momentum[i]
            let gradient = weights.Noise[i].derivative.Elements<float32>()
            let where = position weights i

            TensorPrimitives.MultiplyAdd(
                Span.op_Implicit gradient,
                float32 (size * beta),
                Span.op_Implicit momentum,
                momentum
            )

            TensorPrimitives.MultiplyAdd(Span.op_Implicit where, float32 -size, Span.op_Implicit momentum, momentum)

    /// ε += size·p.
    let private drift (weights: AnnealedWeights) (size: float) : unit =
        for i in 0 .. weights.Noise.Length - 1 do
            let where = position weights i
            TensorPrimitives.MultiplyAdd(ReadOnlySpan weights.Momentum[i], float32 size, Span.op_Implicit where, where)

    /// Moves each unit along a trajectory under π_β, or leaves it where it is if the trajectory is refused. Updates ln w of the
    /// units and returns the share that moved.
    let private move (weights: AnnealedWeights) (beta: float) (step: float) (key: Key) (logWeights: float[]) : float =
        for i in 0 .. weights.Noise.Length - 1 do
            (position weights i).CopyTo(Span weights.Start[i])
            (key.Named("momentum").Fold(int64 i)).FillNormal(Span weights.Momentum[i])

        let before = energies weights beta logWeights
        weights.Recording.Forward()
        kick weights beta (0.5 * step)

        for leap in 1..Leapfrogs do
            drift weights step
            weights.Recording.Forward()
            kick weights beta (if leap = Leapfrogs then 0.5 * step else step)

        let ends = found weights
        let after = energies weights beta ends
        let luck = Array.zeroCreate<float32> before.Length
        (key.Named "accept").FillUniform(Span luck)
        let mutable moved = 0

        for unit in 0 .. before.Length - 1 do
            // A trajectory that has left the numbers isn't accepted. Luck may be 0, which would accept any other.
            if Double.IsFinite after[unit] && log (max LeastLuck (float luck[unit])) < before[unit] - after[unit] then
                moved <- moved + 1
                logWeights[unit] <- ends[unit]
            else
                for i in 0 .. weights.Noise.Length - 1 do
                    (part weights unit (Span weights.Start[i])).CopyTo(part weights unit (position weights i))

        float moved / float before.Length

    /// Goes from β = 0 to 1 in equal steps. `move` moves the units under the β of a temperature and updates their ln w.
    let private anneal
        (temperatures: int)
        (key: Key)
        (weights: AnnealedWeights)
        (move: int -> float -> float[] -> unit)
        : float[] =
        for i in 0 .. weights.Noise.Length - 1 do
            (key.Named("start").Fold(int64 i)).FillNormal(position weights i)

        weights.Recording.Forward()
        let logWeights = found weights
        let share = 1.0 / float temperatures
        let collected = logWeights |> Array.map (fun logWeight -> share * logWeight)

        for temperature in 1 .. temperatures - 1 do
            move temperature (share * float temperature) logWeights

            for unit in 0 .. collected.Length - 1 do
                collected[unit] <- collected[unit] + share * logWeights[unit]

        collected

    /// Step sizes [temperatures − 1], chosen while units go through the temperatures once. Runs with other keys take them as
    /// they are: step sizes that follow their own run would make its estimates biased. Overwrites the noise. Raises
    /// ArgumentException without temperatures.
    let stepSizes (temperatures: int) (key: Key) (weights: AnnealedWeights) : float[] =
        if temperatures < 1 then
            invalidArg
                (nameof temperatures)
                $"annealed importance sampling: {temperatures} temperatures; must be at least 1"

        let sizes = Array.create temperatures FirstStep

        anneal temperatures key weights (fun temperature beta logWeights ->
            let size = sizes[temperature - 1]
            let moved = move weights beta size (key.Fold(int64 temperature)) logWeights
            sizes[temperature] <- size * exp (Haste * (moved - Accepted)))
        |> ignore

        Array.tail sizes

    /// ln of an estimate of E w for each unit, with one temperature more than there are step sizes. With none it is
    /// importance sampling with one draw. Leaves the noise where the units ended.
    let run (stepSizes: float[]) (key: Key) (weights: AnnealedWeights) : float[] =
        anneal (stepSizes.Length + 1) key weights (fun temperature beta logWeights ->
            move weights beta stepSizes[temperature - 1] (key.Fold(int64 temperature)) logWeights |> ignore)
