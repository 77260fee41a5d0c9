namespace Scae.Core.Models

open System
open System.Numerics
open Scae.Tensors
open Scae.Core.Configuration
open Scae.Core.Data

/// How divisions proposed by a network are improved.
type DivisionSearchConfig =
    {
        Templates: Template list
        // The first proposal takes the largest scores, one after the other; the others do so with noise on the scores.
        [<Setting("divisions proposed for each scene, or for each set of templates that it may have",
                  Min = 1.0,
                  Max = 1024.0)>]
        Starts: int
        [<Setting("whether exchanges of points improve each proposal")>]
        Refine: bool
        /// Below this cost a division explains its scene and nothing else is tried.
        Solved: float
        /// How many points of a scene are distractors, which belong to no template. If there are any, a division has one
        /// more set for them.
        Distractors: int
    }

    /// The number of sets of a division.
    member this.Sets: int = this.Templates.Length + (if this.Distractors > 0 then 1 else 0)

/// Arrays for the search of a scene.
type internal DivisionRoom =
    {
        /// How many points each template has.
        Sizes: int[]
        /// Indices of the scores' entries and, in Values, the scores themselves, while they are sorted.
        Keys: int[]
        Values: float32[]
        /// How many points each template still needs.
        Free: int[]
        /// The scores with their noise, by which the points are divided.
        Disturbed: float32[]
        /// The division at hand and, in Found, the best so far.
        Sets: int[]
        Found: int[]
    }

