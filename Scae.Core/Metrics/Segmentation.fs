namespace Scae.Core.Metrics

open System

/// Scenes with the same number of points, some of which are absent, with true and predicted owners.
type SegmentedScenes =
    {
        /// K: owners are 0, …, K − 1.
        Owners: int
        /// Points of a scene, absent ones included.
        Points: int
        /// [scenes · points], including absent points.
        Truth: int[]
        /// [scenes · points].
        Present: bool[]
        /// [scenes · points].
        Predicted: int[]
    }

/// How well points were assigned to owners, over scenes that have any present points.
type SegmentationScore =
    {
        /// The share of all present points that are right after the best one-to-one matching within each scene.
        PointAccuracy: float
        /// The same as the released program of Kosiorek et al. 2019 computes it: its labels run from 0 to the number
        /// of distinct ones, so a scene in which only 0 and 2 are predicted loses its 2s.
        ReferencePointAccuracy: float
        /// The share of scenes in which every present point is right.
        ScenesRight: float
        /// The mean of the scenes' accuracies over all their points, where absent points are a class of their own
        /// that is never renamed.
        Accuracy: float
        /// The mean adjusted Rand index, where absent points are a group of their own.
        AdjustedRand: float
        /// The mean variation of information in nats, with the same group.
        Variation: float
        /// How many scenes have a present point.
        Scenes: int
    }

/// The result for one scene; counts are of present points.
type private SceneResult =
    {
        Points: int
        Right: int
        ByReference: int
        Accuracy: float
        AdjustedRand: float
        Variation: float
    }

