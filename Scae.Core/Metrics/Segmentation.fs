namespace Scae.Core.Metrics

open System

/// Scenes of as many points each, of which some are absent, with true and predicted owners.
type SegmentedScenes =
    {
        /// K: owners are 0, …, K − 1.
        Owners: int
        /// Points of a scene, absent ones included.
        Points: int
        /// [scenes · points], of absent points too.
        Truth: int[]
        /// [scenes · points].
        Present: bool[]
        /// [scenes · points].
        Predicted: int[]
    }

/// How well points were given to owners, over scenes that have any.
type SegmentationScore =
    {
        /// Present points that are right after the best one-to-one matching in each scene, over all present points.
        PointAccuracy: float
        /// The same as the released program of Kosiorek et al. 2019 computes it: labels are enumerated as 0 to the number of
        /// distinct ones, so that a scene that predicts only 0 and 2 loses its 2s.
        ReferencePointAccuracy: float
        /// Scenes of which every present point is right.
        ScenesRight: float
        /// The accuracy over all points of a scene, absent ones being a class of their own that is never renamed; its mean.
        Accuracy: float
        /// Adjusted Rand index, absent points being a group of their own; its mean.
        AdjustedRand: float
        /// Variation of information in nats, likewise.
        Variation: float
        /// How many scenes have a point.
        Scenes: int
    }

/// How one scene was divided; counts of present points.
type private SceneResult =
    {
        Points: int
        Right: int
        ByReference: int
        Accuracy: float
        AdjustedRand: float
        Variation: float
    }

/// Points of constellations divided among objects (Kosiorek et al. 2019, §3.1; Nazabal et al. 2021 for the measures with
/// absent points). What has no points is right: all measures are as for a perfect division when there is no scene.
[<RequireQualifiedAccess>]
module Segmentation =
    /// Present points that agree after the best matching of predicted to true owners, which both are below `owners`.
    let private agreeing (owners: int) (truth: int[]) (predicted: int[]) : int =
        let table = Array2D.zeroCreate<float> owners owners

        for i in 0 .. truth.Length - 1 do
            table[predicted[i], truth[i]] <- table[predicted[i], truth[i]] - 1.0

        int (round -(Assignment.totalCost table (Assignment.hungarian table)))

    /// The released matcher: with m distinct labels of a scene's points, absent ones among them, only labels below m are seen.
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

    /// The parts of a scene: owners of present points, and of all points with `Owners` for absent ones. A predicted owner of
    /// `Owners` says that the point is absent.
    let private ofScene (scenes: SegmentedScenes) (scene: int) =
        let first = scene * scenes.Points
        let indices = Array.init scenes.Points (fun i -> first + i)
        let present = indices |> Array.filter (fun i -> scenes.Present[i])
        let at (values: int[]) = Array.map (fun (i: int) -> values[i])
        let truth = indices |> Array.map (fun i -> if scenes.Present[i] then scenes.Truth[i] else scenes.Owners)
        let predicted = at scenes.Predicted indices
        struct (at scenes.Truth present, at scenes.Predicted present, truth, predicted)

    /// Where absence counts: agreement of absent points as they are, of others after the best matching.
    let private agreeingWithAbsence (owners: int) (truth: int[]) (predicted: int[]) : float =
        let absent = Array.map2 (fun t p -> t = owners && p = owners) truth predicted |> Array.filter id

        let truth, predicted =
            Array.zip truth predicted |> Array.filter (fun (t, p) -> t < owners && p < owners) |> Array.unzip

        float (absent.Length + agreeing owners truth predicted)

    /// The score of scenes; `labels` are owners of all points, absent ones too, of which the released matcher takes notice.
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

    /// The score of scenes whose predicted owner may be `Owners`, for points that are said to be absent; those count as wrong
    /// where they are present. Raises ArgumentException for lengths that don't fit or owners out of range.
    let scoreWithAbsence (scenes: SegmentedScenes) : SegmentationScore = scoreOf scenes.Predicted scenes

    /// The score of scenes with known presence: absent points are told, whatever owner was predicted. Raises ArgumentException
    /// for lengths that don't fit or owners out of range.
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
