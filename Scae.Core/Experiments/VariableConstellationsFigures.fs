namespace Scae.Core

open Scae.Tensors

/// Pictures of scenes whose templates vary in number.
[<RequireQualifiedAccess>]
module VariableConstellationsFigures =
    let private metric (name: string) (evaluation: Evaluation) =
        100.0 * (evaluation.Metrics |> List.find (fun (other, _) -> other = name) |> snd)

    /// Training loss; recovery and presence on validation scenes, of the method and of the network alone.
    let curves (history: History) : Figure =
        let evaluations = Array.ofList history.Evaluations
        let x = evaluations |> Array.map (fun e -> float e.Epoch)
        let line label colour value panel = Panel.line label colour x (evaluations |> Array.map value) panel

        let percents title own network =
            Panel.create title
            |> Panel.axes "epoch" "[%]"
            |> Panel.yLimits 0.0 100.0
            |> line "network and search" Palette.blue (metric own)
            |> line "network alone" Palette.orange (metric network)

        Figure.create
            "training-curves"
            "Training"
            [
                [
                    Panel.create "Training loss"
                    |> Panel.axes "epoch" "cross-entropy"
                    |> line "" Palette.orange _.TrainLoss
                    percents "Raw recovery of the points" "raw_recovery" "network_raw_recovery"
                    percents "Presence, capsules right" "presence_accuracy" "network_presence_accuracy"
                ]
            ]
        |> Figure.panelSize 380.0 320.0

    /// The first scenes: truth, what was found, and each capsule's predicted probability of presence [b, K].
    let examples
        (templates: Template list)
        (shown: int)
        (scenes: VariableConstellations)
        (found: Explained[])
        (probabilities: float[,])
        : Figure =
        let rows = scenes.Points.shape[1]
        let k = templates.Length

        let column scene =
            let predicted = found[scene].Labels
            let truth = Array.sub scenes.Labels (scene * rows) predicted.Length
            let x, y = ConstellationsFigures.coordinates scenes.Points scene
            let x, y = Array.truncate predicted.Length x, Array.truncate predicted.Length y
            let hits = Array.map2 (fun a b -> if a = b then 1 else 0) truth predicted |> Array.sum

            let coloured (labels: int[]) title =
                ConstellationsFigures.scenePanel title
                |> Panel.colouredPoints Marker.Circle 11.0 (labels |> Array.map ConstellationsFigures.colour) x y

            let bars =
                (Panel.create "" |> Panel.axes "" "" |> Panel.yLimits 0.0 1.0 |> Panel.xLimits -0.6 (float k - 0.4),
                 [ 0 .. k - 1 ])
                ||> List.fold (fun panel capsule ->
                    let left, right = float capsule - 0.3, float capsule + 0.3
                    let height = probabilities[scene, capsule]

                    let panel =
                        panel
                        |> Panel.polygon
                            ""
                            (ConstellationsFigures.colour capsule)
                            0.6
                            [| left; right; right; left |]
                            [| 0.0; 0.0; height; height |]

                    if scenes.Presence[scene * k + capsule] then
                        panel |> Panel.points "" Marker.Circle 7.0 Colour.black [| float capsule |] [| 0.97 |]
                    else
                        panel)
                |> Panel.xTicks []

            [
                coloured truth $"scene {scene + 1}"
                coloured predicted $"{hits} of {predicted.Length} points"
                bars
            ]

        let figure =
            Figure.create
                "examples"
                "Scenes that training has not seen"
                (List.transpose [ for scene in 0 .. shown - 1 -> column scene ])
            |> Figure.panelSize 200.0 200.0
            |> Figure.rowLabels [ "truth"; "predicted"; "presence" ]
            |> Figure.note
                "Colours as predicted, without relabelling. Bars: the network's probability; dots: templates that are there."

        (figure, List.indexed templates)
        ||> List.fold (fun figure (i, template) ->
            Figure.key template.Name (ConstellationsFigures.colour i) (Swatch.Point Marker.Circle) figure)

    /// By how many templates a scene has: raw recovery and scenes whose templates are all right.
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
             |> Panel.xTicks [ for count in 1..k -> float count, string count ]
             |> line "raw recovery" Palette.vermilion raw
             |> line "every template's presence right" Palette.blue present)
