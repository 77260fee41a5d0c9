namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Training

/// Drawn points [b, M, 2], the index of the drawn point nearest to each given point [b, n], and scenes' Chamfer distances [b].
type private Nearness = { Drawn: Tensor; Nearest: Tensor; Distance: Tensor }

/// The metrics of any method that draws templates onto scenes.
[<RequireQualifiedAccess>]
module ConstellationsMeasures =
    // How many scenes are measured at once: enough to fill the kernels, few enough to stay in the cache.
    [<Literal>]
    let private ScenesAtOnce = 256

    /// Gives the label `nothing` to the `more` points of a scene that lie furthest from the drawn points.
    let private leaveOver (nothing: int) (distances: float32[]) (more: int) (labels: Span<int>) : unit =
        let order = Array.init distances.Length id
        Array.Sort(distances, order)

        for i in distances.Length - more .. distances.Length - 1 do
            labels[order[i]] <- nothing

    /// The squared distance of each point of a scene [n, 2] from the nearest of the drawn points [M, 2].
    let private squares (points: ReadOnlySpan<float32>) (drawn: ReadOnlySpan<float32>) (nearest: ReadOnlySpan<int>) =
        let distances = Array.zeroCreate<float32> nearest.Length

        for i in 0 .. nearest.Length - 1 do
            let dx = points[2 * i] - drawn[2 * nearest[i]]
            let dy = points[2 * i + 1] - drawn[2 * nearest[i] + 1]
            distances[i] <- dx * dx + dy * dy

        distances

    /// `leaveOver` for each scene of a part, with n points each; changes the labels in `predicted`.
    let private leaveOverAll
        (templates: Template list)
        (n: int)
        (more: int)
        (part: Part<Tensor * Tensor, Nearness>)
        (predicted: int[])
        : unit =
        let size = (Template.owners templates).Length
        let given = (snd part.Batch).Elements<float32>()
        let drawn = part.Output.Drawn.Elements<float32>()
        let nearest = part.Output.Nearest.Elements<int>()

        for scene in 0 .. nearest.Length / n - 1 do
            let distances =
                squares
                    (Span.op_Implicit (given.Slice(2 * n * scene, 2 * n)))
                    (Span.op_Implicit (drawn.Slice(2 * size * scene, 2 * size)))
                    (Span.op_Implicit (nearest.Slice(n * scene, n)))

            leaveOver templates.Length distances more (Span(predicted, (part.First + scene) * n, n))

    let private measured (templates: Template list) (draw: Tensor -> Tensor) : Constellations -> Tensor -> Metrics =
        let owner = Template.owners templates

        let infer (rows, points: Tensor) =
            let drawn: Tensor = draw rows

            {
                Drawn = drawn
                Nearest = points.nearest drawn
                Distance = drawn.chamfer points
            }

        let inference =
            Memo.once (fun (struct (rows: int, numbers: int, points: int)) ->
                let room (count: int) = Tensor.zeros [| count; rows; numbers |], Tensor.zeros [| count; points; 2 |]
                Inference(ScenesAtOnce, room, infer))

        let kept = ref Array.empty<int>

        fun scenes rows ->
            let count, n = scenes.Points.shape[0], scenes.Points.shape[1]
            let distances = Tensor.zeros [| count |]

            if kept.Value.Length <> count * n then
                kept.Value <- Array.zeroCreate (count * n)

            let predicted = kept.Value
            let more = n - owner.Length

            (inference (struct (rows.shape[1], rows.shape[2], n)))
                .Over(
                    count,
                    fun part ->
                        let ofRows, points = part.Batch
                        Rows.load rows part.First ofRows
                        Rows.load scenes.Points part.First points
                        part.Run()
                        Rows.store distances part.First part.Output.Distance
                        let nearest = part.Output.Nearest.Elements<int>()

                        for i in 0 .. nearest.Length - 1 do
                            predicted[part.First * n + i] <- owner[nearest[i]]

                        if more > 0 then
                            leaveOverAll templates n more part predicted
                )

            let labels = if more > 0 then templates.Length + 1 else templates.Length
            let score = Recovery.evaluate labels n scenes.Labels predicted

            [ "chamfer", distances.mean().toScalar(); "recovery", score.Best; "raw_recovery", score.Raw ]

    /// chamfer, recovery and raw_recovery of drawn points [b, M, 2]. A scene's point belongs to the template that drew the point
    /// nearest to it. If the scene has more points than are drawn, the surplus, those furthest from any drawn point, belong to
    /// nothing, which counts as one more template. The measure that is returned for templates keeps its arrays.
    let ofDrawn (templates: Template list) : Constellations -> Tensor -> Metrics = measured templates id

    /// The same for poses [b, K, 4].
    let ofPoses (templates: Template list) : Constellations -> Tensor -> Metrics =
        measured templates (ConstellationCapsules.decode templates)

    /// The metrics of the geometric baseline on scenes, with the mean number of fits that a scene takes.
    let exact (templates: Template list) (scenes: Constellations) : Metrics =
        let poses, fits = ExactConstellations.solve templates scenes.Points
        ofPoses templates scenes poses @ [ "fits_per_scene", fits ]

    /// The first `count` scenes with Gaussian noise on every coordinate; a pure function of the key.
    let private noisy (count: int) (deviation: float) (key: Key) (scenes: Constellations) : Constellations =
        let few = Constellations.truncate count scenes
        let noise = Array.zeroCreate<float32> few.Points.nelement
        (key.Named "noise").FillNormal(Span noise, 0.0f, float32 deviation)
        { few with Points = few.Points + Tensor.``of`` (noise, few.Points.shape) }

    /// The first `count` scenes without the last `missing` points of each. Since points are in random order, any may be missing.
    let without (count: int) (missing: int) (scenes: Constellations) : Constellations =
        let count = min count scenes.Points.shape[0]
        let before = scenes.Points.shape[1]
        let left = before - missing

        {
            Points = (scenes.Points.slice(0, 0, count).slice(1, 0, left)).clone()
            Labels = Array.init (count * left) (fun i -> scenes.Labels[i / left * before + i % left])
            Poses = (scenes.Poses.slice (0, 0, count)).clone()
        }

    [<Literal>]
    let private MostDistractors = 3

    // More points can be lost in dozens of ways, and what is left often has no single answer.
    [<Literal>]
    let private MostMissing = 3

    /// Kinds of scenes that training hasn't seen, by kind and strength: noise of a standard deviation on every point, missing
    /// points, points that belong to nothing, and all templates at one scale (in training it is 0.5 to 1.5). Of each there are
    /// `count` scenes, or as many as `scenes` has. None for a count of 0.
    let hardships (config: ConstellationsConfig) (count: int) (key: Key) (scenes: Constellations) =
        let count = min count scenes.Points.shape[0]

        if count = 0 then
            []
        else
            [
                "noise",
                [ for level in [ 0.0; 0.02; 0.05; 0.1; 0.15; 0.2; 0.25 ] -> level, noisy count level key scenes ]
                "missing", [ for missing in 0..MostMissing -> float missing, without count missing scenes ]
                "distractors",
                [
                    for distractors in 0..MostDistractors ->
                        let config = { config with Distractors = distractors }
                        float distractors, Constellations.sample config count (key.Named "distractors")
                ]
                "scale",
                [
                    for scale in [ 0.25; 0.5; 1.0; 1.5; 2.0; 3.0; 4.0 ] ->
                        let config = { config with Scale = struct (scale, scale) }

                        scale, Constellations.sample config count (key.Named "scale")
                ]
            ]

    /// Raw recovery under each hardship, of a method that leads from points [b, n, 2] to poses [b, K, 4].
    let robustness
        (templates: Template list)
        (hardships: (string * (float * Constellations) list) list)
        (solve: Tensor -> Tensor)
        : (string * (float * float) list) list =
        let ofPoses = ofPoses templates

        [
            for kind, trials in hardships ->
                kind,
                [
                    for level, scenes in trials ->
                        let metrics = ofPoses scenes (solve scenes.Points) |> Map.ofList
                        level, metrics["raw_recovery"]
                ]
        ]

    /// What `robustness` found as metrics: noise_0.05_raw_recovery and so on.
    let robustnessMetrics (curves: (string * (float * float) list) list) : Metrics =
        [
            for kind, points in curves do
                for level, recovery in points -> FormattableString.Invariant $"{kind}_{level:F2}_raw_recovery", recovery
        ]
