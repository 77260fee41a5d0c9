namespace Scae.Core.Experiments

open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Training

/// Figures of merit of constellations with patterns that may be absent.
[<RequireQualifiedAccess>]
module CcaeMeasures =
    let private present (scenes: PatternScenes) : bool[] =
        scenes.Presence.toArray<float32>() |> Array.map (fun presence -> presence > 0.5f)

    /// Scenes with a predicted owner for each slot; owners are numbers below `names`.
    let private segmented (names: int) (scenes: PatternScenes) (owners: int[]) : SegmentedScenes =
        {
            Owners = names
            Points = scenes.Points.shape[1]
            Truth = scenes.Owners
            Present = present scenes
            Predicted = owners
        }

    /// How many names the capsules of a method and the patterns of the scenes need.
    let private names (config: PatternScenesConfig) (capsules: int) : int = max capsules config.Patterns.Length

    // --- which capsule stands for which pattern

    /// The capsule that stands for each pattern, the same in all scenes: the one-to-one matching with the most present points in
    /// common.
    let private standing (config: PatternScenesConfig) (reading: CcaeReading) : int[] =
        let k = names config reading.Capsules
        let inCommon = Array2D.zeroCreate<float> k k
        let present = present reading.Scenes

        for i in 0 .. present.Length - 1 do
            if present[i] then
                let pattern, capsule = reading.Scenes.Owners[i], reading.Owners[i]
                inCommon[pattern, capsule] <- inCommon[pattern, capsule] - 1.0

        Array.sub (Assignment.hungarian inCommon) 0 config.Patterns.Length

    /// The numbers of patterns, grouped by shape.
    let private alike (config: PatternScenesConfig) : int[][] =
        config.Patterns |> Array.indexed |> Array.groupBy snd |> Array.map (snd >> Array.map fst)

    /// What a reading says about the presence of patterns.
    type private SaidPresence =
        {
            /// The capsule that stands for each pattern.
            Standing: int[]
            /// Whether each pattern is there, [scenes · patterns].
            Truth: bool[]
            /// Whether it is said to be there, [scenes · patterns].
            Said: bool[]
        }

    /// Nothing tells patterns of one shape apart, so those that are there are matched first to capsules that claim to be there.
    let private presences (config: PatternScenesConfig) (reading: CcaeReading) : SaidPresence =
        let patterns = config.Patterns.Length
        let standing, groups = standing config reading, alike config
        let truth = reading.Scenes.Present
        let said = Array.zeroCreate truth.Length

        for scene in 0 .. truth.Length / patterns - 1 do
            for group in groups do
                let sorted = group |> Array.sortBy (fun pattern -> not truth[scene * patterns + pattern])

                let claims =
                    group
                    |> Array.map (fun pattern ->
                        let capsule = standing[pattern]

                        capsule < reading.Capsules && reading.Presence[scene * reading.Capsules + capsule] > 0.5)
                    |> Array.sortDescending

                Array.iter2 (fun pattern claim -> said[scene * patterns + pattern] <- claim) sorted claims

        { Standing = standing; Truth = truth; Said = said }

    let private share (holds: bool[]) : float =
        if holds.Length = 0 then
            1.0
        else
            holds |> Array.averageBy (fun right -> if right then 1.0 else 0.0)

    /// How often the presence of a pattern is said rightly: over all patterns, and for the worst pattern.
    let private presenceMetrics (config: PatternScenesConfig) (presences: SaidPresence) : Metrics =
        let right = Array.map2 (=) presences.Truth presences.Said
        let patterns = config.Patterns.Length

        let ofPattern pattern =
            share [| for scene in 0 .. right.Length / patterns - 1 -> right[scene * patterns + pattern] |]

        [
            "presence_accuracy", share right
            "least_presence_accuracy", Seq.min [ for pattern in 0 .. patterns - 1 -> ofPattern pattern ]
        ]

    /// Owners of slots under predicted presence. A slot whose pattern is said to be absent has no owner. A slot that is absent,
    /// though its pattern is said to be there, belongs to the capsule that stands for the pattern in all scenes, even if another
    /// capsule owns the present points of a pattern of the same shape.
    let private withPredictedPresence
        (config: PatternScenesConfig)
        (presences: SaidPresence)
        (reading: CcaeReading)
        : SegmentedScenes =
        let n, patterns = reading.Scenes.Points.shape[1], config.Patterns.Length
        let all = segmented (names config reading.Capsules) reading.Scenes reading.Owners

        { all with
            Predicted =
                reading.Owners
                |> Array.mapi (fun slot owner ->
                    let pattern = all.Truth[slot]

                    if not presences.Said[slot / n * patterns + pattern] then
                        all.Owners
                    elif all.Present[slot] then
                        owner
                    else
                        presences.Standing[pattern])
        }

    // --- points

    let private scores (prefix: string) (score: SegmentationScore) : Metrics =
        [
            prefix + "segmentation_accuracy", score.Accuracy
            prefix + "adjusted_rand", score.AdjustedRand
            prefix + "variation", score.Variation
        ]

    /// Point accuracy of scenes with one pattern, two, and so on; NaN where there are no such scenes.
    let private accuraciesByCount
        (config: PatternScenesConfig)
        (scenes: PatternScenes)
        (all: SegmentedScenes)
        : (int * float) list =
        [
            for count in 1 .. config.Patterns.Length ->
                let some = Segmentation.where (fun scene -> PatternScenes.patternCount config scene scenes = count) all
                let score = Segmentation.score some
                count, (if score.Scenes = 0 then nan else score.PointAccuracy)
        ]

    /// The metrics of any method that gives each point an owner. They are the share of present points that are right under the
    /// best matching in each scene, the same as the released program counts it, the share of scenes that are right, and measures
    /// over all slots, given which are absent.
    let ofOwners (config: PatternScenesConfig) (capsules: int) (scenes: PatternScenes) (owners: int[]) : Metrics =
        let all = segmented (names config capsules) scenes owners
        let score = Segmentation.score all

        [
            "point_accuracy", score.PointAccuracy
            "reference_point_accuracy", score.ReferencePointAccuracy
            "scenes_right", score.ScenesRight
        ]
        @ scores "" score
        @ [
            for count, accuracy in accuraciesByCount config scenes all -> $"point_accuracy_of_{count}", accuracy
        ]

    let private ofPoints (config: PatternScenesConfig) (reading: CcaeReading) : SegmentedScenes =
        segmented (names config reading.Capsules) reading.Scenes reading.Owners

    /// Point accuracy of scenes with one pattern, two, and so on; NaN where there are no such scenes.
    let byCount (config: PatternScenesConfig) (reading: CcaeReading) : (int * float) list =
        accuraciesByCount config reading.Scenes (ofPoints config reading)

    /// All metrics of a model: likelihood in nats a scene, owners, presence, and owners under predicted presence.
    let ofReading (config: PatternScenesConfig) (reading: CcaeReading) : Metrics =
        let presences = presences config reading

        [ "likelihood", Array.average reading.LogLikelihood ]
        @ ofOwners config reading.Capsules reading.Scenes reading.Owners
        @ scores "predicted_" (Segmentation.scoreWithAbsence (withPredictedPresence config presences reading))
        @ presenceMetrics config presences

    /// Point accuracy alone.
    let pointAccuracy (config: PatternScenesConfig) (reading: CcaeReading) : float =
        (ofPoints config reading |> Segmentation.score).PointAccuracy

    /// Point accuracy and the share of scenes right, in test scenes with each deviation of noise.
    let overNoise
        (config: PatternScenesConfig)
        (read: CcaeTestScenes -> CcaeReading)
        (noisy: (float * Lazy<CcaeTestScenes>) list)
        : Metrics =
        [
            for noise, scenes in noisy do
                let score = ofPoints config (read scenes.Value) |> Segmentation.score
                $"point_accuracy_at_{noise}", score.PointAccuracy
                $"scenes_right_at_{noise}", score.ScenesRight
        ]
