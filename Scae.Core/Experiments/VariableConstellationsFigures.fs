namespace Scae.Core.Experiments

open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Figures
open Scae.Core.Training

/// Pictures of scenes whose templates vary in number.
[<RequireQualifiedAccess>]
module VariableConstellationsFigures =
    /// Curves until a moment, on the axes of the whole training: the training loss, and recovery and presence on validation
    /// scenes, of the whole method and of the network alone.
    let private curvePanels (whole: History) (until: History) : Panel list =
        let percents title own network =
            TrainingCurves.panel title "[%]" whole
            |> Panel.yLimits 0.0 100.0
            |> TrainingCurves.curve "network and search" Palette.blue until (TrainingCurves.percent own)
            |> TrainingCurves.curve "network alone" Palette.orange until (TrainingCurves.percent network)

        [
            TrainingCurves.loss "Training loss, cross-entropy" whole until
            percents "Raw recovery of the points" "raw_recovery" "network_raw_recovery"
            percents "Presence, capsules right" "presence_accuracy" "network_presence_accuracy"
        ]

    /// The curves of a training.
    let curves (history: History) : Figure =
        Figure.create "training-curves" "Training" [ curvePanels history history ]
        |> Figure.panelSize 380.0 320.0

    /// The true labels of a scene's points, without padding.
    let private truth (scenes: VariableConstellations) (scene: int) : int[] =
        Array.sub scenes.Labels (scene * scenes.Points.shape[1]) (VariableConstellations.pointCount scene scenes)

    let private labelled (scenes: VariableConstellations) (scene: int) (labels: int[]) (title: string) : Panel =
        let x, y = ConstellationsFigures.coordinates scenes.Points scene
        let points values = Array.truncate labels.Length values

        ConstellationsFigures.scenePanel title
        |> ConstellationsFigures.labelled (points x) (points y) labels (truth scenes scene)

    let private predicted (scenes: VariableConstellations) (scene: int) (labels: int[]) : Panel =
        labelled scenes scene labels (ConstellationsFigures.pointsRight labels (truth scenes scene))

    /// A bar for each capsule, the probability that its template is there, and a dot where it truly is.
    let private bars (scenes: VariableConstellations) (scene: int) (probabilities: float[]) : Panel =
        let k = probabilities.Length

        Panel.create ""
        |> Panel.axes "" ""
        |> Panel.yLimits 0.0 1.0
        |> Panel.xLimits -0.6 (float k - 0.4)
        |> Panel.each [ 0 .. k - 1 ] (fun capsule ->
            let left, right = float capsule - 0.3, float capsule + 0.3
            let height = probabilities[capsule]

            let there =
                [|
                    if scenes.Presence[scene * k + capsule] then
                        float capsule
                |]

            Panel.polygon
                (ConstellationsFigures.colour capsule)
                0.6
                [| left; right; right; left |]
                [| 0.0; 0.0; height; height |]
            >> Panel.points "" Marker.Circle 7.0 Colour.black there (there |> Array.map (fun _ -> 0.97)))
        |> Panel.xTicks []

    let private keys (templates: Template list) (figure: Figure) : Figure =
        figure
        |> ConstellationsFigures.templateKeys templates
        |> Figure.key "template is there" Colour.black (Swatch.Point Marker.Circle)
        |> Figure.key "wrong point" Colour.black (Swatch.Point Marker.Cross)

    [<Literal>]
    let private Explanation =
        "Colours as predicted, without relabelling. Bars: the network's probability that a template is there."

    /// The first scenes, with their truth, the labels that were found [b][n], and each capsule's predicted probability of presence
    /// [b, K].
    let examples
        (templates: Template list)
        (shown: int)
        (scenes: VariableConstellations)
        (labels: int[][])
        (probabilities: float[,])
        : Figure =
        let column scene =
            [
                labelled scenes scene (truth scenes scene) $"scene {scene + 1}"
                predicted scenes scene labels[scene]
                bars scenes scene probabilities[scene, *]
            ]

        Figure.create
            "examples"
            "Scenes that training has not seen"
            (List.transpose [ for scene in 0 .. shown - 1 -> column scene ])
        |> Figure.panelSize 200.0 200.0
        |> Figure.rowLabels [ "truth"; "predicted"; "presence" ]
        |> Figure.note Explanation
        |> keys templates

    /// One frame for each snapshot: labels and presence of a few scenes, and the growing curves below.
    let animation (templates: Template list) (scenes: VariableConstellations) (history: History) : Animation option =
        let frame (snapshot: Snapshot) (until: History) =
            let values = Map.ofList snapshot.Values
            let row (name: string) (scene: int) = Rows.values scene values[name]

            let labels scene =
                row "labels" scene
                |> Array.truncate (VariableConstellations.pointCount scene scenes)
                |> Array.map int

            let shown = [ 0 .. scenes.Points.shape[0] - 1 ]

            Figure.create
                "training"
                $"Step {snapshot.Step}"
                [
                    [ for scene in shown -> predicted scenes scene (labels scene) ]
                    [ for scene in shown -> bars scenes scene (row "presence" scene |> Array.map float) ]
                    curvePanels history until
                ]
            |> Figure.panelSize 230.0 200.0
            |> Figure.note Explanation
            |> keys templates

        TrainingCurves.animation 8.0 frame history

    /// Raw recovery, and the share of scenes whose templates are all right, by how many templates a scene has.
    let byCount (templates: Template list) (scenes: VariableConstellations) (found: Explained[]) : Figure =
        let k, rows = templates.Length, scenes.Points.shape[1]

        let groups =
            [| 0 .. found.Length - 1 |]
            |> Array.groupBy (fun i -> Array.sub scenes.Presence (i * k) k |> Array.filter id |> Array.length)
            |> Array.sortBy fst

        let line label colour value panel =
            Panel.line
                label
                colour
                (groups |> Array.map (fun (count, _) -> float count))
                (groups |> Array.map (fun (_, members) -> 100.0 * Array.averageBy value members))
                panel

        let raw i =
            Recovery.raw k (Array.sub scenes.Labels (i * rows) found[i].Labels.Length) found[i].Labels

        let present i =
            if Array.sub scenes.Presence (i * k) k = found[i].Presence then
                1.0
            else
                0.0

        Figure.single
            "by-count"
            (Panel.create "Scenes by how many templates they have"
             |> Panel.axes "templates" "[%]"
             |> Panel.yLimits 0.0 100.0
             |> Panel.xTicks [ for count in 1..k -> float count, string count ]
             |> line "raw recovery" Palette.vermilion raw
             |> line "every template's presence right" Palette.blue present)
