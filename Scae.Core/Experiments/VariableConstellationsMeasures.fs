namespace Scae.Core.Experiments

open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Training

/// What is measured of methods that also say which templates a scene has.
[<RequireQualifiedAccess>]
module VariableConstellationsMeasures =
    /// Over the points that are there: recovery under the best relabelling of each scene, and raw_recovery; `labels` gives
    /// each scene's.
    let recoveries (k: int) (scenes: VariableConstellations) (labels: int[][]) : Metrics =
        let rows = scenes.Points.shape[1]

        let scores =
            labels
            |> Array.mapi (fun scene predicted ->
                let truth = Array.sub scenes.Labels (scene * rows) predicted.Length
                let points = float predicted.Length
                points, points * Recovery.best k truth predicted, points * Recovery.raw k truth predicted)

        let total = scores |> Array.sumBy (fun (points, _, _) -> points)

        [
            "recovery", (scores |> Array.sumBy (fun (_, best, _) -> best)) / total
            "raw_recovery", (scores |> Array.sumBy (fun (_, _, raw) -> raw)) / total
        ]

    /// Share of capsules [b · K] whose presence is right: presence_accuracy; and of scenes in which all are.
    let presence (k: int) (scenes: VariableConstellations) (predicted: bool[]) : Metrics =
        let right = Array.map2 (fun (a: bool) b -> a = b) scenes.Presence predicted
        let share (values: bool[]) = float (values |> Array.filter id |> Array.length) / float values.Length

        [
            "presence_accuracy", share right
            "scene_presence_accuracy", right |> Array.chunkBySize k |> Array.map (Array.forall id) |> share
        ]

    /// Both, of what was found for each scene.
    let ofExplained (k: int) (scenes: VariableConstellations) (found: Explained[]) : Metrics =
        recoveries k scenes (found |> Array.map _.Labels)
        @ presence k scenes (found |> Array.collect _.Presence)
