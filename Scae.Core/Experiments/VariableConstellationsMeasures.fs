namespace Scae.Core.Experiments

open System
open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Training

/// The metrics of methods that also say which templates a scene has.
[<RequireQualifiedAccess>]
module VariableConstellationsMeasures =
    /// Shares of the points that are labelled right: recovery under the best relabelling of each scene, and raw_recovery. `labels`
    /// has those that were found for each scene.
    let recoveries (k: int) (scenes: VariableConstellations) (labels: int[][]) : Metrics =
        let rows = scenes.Points.shape[1]
        let counter = RecoveryCounter k
        let mutable total = 0.0
        let mutable best = 0.0
        let mutable raw = 0.0

        for scene in 0 .. labels.Length - 1 do
            let n = labels[scene].Length
            counter.Take(ReadOnlySpan(scenes.Labels, scene * rows, n), ReadOnlySpan labels[scene])
            total <- total + float n
            best <- best + float counter.Best
            raw <- raw + float counter.Raw

        [ "recovery", best / total; "raw_recovery", raw / total ]

    /// The share of capsules [b · K] whose presence is right, presence_accuracy, and the share of scenes in which all are right.
    let presence (k: int) (scenes: VariableConstellations) (predicted: bool[]) : Metrics =
        let mutable right = 0
        let mutable whole = 0

        for scene in 0 .. predicted.Length / k - 1 do
            let mutable rightHere = 0

            for i in scene * k .. scene * k + k - 1 do
                if scenes.Presence[i] = predicted[i] then
                    rightHere <- rightHere + 1

            right <- right + rightHere

            if rightHere = k then
                whole <- whole + 1

        [
            "presence_accuracy", float right / float predicted.Length
            "scene_presence_accuracy", float whole / float (predicted.Length / k)
        ]

    /// Recoveries and presence of what was found for each scene.
    let ofExplained (k: int) (scenes: VariableConstellations) (found: Explained[]) : Metrics =
        recoveries k scenes (found |> Array.map _.Labels)
        @ presence k scenes (found |> Array.collect _.Presence)
