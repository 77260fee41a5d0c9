namespace Scae.Core.Models

open System
open System.Numerics
open Scae.Tensors
open Scae.Core.Data

/// Finds the cheapest division of a scene among templates of the given sizes by branch and bound. The first template's sets
/// are tried best fit first (the others' too, but for the last, where there are more than 12 points). So the first branches
/// solve a noise-free scene, and bounds cut the rest. Keep one for many scenes, but don't share it between threads.
[<Sealed>]
type ExactSearch(sizes: int[]) =
    let n = Array.sum sizes
    let last = sizes.Length - 1

    // All sets of a template's size among the points.
    let candidates = sizes |> Array.map (Partitions.setsOf n)

    // The points as they come. This is the answer for a scene with NaN, which has no best division.
    let consecutive =
        let starts = Array.scan (+) 0 sizes
        sizes |> Array.mapi (fun k size -> ((1 <<< size) - 1) <<< starts[k])

    let orders = candidates |> Array.map Array.copy
    let costs = candidates |> Array.map (fun sets -> Array.zeroCreate<float> sets.Length)
    let chosen = Array.zeroCreate<int> sizes.Length
    let best = Array.zeroCreate<int> sizes.Length
    let mutable least = infinity

    let rec descend (scene: Partitions) (k: int) (rest: int) (soFar: float) : unit =
        if k = last then
            let total = soFar + Partitions.residual scene k rest

            if total < least then
                least <- total
                chosen[k] <- rest
                Array.blit chosen 0 best 0 chosen.Length
        else
            let options = orders[k]
            let mutable i = 0

            while i < options.Length do
                let set = options[i]

                if set &&& ~~~rest = 0 then
                    let total = soFar + Partitions.residual scene k set

                    if total < least then
                        chosen[k] <- set
                        descend scene (k + 1) (rest &&& ~~~set) total

                i <- i + 1

    /// The cheapest division of a scene. The next search overwrites the array.
    member _.Find(scene: Partitions) : int[] =
        Array.blit consecutive 0 best 0 best.Length
        least <- infinity

        // Sorting needs a fit of every set. For a short list, fits that the search wouldn't need cost more than a bad order:
        // for 11 points only 372 of 825 are made.
        for k in 0 .. last - 1 do
            Array.blit candidates[k] 0 orders[k] 0 orders[k].Length

            if k = 0 || n > 12 then
                for i in 0 .. orders[k].Length - 1 do
                    let set = orders[k][i]
                    costs[k][i] <- Partitions.residual scene k set

                Array.Sort(costs[k], orders[k])

        descend scene 0 ((1 <<< n) - 1) 0.0
        best

    /// A search for scenes of these templates.
    static member Of(templates: Template list) : ExactSearch =
        ExactSearch(templates |> List.map _.Points.Length |> Array.ofList)

/// The geometric baseline, which learns nothing: of all divisions of a scene's points among the templates (11,550 for
/// 4 + 4 + 3 points, made of 825 fits) the one of least squares. Upper reference of every learned model.
[<RequireQualifiedAccess>]
module ExactConstellations =
    /// A solver for templates of these sizes that keeps its arrays. From points [b, n, 2] it finds the poses [b, K, 4] of each
    /// scene's best division, and the mean number of fits a scene took. Raises ArgumentException when the scenes don't have
    /// exactly the templates' points.
    let solver (sizes: int list) : Template list -> Tensor -> Tensor * float =
        let k = sizes.Length
        let scene = sizes |> List.map SimilarityFit.room |> Array.ofList |> Partitions.ofFitted
        let search = ExactSearch(Array.ofList sizes)
        let source = Copies()

        fun templates points ->
            templates |> List.iteri (fun i template -> SimilarityFit.put template scene.Templates[i])
            let count = points.shape[0]
            let poses = Tensor.zeros [| count; k; 4 |]
            let source = source.Of points
            let stride = source.Length / max 1 count
            let mutable fits = 0

            for i in 0 .. count - 1 do
                Partitions.load (source.Span.Slice(i * stride, stride)) scene
                let sets = search.Find scene
                fits <- fits + scene.Fits
                Partitions.writePoses scene sets (poses.Elements<float32>().Slice(4 * k * i))

            poses, float fits / float (max 1 count)

    /// A solver for the sizes of these templates, used once.
    let solve (templates: Template list) (points: Tensor) : Tensor * float =
        solver (templates |> List.map _.Points.Length) templates points

    /// The poses [b, K, 4] for points [b, n, 2] of scenes that may have lost some. Which capsule lost which points is then
    /// searched too. Raises ArgumentException when fewer than two points a template are left.
    let solveRemnants (templates: Template list) (points: Tensor) : Tensor =
        points
        |> Explanations.solve templates (fun explanation ->
            let search = ExactSearch.Of explanation.Templates
            fun _ scene -> search.Find scene)

    /// The poses [b, K, 4] for points [b, n, 2] of scenes with distractors. Which points they are is searched too. Raises
    /// ArgumentException for fewer points than the templates have.
    let solveAmong (templates: Template list) (points: Tensor) : Tensor =
        points
        |> Distractors.solve templates (fun distractors ->
            let search = ExactSearch(Distractors.sizes distractors templates)
            fun _ scene -> search.Find scene)

    /// The poses for any number of points: `solveAmong` where there are more than the templates have, else `solveRemnants`.
    let solveAny (templates: Template list) (points: Tensor) : Tensor =
        if points.shape[1] > Template.pointCount templates then
            solveAmong templates points
        else
            solveRemnants templates points

    /// Which templates are in each scene, and which points belong to which, for points [b, N, 2] and a mask [b, N, 1] of the rows
    /// that are points. Of all sets of templates with as many points as the scene, the one is taken whose best division leaves
    /// the least residual.
    let explain (templates: Template list) (points: Tensor) (mask: Tensor) : Explained[] =
        let count, rows = points.shape[0], points.shape[1]
        let explanations = Explanations.subsets templates |> Array.ofList
        let byCount = Explanations.byCount templates explanations
        let scenes = explanations |> Array.map (fun explanation -> Partitions.create explanation.Templates)
        let searches = explanations |> Array.map (fun explanation -> ExactSearch.Of explanation.Templates)
        let source = ReadOnlyMemory(points.toArray<float32>())
        let mask = mask.toArray<float32>()

        Array.init count (fun i ->
            let n = Explanations.rowCount (ReadOnlySpan(mask, rows * i, rows))

            if byCount[n].Length = 0 then
                Explanations.nothing templates.Length
            else
                let struct (best, sets, cost) =
                    Explanations.cheapest
                        0.0
                        byCount[n]
                        Int32.MaxValue
                        scenes
                        (source.Slice(2 * rows * i, 2 * n))
                        (Func<_, _, _>(fun explanation scene -> searches[explanation].Find scene))

                Explanations.explained templates.Length explanations[best] scenes[best] sets cost)
