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

    let private measured (find: CcaeData -> PatternScenes -> int[]) (data: CcaeData) (split: Split) : Metrics =
        let scenes = (CcaeScenes.ofSplit data split).Scenes
        CcaeMeasures.ofOwners data.Config data.Config.Patterns.Length scenes (find data scenes)

    /// PatternSearch, which is told the patterns and their noise.
    let private search (draws: int) (data: CcaeData) (scenes: PatternScenes) : int[] =
        // Sets of points are bits of an integer.
        if scenes.Points.shape[1] > Partitions.MostPoints then
            invalidOp
                $"--baseline: scenes of {scenes.Points.shape[1]} points; ransac and exhaustive take at most {Partitions.MostPoints}"

        PatternSearch.solve { Scenes = data.Config; Noise = data.Config.Noise; Draws = draws } data.Baselines scenes

    /// The baselines by name. Each takes data and a split, and returns its metrics there.
    let all: (string * (CcaeData -> Split -> Metrics)) list =
        [
            "one-capsule", measured (fun _ -> PatternSearch.oneCapsule)
            "k-means", measured (fun data -> PatternSearch.kMeans data.Config data.Baselines)
            "ransac", measured (search Draws)
            "exhaustive", measured (search 0)
        ]
