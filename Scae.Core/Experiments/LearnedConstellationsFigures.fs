namespace Scae.Core.Experiments

open System
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Figures
open Scae.Core.Training

/// Pictures of templates while they are learned.
[<RequireQualifiedAccess>]
module LearnedConstellationsFigures =
    let private coordinates (template: Template) =
        template.Points |> Array.map (fun struct (x, _) -> x), template.Points |> Array.map (fun struct (_, y) -> y)

    /// A learned template's points, moved by the similarity that fits them best to the true template.
    let private laidOn (truth: Template) (learned: Template) : float[] * float[] =
        let xs, ys = coordinates truth
        let fitted = SimilarityFit.prepare learned

        let struct (_, re, im, tx, ty) = SimilarityFit.fit fitted xs ys (ReadOnlySpan(Array.init xs.Length id))

        let x, y = coordinates learned
        Array.map2 (fun x y -> re * x - im * y + tx) x y, Array.map2 (fun x y -> im * x + re * y + ty) x y

    let private outlined (template: Template) (x: float[]) (y: float[]) =
        let order = Template.outline template
        order |> Array.map (fun i -> x[i]), order |> Array.map (fun i -> y[i])

    /// A true template in grey, the learned one that is matched to it laid over it.
    let private panel (title: string) (k: int) (truth: Template) (learned: Template) : Panel =
        let trueX, trueY = coordinates truth
        let x, y = laidOn truth learned
        let greyX, greyY = outlined truth trueX trueY
        let ownX, ownY = outlined learned x y

        Panel.create title
        |> Panel.frame Frame.Box
        |> Panel.equalAspect
        |> Panel.xLimits -1.0 1.0
        |> Panel.yLimits -1.0 1.0
        |> Panel.polygon Colour.grey 0.25 greyX greyY
        |> Panel.points "" Marker.Circle 13.0 Colour.lightGrey trueX trueY
        |> Panel.polygon (ConstellationsFigures.colour k) 0.15 ownX ownY
        |> Panel.points "" Marker.Circle 7.0 (ConstellationsFigures.colour k) x y

    /// Templates in the order of the true ones to which those of the last moment are matched.
    let private inOrder (truth: Template list) (last: Template list) : Template list -> Template list =
        let matched, _ = LearnedTemplates.matching truth last
        fun templates -> [ for k in 0 .. truth.Length - 1 -> templates[Array.findIndex ((=) k) matched] ]

    /// For each snapshot [restarts, M, 2] its step and the chosen restart's templates, in the order of the true templates to which
    /// the last snapshot's are matched.
    let private course (config: LearnedTemplatesConfig) (truth: Template list) (chosen: int) (history: History) =
        let all =
            [
                for snapshot in history.Snapshots ->
                    snapshot.Step, (LearnedTemplates.templates config (snd snapshot.Values.Head))[chosen]
            ]

        match List.tryLast all with
        | None -> []
        | Some(_, last) -> all |> List.map (fun (step, templates) -> step, inOrder truth last templates)

    let private panels
        (truth: Template list)
        (title: string -> float -> string)
        (step: int)
        (templates: Template list)
        =
        [
            for k, (own, learned) in List.indexed (List.zip truth templates) ->
                panel (title $"step {step}" (SimilarityFit.distance own learned)) k own learned
        ]

    let private legend =
        "Grey: the true template. Colour: the learned one, laid over it by the best similarity. Numbers: Procrustes distance."

    /// The learned shapes alone.
    let private learned (truth: Template list) (templates: Template list) : Figure =
        Figure.create
            "templates"
            "Learned templates"
            [ panels truth (fun _ distance -> $"{distance:F3}") 0 (inOrder truth templates templates) ]
        |> Figure.panelSize 200.0 200.0
        |> Figure.columnLabels (truth |> List.map _.Name)
        |> Figure.note legend

    /// The chosen restart's shapes at a few moments.
    let private evolution (truth: Template list) (course: (int * Template list) list) : Figure =
        // Moments are spaced by squares, since most happens early.
        let moments = List.distinct [ for i in 0..5 -> (course.Length - 1) * i * i / 25 ]

        let columns =
            [
                for i in moments ->
                    let step, templates = course[i]
                    panels truth (fun step distance -> $"{step}: {distance:F3}") step templates
            ]

        Figure.create "evolution" "Templates while they are learned" (List.transpose columns)
        |> Figure.panelSize 200.0 200.0
        |> Figure.rowLabels (truth |> List.map _.Name)
        |> Figure.note legend

    /// Every restart's mean Procrustes distance over the steps.
    let private distances (config: LearnedTemplatesConfig) (truth: Template list) (chosen: int) (history: History) =
        let steps = [| for snapshot in history.Snapshots -> float snapshot.Step |]

        let distances =
            [
                for snapshot in history.Snapshots ->
                    [|
                        for templates in LearnedTemplates.templates config (snd snapshot.Values.Head) ->
                            // Zero has no logarithm.
                            LearnedTemplates.matching truth templates |> snd |> Array.average |> max 1e-6
                    |]
            ]

        let curve restart =
            let colour, label =
                if restart = chosen then
                    Palette.vermilion, "chosen by residual"
                elif restart = (if chosen = 0 then 1 else 0) then
                    Colour.grey, "other starts"
                else
                    Colour.grey, ""

            Panel.line label colour steps [| for row in distances -> row[restart] |]

        let others = [ 0 .. config.Restarts - 1 ] |> List.filter (fun restart -> restart <> chosen)

        Panel.create "Distance from the true shapes, mean of the templates"
        |> Panel.axes "step" "Procrustes distance"
        |> Panel.logY
        |> Panel.each (others @ [ chosen ]) curve
        |> Figure.single "distance"

    /// The chosen restart's shapes at a few moments, and every restart's mean Procrustes distance over the steps. A run without
    /// snapshots has the learned shapes alone.
    let all
        (config: LearnedTemplatesConfig)
        (truth: Template list)
        (chosen: int)
        (templates: Template list)
        (history: History)
        : Figure list =
        match course config truth chosen history with
        | [] -> [ learned truth templates ]
        | course -> [ evolution truth course; distances config truth chosen history ]

    /// One frame for each snapshot: the chosen restart's shapes.
    let animation (config: LearnedTemplatesConfig) (truth: Template list) (chosen: int) (history: History) =
        match course config truth chosen history with
        | [] -> None
        | course ->
            let frame (step, templates) =
                Figure.create
                    "training"
                    $"Step {step}"
                    [ panels truth (fun _ distance -> $"{distance:F3}") step templates ]
                |> Figure.panelSize 215.0 200.0

            Some(Animation.create "training" 8.0 (course |> List.map frame |> Array.ofList))
