namespace Scae.Core.Models

/// How many points each of K objects has, and how often it is there.
type ObjectSizes = { Sizes: int[]; Presence: float[] }

/// What the numbers of points in scenes, and nothing else, say of the objects in them. Each object has a fixed number of
/// points, and is there with all of them or not at all, independently of the others.
[<RequireQualifiedAccess>]
module PointCounts =
    // Probabilities of presence stay this far from 0 and 1, and counts that no set of objects explains get this probability.
    [<Literal>]
    let private Least = 1e-6

    [<Literal>]
    let private Rounds = 40

    /// All lists of sizes from 2 to `most`, one for each object, the largest first.
    let rec private descending (objects: int) (most: int) : int list list =
        if objects = 0 then
            [ [] ]
        else
            [
                for first in most .. -1 .. 2 do
                    for rest in descending (objects - 1) first -> first :: rest
            ]

    /// How many points the objects of a set have together.
    let points (sizes: int[]) (objects: int) : int =
        let mutable sum = 0

        for k in 0 .. sizes.Length - 1 do
            if objects &&& (1 <<< k) <> 0 then
                sum <- sum + sizes[k]

        sum

    /// The sets of objects that have n points together, for n from 0 on.
    let sets (sizes: int[]) : int[][] =
        let all = [| 0 .. (1 <<< sizes.Length) - 1 |] |> Array.groupBy (points sizes) |> Map.ofArray
        Array.init (Array.sum sizes + 1) (fun n -> Map.tryFind n all |> Option.defaultValue [||])

    let private probability (presence: float[]) (objects: int) : float =
        let mutable product = 1.0

        for k in 0 .. presence.Length - 1 do
            product <-
                product
                * (if objects &&& (1 <<< k) <> 0 then
                       presence[k]
                   else
                       1.0 - presence[k])

        product

    let private logLikelihood (counts: float[]) (sets: int[][]) (presence: float[]) : float =
        counts
        |> Array.mapi (fun n count ->
            let explained =
                if n < sets.Length then
                    sets[n] |> Array.sumBy (probability presence)
                else
                    0.0

            count * log (max Least explained))
        |> Array.sum

    /// A round of expectation maximization: the objects' new probabilities of presence.
    let private improve (counts: float[]) (sets: int[][]) (presence: float[]) : float[] =
        let there = Array.zeroCreate<float> presence.Length
        let mutable scenes = 0.0

        for n in 0 .. min counts.Length sets.Length - 1 do
            let weights = sets[n] |> Array.map (probability presence)
            let sum = Array.sum weights

            if sum > 0.0 then
                scenes <- scenes + counts[n]

                for i in 0 .. weights.Length - 1 do
                    for k in 0 .. there.Length - 1 do
                        if sets[n][i] &&& (1 <<< k) <> 0 then
                            there[k] <- there[k] + counts[n] * weights[i] / sum

        there
        |> Array.map (fun sum ->
            if scenes > 0.0 then
                min (1.0 - Least) (max Least (sum / scenes))
            else
                0.5)

    /// The sizes (from 2 to `most`, the largest first) and probabilities of presence under which it is likeliest that counts[n]
    /// scenes have n points. All sizes are tried; for each, expectation maximization finds the presences. Without scenes all
    /// sizes are `most`.
    let fit (objects: int) (most: int) (counts: float[]) : ObjectSizes =
        let ofSizes (sizes: int list) =
            let sizes = Array.ofList sizes
            let sets = sets sizes

            let presence =
                (Array.create objects 0.5, [ 1..Rounds ])
                ||> List.fold (fun presence _ -> improve counts sets presence)

            logLikelihood counts sets presence, { Sizes = sizes; Presence = presence }

        descending objects most |> List.map ofSizes |> List.maxBy fst |> snd
