namespace Scae.Core.Models

open System
open System.Numerics
open System.Threading.Tasks
open Scae.Tensors
open Scae.Core.Configuration
open Scae.Core.Data

/// How divisions proposed by a network are improved.
type DivisionSearchConfig =
    {
        Templates: Template list
        // The most probable division is proposed first, then random ones.
        [<Setting("divisions proposed for each scene, or for each set of templates that it may have",
                  Min = 1.0,
                  Max = 1024.0)>]
        Starts: int
        [<Setting("whether exchanges of points improve each proposal")>]
        Refine: bool
        /// Below this cost a division explains its scene and nothing else is tried.
        Solved: float
    }

/// From what a network believes about each point to a division of the points among the templates: proposals are
/// verified by the residual of least-squares fits, and improved by exchanging points. No truth is used.
[<RequireQualifiedAccess>]
module DivisionSearch =
    /// Squared units of the scene below which a residual is rounding: a thousandth of the smallest template's size.
    [<Literal>]
    let NoResidual = 1e-6

    /// The sets that give each template as many points as it has, chosen greedily by score [n, K]: the largest entry
    /// first, skipping points that are taken and templates that are full.
    let divide (sizes: int[]) (scores: ReadOnlySpan<float32>) : int[] =
        let k = sizes.Length
        let n = scores.Length / k
        let keys = Array.init (n * k) id
        let values = scores.ToArray()
        Array.Sort(values, keys)
        Array.Reverse keys
        let room = Array.copy sizes
        let sets = Array.zeroCreate k
        let mutable taken = 0

        for key in keys do
            let point, template = key / k, key % k

            if room[template] > 0 && taken &&& (1 <<< point) = 0 then
                room[template] <- room[template] - 1
                taken <- taken ||| (1 <<< point)
                sets[template] <- sets[template] ||| (1 <<< point)

        sets

    /// What templates a and b cost with these sets.
    let private pair (scene: Partitions) a setA b setB =
        Partitions.residual scene a setA + Partitions.residual scene b setB

    /// Steepest descent in place: of all exchanges of two points between two templates, and of two templates' whole sets
    /// where they have one size, the one that lowers the cost most, until none lowers it. Returns the cost.
    let exchange (solved: float) (scene: Partitions) (sets: int[]) : float =
        let mutable cost = Partitions.cost scene sets
        let mutable descending = true

        while descending && cost > solved do
            // Changes below 10⁻⁹ are rounding and could alternate for ever.
            let mutable least = -1e-9
            let mutable first = 0
            let mutable second = 0
            let mutable firstSet = 0
            let mutable secondSet = 0

            for a in 0 .. sets.Length - 2 do
                for b in a + 1 .. sets.Length - 1 do
                    let setA, setB = sets[a], sets[b]
                    let present = pair scene a setA b setB
                    let whole = BitOperations.PopCount(uint setA) = BitOperations.PopCount(uint setB)
                    let mutable i = setA

                    while i <> 0 do
                        let bitA = i &&& -i
                        i <- i ^^^ bitA
                        let mutable j = setB

                        while j <> 0 do
                            let bitB = j &&& -j
                            j <- j ^^^ bitB
                            let newA, newB = setA ^^^ bitA ^^^ bitB, setB ^^^ bitA ^^^ bitB
                            let change = pair scene a newA b newB - present

                            if change < least then
                                least <- change
                                first <- a
                                second <- b
                                firstSet <- newA
                                secondSet <- newB

                    if whole && pair scene a setB b setA - present < least then
                        least <- pair scene a setB b setA - present
                        first <- a
                        second <- b
                        firstSet <- setB
                        secondSet <- setA

            if first = second then
                descending <- false
            else
                sets[first] <- firstSet
                sets[second] <- secondSet
                cost <- Partitions.cost scene sets

        cost

    /// The cheapest of the divisions that start from the scores [n, K] alone and from scores + noise [starts − 1, n, K], and
    /// its cost. With Gumbel noise on log-probabilities the starts are samples of what the network believes.
    let best
        (config: DivisionSearchConfig)
        (scene: Partitions)
        (scores: ReadOnlySpan<float32>)
        (noise: ReadOnlySpan<float32>)
        : struct (int[] * float) =
        let sizes = scene.Templates |> Array.map _.X.Length
        let disturbed = scores.ToArray()
        let mutable found = [||]
        let mutable least = infinity
        let mutable start = 0

        while start < config.Starts && least > config.Solved do
            if start > 0 then
                for i in 0 .. scores.Length - 1 do
                    disturbed[i] <- scores[i] + noise[(start - 1) * scores.Length + i]

            let sets = divide sizes (ReadOnlySpan disturbed)

            let cost =
                if config.Refine then
                    exchange config.Solved scene sets
                else
                    Partitions.cost scene sets

            if found.Length = 0 || cost < least then
                found <- sets
                least <- cost

            start <- start + 1

        struct (found, least)

    /// Every scene's search, shared among as many threads as tensors may use; scenes don't see each other, so the result
    /// is the same for any number. `write scene index sets cost` is called once a scene.
    let forEach
        (config: DivisionSearchConfig)
        (points: ReadOnlyMemory<float32>)
        (scores: ReadOnlyMemory<float32>)
        (noise: ReadOnlyMemory<float32>)
        (write: Partitions -> int -> int[] -> float -> unit)
        : unit =
        let n = Template.pointCount config.Templates
        let perScene = n * config.Templates.Length
        let count = scores.Length / perScene
        let threads = max 1 (min Parallelism.Threads count)

        let part number =
            let scene = Partitions.create config.Templates

            for i in count * number / threads .. count * (number + 1) / threads - 1 do
                Partitions.load (points.Span.Slice(2 * n * i, 2 * n)) scene
                let noisy = perScene * (config.Starts - 1)

                let struct (sets, cost) =
                    best config scene (scores.Span.Slice(perScene * i, perScene)) (noise.Span.Slice(noisy * i, noisy))

                write scene i sets cost

        if threads = 1 then
            part 0
        else
            Parallel.For(0, threads, part) |> ignore
