namespace Scae.Core.Experiments

open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// Methods that find the owners of points without learning anything.
[<RequireQualifiedAccess>]
module CcaeBaselines =
    // Pairs of points that RANSAC tries for each pattern.
    [<Literal>]
    let private Draws = 100

    let private measured find (data: CcaeData) (split: Split) : Result<Metrics, string> =
        let scenes = (CcaeScenes.ofSplit data split).Scenes

        find data scenes
        |> Result.map (CcaeMeasures.ofOwners data.Config data.Config.Patterns.Length scenes)

    /// PatternSearch, which is told the patterns and their noise.
    let private search (draws: int) (data: CcaeData) (scenes: PatternScenes) : Result<int[], string> =
        let points = scenes.Points.shape[1]

        // Sets of points are bits of an integer.
        let name, most =
            if draws = 0 then
                "exhaustive", PatternSearch.MostTried
            else
                "ransac", Partitions.MostPoints

        if points > most then
            Error $"--baseline {name}: scenes of {points} points; must be at most {most}"
        else
            Ok(
                PatternSearch.solve
                    { Scenes = data.Config; Noise = data.Config.Noise; Draws = draws }
                    data.Baselines
                    scenes
            )

    /// The baselines by name. Each takes data and a split, and returns its metrics there; the error is one line.
    let all: (string * (CcaeData -> Split -> Result<Metrics, string>)) list =
        [
            "one-capsule", measured (fun _ -> PatternSearch.oneCapsule >> Ok)
            "k-means", measured (fun data -> PatternSearch.kMeans data.Config data.Baselines >> Ok)
            "ransac", measured (search Draws)
            "exhaustive", measured (search 0)
        ]
