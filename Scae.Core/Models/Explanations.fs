namespace Scae.Core.Models

open System
open Scae.Tensors
open Scae.Core.Data

/// One way to account for the number of a scene's points: which capsules draw, and what.
type Explanation =
    {
        /// The indices of the capsules that draw.
        Capsules: int[]
        /// What each of them draws: its template, or what is left of it.
        Templates: Template list
        /// Where the mean of what is left lies in the whole template.
        Centres: struct (float * float)[]
    }

/// What is found for one scene.
type Explained =
    {
        /// [K], whether each capsule draws.
        Presence: bool[]
        /// The capsule of each point.
        Labels: int[]
        /// The squared residual.
        Cost: float
    }

/// Scenes that don't have every point of every template: some templates are absent, or some points are missing. Every
/// explanation with the scene's number of points is tried, and the one whose division leaves the least residual is taken.
/// Explanations with the same numbers of points and of capsules leave the same degrees of freedom, so that their residuals
/// may be compared.
[<RequireQualifiedAccess>]
module Explanations =
    /// The explanations in which some templates are absent, at least one is there, and all have all of their points.
    let subsets (templates: Template list) : Explanation list =
        [
            for set in 1 .. (1 <<< templates.Length) - 1 do
                let capsules =
                    [|
                        for k in 0 .. templates.Length - 1 do
                            if set &&& (1 <<< k) <> 0 then
                                k
                    |]

                {
                    Capsules = capsules
                    Templates = [ for k in capsules -> templates[k] ]
                    Centres = Array.create capsules.Length (struct (0.0, 0.0))
                }
        ]

    // Rounding leaves a Procrustes distance of 10⁻⁸ between similar shapes. The published triangle, whose height is rounded,
    // leaves 10⁻⁴.
    [<Literal>]
    let private SameShape = 1e-3

    let private same (a: Template) (b: Template) : bool = SimilarityFit.distance a b < SameShape

    /// The shapes that can be left of a template that loses points, each with its mean in the template. Of similar shapes only
    /// one is kept. There are none where fewer than two points would be left.
    let remnants (lost: int) (template: Template) : (Template * struct (float * float)) list =
        let rec choose count (items: int list) =
            match count, items with
            | 0, _ -> [ [] ]
            | _, [] -> []
            | _, item :: rest ->
                (choose (count - 1) rest |> List.map (fun chosen -> item :: chosen)) @ choose count rest

        let left = template.Points.Length - lost

        if left < 2 then
            []
        elif lost = 0 then
            [ template, struct (0.0, 0.0) ]
        else
            ([], choose left [ 0 .. template.Points.Length - 1 ])
            ||> List.fold (fun found kept ->
                let points = kept |> List.map (fun i -> let struct (x, y) = template.Points[i] in x, y)
                let remnant = Template.create template.Name points

                if found |> List.exists (fun (other, _) -> same other remnant) then
                    found
                else
                    found @ [ remnant, struct (List.averageBy fst points, List.averageBy snd points) ])

    /// The explanations in which all templates are there and have lost `missing` points in all. There are none when fewer than
    /// two points a template would be left.
    let reductions (templates: Template list) (missing: int) : Explanation list =
        let rec spread missing (templates: Template list) =
            match templates with
            | [] -> if missing = 0 then [ [] ] else []
            | template :: others ->
                [
                    for lost in 0..missing do
                        for remnant in remnants lost template do
                            for rest in spread (missing - lost) others -> remnant :: rest
                ]

        [
            for parts in spread missing templates ->
                {
                    Capsules = [| 0 .. templates.Length - 1 |]
                    Templates = parts |> List.map fst
                    Centres = parts |> List.map snd |> Array.ofList
                }
        ]

    /// Writes the columns of scores [n, K] that belong to an explanation's capsules.
    let writeColumns (k: int) (explanation: Explanation) (scores: ReadOnlySpan<float32>) (into: Span<float32>) : unit =
        let width = explanation.Capsules.Length

        for i in 0 .. into.Length - 1 do
            into[i] <- scores[i / width * k + explanation.Capsules[i % width]]

    /// Tries explanations in the given order, at most `most` of them. Returns the index, sets and cost of the first whose
    /// division costs at most `solved`, or else of the cheapest. `divide` finds the division under the explanation of an index.
    let cheapest
        (solved: float)
        (order: int[])
        (most: int)
        (scenes: Partitions[])
        (points: ReadOnlyMemory<float32>)
        (divide: Func<int, Partitions, int[]>)
        : struct (int * int[] * float) =
        let mutable best = -1
        let mutable sets = [||]
        let mutable least = infinity
        let mutable next = 0

        while next < min most order.Length && (best < 0 || least > solved) do
            let scene = scenes[order[next]]
            Partitions.load points.Span scene
            let found = divide.Invoke(order[next], scene)
            let cost = Partitions.cost scene found

            if best < 0 || cost < least then
                best <- order[next]
                sets <- found
                least <- cost

            next <- next + 1

        struct (best, sets, least)

    /// Writes the poses (log s, θ, t_x, t_y) with which an explanation's capsules draw their whole templates. `poses` [K, 4]
    /// are those of all capsules; rows of the others stay as they are.
    let private writePoses (explanation: Explanation) (scene: Partitions) (sets: int[]) (poses: Span<float32>) : unit =
        for i in 0 .. sets.Length - 1 do
            let pose = poses.Slice(4 * explanation.Capsules[i], 4)
            Partitions.writePose scene i sets[i] pose
            let scale, angle = exp (float pose[0]), float pose[1]
            let re, im = scale * cos angle, scale * sin angle
            let struct (x, y) = explanation.Centres[i]
            pose[2] <- pose[2] - float32 (re * x - im * y)
            pose[3] <- pose[3] - float32 (im * x + re * y)

    /// For each number of points up to that of all templates, the indices of the explanations that have as many.
    let byCount (templates: Template list) (explanations: Explanation[]) : int[][] =
        Array.init (Template.pointCount templates + 1) (fun n ->
            [|
                for i in 0 .. explanations.Length - 1 do
                    if Template.pointCount explanations[i].Templates = n then
                        i
            |])

    /// A scene as one division explains it, for K capsules; sets are the points of each template of the explanation.
    let explained (k: int) (explanation: Explanation) (scene: Partitions) (sets: int[]) (cost: float) : Explained =
        {
            Presence = Array.init k (fun capsule -> Array.contains capsule explanation.Capsules)
            Labels = Partitions.labels explanation.Capsules scene.Xs.Length sets
            Cost = cost
        }

    /// A scene that no set of templates explains: it has too few points, or as many as no set has together.
    let nothing (k: int) : Explained = { Presence = Array.zeroCreate k; Labels = [||]; Cost = infinity }

    /// How many rows of a scene are points; they come before the padding.
    let rowCount (mask: ReadOnlySpan<float32>) : int =
        let mutable n = 0

        while n < mask.Length && mask[n] > 0.0f do
            n <- n + 1

        n

    /// Points [b, n, 2] of scenes that have lost some of K templates' points → poses [b, K, 4]. `divide explanation` is a search
    /// that finds a division under that explanation from a scene's index and points. Raises ArgumentException when fewer than
    /// two points a template are left.
    let solve (templates: Template list) (divide: Explanation -> int -> Partitions -> int[]) (points: Tensor) : Tensor =
        let count, n, k = points.shape[0], points.shape[1], templates.Length
        let explanations = reductions templates (Template.pointCount templates - n) |> Array.ofList

        if explanations.Length = 0 then
            invalidArg (nameof points) $"{n} points don't leave each of {k} templates two or more"

        let divide = explanations |> Array.map divide
        let scenes = explanations |> Array.map (fun explanation -> Partitions.create explanation.Templates)
        let order = Array.init explanations.Length id
        let poses = Tensor.zeros [| count; k; 4 |]
        let source = ReadOnlyMemory(points.toArray<float32>())

        for i in 0 .. count - 1 do
            let struct (best, sets, _) =
                cheapest
                    0.0
                    order
                    order.Length
                    scenes
                    (source.Slice(2 * n * i, 2 * n))
                    (Func<_, _, _>(fun explanation scene -> divide[explanation] i scene))

            writePoses explanations[best] scenes[best] sets (poses.Elements<float32>().Slice(4 * k * i, 4 * k))

        poses
