namespace Scae.Core.Models

open System
open Scae.Tensors
open Scae.Core.Configuration
open Scae.Core.Data
open Scae.Core.Metrics

/// How templates are learned.
type LearnedTemplatesConfig =
    {
        /// How many points each template has.
        Sizes: int list
        [<Setting("sets of templates learned side by side from random points", Min = 1.0, Max = 1024.0)>]
        Restarts: int
        [<Setting("squared residual that counts as an outlier at the beginning", Min = 1e-6)>]
        Tolerance: float
        [<Setting("the same at the end", Min = 1e-6)>]
        LastTolerance: float
    }

/// The parameters: [restarts, M, 2], the points of all templates one behind the other. Where a template lies, how large it
/// is and how it is turned doesn't matter.
type LearnedTemplates = { Points: Tensor }

/// Scenes and τ, the squared residual [1] beyond which a template's part of a scene counts as an outlier.
type LearnedTemplatesBatch = { Scenes: Constellations; Tolerance: Tensor }

/// Templates learned from scenes alone, given how many points each has. Each step divides every scene among the current
/// templates by exact search, and moves the templates' points down the gradient of a robust loss of the fits' residuals.
/// Only the true shapes recur in every scene, so only they leave no residual. But a random start may end elsewhere, so
/// several are learned side by side, and the one of least residual is taken.
[<RequireQualifiedAccess>]
module LearnedTemplates =
    /// Eight sets for the published templates.
    let standard: LearnedTemplatesConfig =
        {
            Sizes = Template.published |> List.map _.Points.Length
            Restarts = 8
            Tolerance = 0.3
            LastTolerance = 0.002
        }

    /// Points from a standard normal distribution.
    let init (config: LearnedTemplatesConfig) (dtype: Dtype) (key: Key) : LearnedTemplates =
        let points = Array.zeroCreate<float>(config.Restarts * 2 * List.sum config.Sizes)
        (key.Named "points").FillNormal(Span points)

        {
            Points = (Tensor.``of`` (points, config.Restarts, List.sum config.Sizes, 2)).cast dtype
        }

    /// Copies the templates [M, 2] of one restart, each centred and scaled to the mean squared radius 1.
    let private take (points: ReadOnlySpan<float32>) (templates: FittedTemplate[]) : unit =
        let mutable at = 0

        for template in templates do
            SimilarityFit.take 0.0 (points.Slice(2 * at)) template
            at <- at + template.X.Length

    /// Every restart's templates from points [restarts, M, 2], each centred and scaled to the mean squared radius 1.
    let templates (config: LearnedTemplatesConfig) (points: Tensor) : Template list list =
        let values = points.toArray<float32>()
        let stride = 2 * List.sum config.Sizes
        let fitted = config.Sizes |> List.map SimilarityFit.room |> Array.ofList

        [
            for restart in 0 .. config.Restarts - 1 do
                take (ReadOnlySpan(values, restart * stride, stride)) fitted

                fitted
                |> Array.mapi (fun k template -> SimilarityFit.shape $"template {k + 1}" template)
                |> List.ofArray
        ]

    /// Scenes [b, n, 2] sorted like the templates, once for each restart, [restarts, b, M, 2]: row m is the point at which
    /// the cheapest division draws template point m. Carries no gradient.
    let correspond (config: LearnedTemplatesConfig) (model: LearnedTemplates) (scenes: Tensor) : Tensor =
        let count, n = scenes.shape[0], scenes.shape[1]
        let stride = 2 * n

        let rooms =
            Array.init config.Restarts (fun _ ->
                let fitted = config.Sizes |> List.map SimilarityFit.room |> Array.ofList
                struct (Partitions.ofFitted fitted, ExactSearch(Array.ofList config.Sizes), Array.zeroCreate<int> n))

        Tensor.computed (
            [| config.Restarts; count; n; 2 |],
            [| scenes; model.Points |],
            fun inputs output ->
                let restart number =
                    let struct (scene, search, order) = rooms[number]
                    take (inputs[1].Span.Slice(stride * number, stride)) scene.Templates

                    for i in 0 .. count - 1 do
                        let points = inputs[0].Span.Slice(stride * i, stride)
                        let sorted = output.Span.Slice(stride * (number * count + i), stride)
                        Partitions.load points scene
                        let sets = search.Find scene
                        let mutable at = 0

                        for k in 0 .. sets.Length - 1 do
                            let size = scene.Templates[k].X.Length
                            Partitions.correspond scene k sets[k] (Span(order, at, size))
                            at <- at + size

                        for at in 0 .. n - 1 do
                            sorted[2 * at] <- points[2 * order[at]]
                            sorted[2 * at + 1] <- points[2 * order[at] + 1]

                Parallelism.Run(config.Restarts, restart)
        )

    /// The residual of each template's best fit to its points in each scene, Σ|x'|² − |Σ conj(p'_i)·x'_i|² / Σ|p'|²: sorted
    /// [restarts, b, M, 2] → [restarts, b, K].
    let residuals (config: LearnedTemplatesConfig) (model: LearnedTemplates) (sorted: Tensor) : Tensor =
        let starts = config.Sizes |> List.scan (+) 0

        Tensor.cat (
            [|
                for start, size in List.zip (List.truncate config.Sizes.Length starts) config.Sizes ->
                    let own = sorted.slice (2, start, start + size)
                    let x = own - own.mean (2, true)
                    let points = (model.Points.slice (1, start, start + size)).unsqueeze 1
                    let p = points - points.mean (2, true)
                    let left = (x * x).sum([| 2; 3 |]) - SimilarityFit.overlap p x / (p * p).sum([| 2; 3 |])
                    left.unsqueeze 2
            |],
            2
        )

    /// Σ τ·(1 − e^{−c/τ}) over the residuals c, averaged over scenes (Welsch's loss). A part that fits badly belongs to a
    /// wrong division, most of the time; its gradient is scaled by e^{−c/τ}. A scalar.
    let loss (config: LearnedTemplatesConfig) (model: LearnedTemplates) (batch: LearnedTemplatesBatch) : Tensor =
        let left =
            correspond config model batch.Scenes.Points |> _.cast(model.Points.dtype) |> residuals config model

        let tolerance = batch.Tolerance

        (tolerance * (1.0 - (-left / tolerance).exp())).sum() * (1.0 / float batch.Scenes.Points.shape[0])

    /// The mean squared residual that each restart's templates leave in scenes [b, n, 2].
    let cost (config: LearnedTemplatesConfig) (model: LearnedTemplates) (scenes: Tensor) : Tensor =
        (correspond config model scenes |> residuals config model).sum(2).mean(1).relu()

    /// The true template that each learned one is matched to, [K], and their Procrustes distance, [K]. The matching is the one
    /// whose distances have the least sum. Templates of different sizes don't match; one that matches none has −1 and NaN.
    let matching (truth: Template list) (learned: Template list) : int[] * float[] =
        let fits (i: int) (j: int) = learned[i].Points.Length = truth[j].Points.Length

        let distances =
            Array2D.init learned.Length truth.Length (fun i j ->
                if fits i j then
                    SimilarityFit.distance truth[j] learned[i]
                else
                    // More than all real distances together.
                    float truth.Length + 1.0)

        let matched =
            Assignment.hungarian distances |> Array.mapi (fun i j -> if j >= 0 && fits i j then j else -1)

        matched, matched |> Array.mapi (fun i j -> if j < 0 then nan else distances[i, j])