/// The division of a constellation's points among objects (Kosiorek et al. 2019, §3.1; Nazabal et al. 2021 for the
/// measures with absent points). Without any scene, all measures are those of a perfect division.
[<RequireQualifiedAccess>]
module Segmentation =
    /// How many present points agree after the best matching of predicted to true owners, both of which are below
    /// `owners`.
    let private agreeing (owners: int) (truth: int[]) (predicted: int[]) : int =
        let table = Array2D.zeroCreate<float> owners owners

        for i in 0 .. truth.Length - 1 do
            table[predicted[i], truth[i]] <- table[predicted[i], truth[i]] - 1.0

        int (round -(Assignment.totalCost table (Assignment.hungarian table)))

    /// The released matcher: if the points of a scene, including absent ones, have m distinct labels, it sees only
    /// labels below m.
    let private agreeingByReference (owners: int) (labels: int[]) (truth: int[]) (predicted: int[]) : int =
        let distinct = labels |> Array.filter (fun label -> label < owners) |> Array.distinct |> Array.length
        let seen = Array.zip truth predicted |> Array.filter (fun (_, label) -> label < distinct)
        let truth, predicted = Array.unzip seen
        agreeing owners truth predicted

    let private check (scenes: SegmentedScenes) =
        let n = scenes.Truth.Length

        if
            scenes.Points < 1
            || n % scenes.Points <> 0
            || scenes.Present.Length <> n
            || scenes.Predicted.Length <> n
        then
            invalidArg
                (nameof scenes)
                $"segmentation: {n} true and {scenes.Predicted.Length} predicted owners, {scenes.Present.Length} presences; there must be as many of each, a multiple of {scenes.Points}"

        for i in 0 .. n - 1 do
            if uint scenes.Truth[i] >= uint scenes.Owners || uint scenes.Predicted[i] > uint scenes.Owners then
                invalidArg
                    (nameof scenes)
                    $"segmentation: point {i} has owners {scenes.Truth[i]} (true) and {scenes.Predicted[i]}; must be 0 to {scenes.Owners - 1}, predicted also {scenes.Owners} for none"

    /// The true and predicted owners of a scene's present points, and those of all its points, where the true owner
    /// of an absent point is `Owners`. A predicted owner of `Owners` means that the point is absent.
    let private ofScene (scenes: SegmentedScenes) (scene: int) =
        let first = scene * scenes.Points
        let indices = Array.init scenes.Points (fun i -> first + i)
        let present = indices |> Array.filter (fun i -> scenes.Present[i])
        let at (values: int[]) = Array.map (fun (i: int) -> values[i])
        let truth = indices |> Array.map (fun i -> if scenes.Present[i] then scenes.Truth[i] else scenes.Owners)
        let predicted = at scenes.Predicted indices
        struct (at scenes.Truth present, at scenes.Predicted present, truth, predicted)

    /// The agreement where absence counts: absent points as they are, the others after the best matching.
    let private agreeingWithAbsence (owners: int) (truth: int[]) (predicted: int[]) : float =
        let absent = Array.map2 (fun t p -> t = owners && p = owners) truth predicted |> Array.filter id

        let truth, predicted =
            Array.zip truth predicted |> Array.filter (fun (t, p) -> t < owners && p < owners) |> Array.unzip

        float (absent.Length + agreeing owners truth predicted)

    /// The score of scenes. `labels` are the owners of all points, including absent ones, which the released matcher
    /// looks at.
    let private scoreOf (labels: int[]) (scenes: SegmentedScenes) : SegmentationScore =
        check scenes
        let count = scenes.Truth.Length / scenes.Points

        let results =
            [|
                for scene in 0 .. count - 1 do
                    let struct (truth, predicted, all, allPredicted) = ofScene scenes scene

                    if truth.Length > 0 then
                        let known = Array.filter (fun i -> predicted[i] < scenes.Owners) [| 0 .. truth.Length - 1 |]
                        let of' (values: int[]) = known |> Array.map (fun i -> values[i])
                        let table = Contingency.Of(all, allPredicted)
                        let right = agreeing scenes.Owners (of' truth) (of' predicted)

                        {
                            Points = truth.Length
                            Right = right
                            ByReference =
                                agreeingByReference
                                    scenes.Owners
                                    (Array.sub labels (scene * scenes.Points) scenes.Points)
                                    (of' truth)
                                    (of' predicted)
                            Accuracy = agreeingWithAbsence scenes.Owners all allPredicted / float scenes.Points
                            AdjustedRand = table.AdjustedRandIndex
                            Variation = table.VariationOfInformation
                        }
            |]

        if results.Length = 0 then
            {
                PointAccuracy = 1.0
                ReferencePointAccuracy = 1.0
                ScenesRight = 1.0
                Accuracy = 1.0
                AdjustedRand = 1.0
                Variation = 0.0
                Scenes = 0
            }
        else
            let points = results |> Array.sumBy (fun (r: SceneResult) -> float r.Points)

            {
                PointAccuracy = (results |> Array.sumBy (fun r -> float r.Right)) / points
                ReferencePointAccuracy = (results |> Array.sumBy (fun r -> float r.ByReference)) / points
                ScenesRight = results |> Array.averageBy (fun r -> if r.Right = r.Points then 1.0 else 0.0)
                Accuracy = results |> Array.averageBy _.Accuracy
                AdjustedRand = results |> Array.averageBy _.AdjustedRand
                Variation = results |> Array.averageBy _.Variation
                Scenes = results.Length
            }

    /// The score of scenes in which the predicted owner may be `Owners`, for points predicted to be absent; these
    /// count as wrong if they are present. Raises ArgumentException for lengths that don't fit, or owners out of
    /// range.
    let scoreWithAbsence (scenes: SegmentedScenes) : SegmentationScore = scoreOf scenes.Predicted scenes

    /// The score of scenes in which presence is known: absent points count as predicted absent, whatever their
    /// predicted owner. Raises ArgumentException for lengths that don't fit, or owners out of range.
    let score (scenes: SegmentedScenes) : SegmentationScore =
        check scenes

        { scenes with
            Predicted =
                Array.map2
                    (fun present owner -> if present then owner else scenes.Owners)
                    scenes.Present
                    scenes.Predicted
        }
        |> scoreOf scenes.Predicted

    /// Some of the scenes, by number.
    let where (chosen: int -> bool) (scenes: SegmentedScenes) : SegmentedScenes =
        let kept =
            [|
                for scene in 0 .. scenes.Truth.Length / scenes.Points - 1 do
                    if chosen scene then
                        for i in scene * scenes.Points .. (scene + 1) * scenes.Points - 1 -> i
            |]

        { scenes with
            Truth = kept |> Array.map (fun i -> scenes.Truth[i])
            Present = kept |> Array.map (fun i -> scenes.Present[i])
            Predicted = kept |> Array.map (fun i -> scenes.Predicted[i])
        }