/// Turns what a network believes about each point into a division of the points among the templates. Proposals are
/// verified by the residual of least-squares fits, and improved by exchanging points. No truth is used.
[<RequireQualifiedAccess>]
module DivisionSearch =
    /// Squared units of the scene below which a residual is rounding: 10⁻³ squared, where the smallest template has a side of 1.
    [<Literal>]
    let NoResidual = 1e-6

    /// The search that takes the network's first proposal as it is.
    let first (search: DivisionSearchConfig) : DivisionSearchConfig = { search with Starts = 1; Refine = false }

    /// Writes the division of a room's disturbed scores into its sets: see divide.
    let private divideIn (room: DivisionRoom) : unit =
        let k = room.Sizes.Length

        for i in 0 .. room.Keys.Length - 1 do
            room.Keys[i] <- i

        Array.blit room.Disturbed 0 room.Values 0 room.Values.Length
        Array.Sort(room.Values, room.Keys)
        Array.blit room.Sizes 0 room.Free 0 k
        Array.Clear room.Sets
        let mutable taken = 0

        for i in room.Keys.Length - 1 .. -1 .. 0 do
            let point, template = room.Keys[i] / k, room.Keys[i] % k

            if room.Free[template] > 0 && taken &&& (1 <<< point) = 0 then
                room.Free[template] <- room.Free[template] - 1
                taken <- taken ||| (1 <<< point)
                room.Sets[template] <- room.Sets[template] ||| (1 <<< point)

    /// Arrays for scenes of templates of these sizes.
    let internal roomFor (sizes: int[]) : DivisionRoom =
        let entries = Array.sum sizes * sizes.Length

        {
            Sizes = sizes
            Keys = Array.zeroCreate entries
            Values = Array.zeroCreate entries
            Free = Array.zeroCreate sizes.Length
            Disturbed = Array.zeroCreate entries
            Sets = Array.zeroCreate sizes.Length
            Found = Array.zeroCreate sizes.Length
        }

    /// The sets that give each template as many points as it has, chosen greedily by score [n, K]: the largest entry
    /// first, skipping points that are taken and templates that are full.
    let divide (sizes: int[]) (scores: ReadOnlySpan<float32>) : int[] =
        let room = roomFor sizes
        scores.CopyTo(Span room.Disturbed)
        divideIn room
        room.Sets

    /// What templates a and b cost with these sets.
    let private pair (scene: Partitions) a setA b setB =
        Partitions.residual scene a setA + Partitions.residual scene b setB

    /// The best exchange between two templates, of a point for a point or, where their sets are equally large, of the whole
    /// sets: the change of the cost and the new sets. Only changes below `least` count; without one, `least` and sets of 0.
    let private bestOfPair (scene: Partitions) (least: float) a setA b setB : struct (float * int * int) =
        let present = pair scene a setA b setB
        let mutable least = least
        let mutable firstSet = 0
        let mutable secondSet = 0
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
                    firstSet <- newA
                    secondSet <- newB

        if BitOperations.PopCount(uint setA) = BitOperations.PopCount(uint setB) then
            let change = pair scene a setB b setA - present

            if change < least then
                least <- change
                firstSet <- setB
                secondSet <- setA

        struct (least, firstSet, secondSet)

    /// Steepest descent in place. Two templates may exchange a point for a point or, if they are of one size, their whole sets.
    /// Of all such exchanges the one that lowers the cost most is made, until none lowers it. Returns the cost.
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
                    let struct (change, newA, newB) = bestOfPair scene least a sets[a] b sets[b]

                    if newA <> 0 then
                        least <- change
                        first <- a
                        second <- b
                        firstSet <- newA
                        secondSet <- newB

            if first = second then
                descending <- false
            else
                sets[first] <- firstSet
                sets[second] <- secondSet
                cost <- Partitions.cost scene sets

        cost

    /// Leaves in room.Found the cheapest of the divisions that start from the scores [n, K] alone and from scores + noise
    /// [starts − 1, n, K], and returns its cost. With Gumbel noise on log-probabilities the starts are samples of what the
    /// network believes.
    let internal bestIn
        (config: DivisionSearchConfig)
        (room: DivisionRoom)
        (scene: Partitions)
        (scores: ReadOnlySpan<float32>)
        (noise: ReadOnlySpan<float32>)
        : float =
        let mutable found = false
        let mutable least = infinity
        let mutable start = 0

        while start < config.Starts && least > config.Solved do
            scores.CopyTo(Span room.Disturbed)

            if start > 0 then
                for i in 0 .. scores.Length - 1 do
                    room.Disturbed[i] <- scores[i] + noise[(start - 1) * scores.Length + i]

            divideIn room

            let cost =
                if config.Refine then
                    exchange config.Solved scene room.Sets
                else
                    Partitions.cost scene room.Sets

            if not found || cost < least then
                Array.blit room.Sets 0 room.Found 0 room.Sets.Length
                found <- true
                least <- cost

            start <- start + 1

        least

    /// Makes a search of many scenes, shared among as many threads as tensors may use. Scenes don't see each other, so the
    /// result is the same for any number of threads. The search allocates in its first call alone. It takes points [b, n, 2],
    /// scores [b, n, K] and noise [b, starts − 1, n, K]; if there are distractors, K counts their set too.
    /// `write scene index sets cost` is called once a scene, and the next scene overwrites the sets. Calls must not overlap.
    let forEach
        (config: DivisionSearchConfig)
        : ReadOnlyMemory<float32>
            -> ReadOnlyMemory<float32>
            -> ReadOnlyMemory<float32>
            -> (Partitions -> int -> int[] -> float -> unit)
            -> unit
        =
        let n = Template.pointCount config.Templates + config.Distractors
        let perScene = n * config.Sets

        let sizes, create =
            if config.Distractors > 0 then
                Distractors.sizes config.Distractors config.Templates, Partitions.withDistractors config.Distractors
            else
                config.Templates |> List.map _.Points.Length |> Array.ofList, Partitions.create

        let workers = SceneWorkers(fun () -> struct (create config.Templates, roomFor sizes))

        fun points scores noise write ->
            workers.Each(
                scores.Length / perScene,
                fun (struct (scene, room)) i ->
                    Partitions.load (points.Span.Slice(2 * n * i, 2 * n)) scene
                    let noisy = perScene * (config.Starts - 1)
                    let own = scores.Span.Slice(perScene * i, perScene)
                    let cost = bestIn config room scene own (noise.Span.Slice(noisy * i, noisy))
                    write scene i room.Found cost
            )
