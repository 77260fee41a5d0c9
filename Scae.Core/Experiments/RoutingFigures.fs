namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Figures

/// Pictures of the presets whose capsules recognise their templates.
[<RequireQualifiedAccess>]
module RoutingFigures =
    let private shade (capsule: int) (strength: float) : Colour =
        Colour.mix strength (Colour.rgb 232 232 232) (ConstellationsFigures.colour capsule)

    /// Panels with a row for each capsule and a column for each scene. Point i has a colour of strength `strength scene capsule i`,
    /// in [0, 1]. `measure` names that strength in the key.
    let private strengths
        name
        title
        (measure: string)
        (data: ConstellationsData)
        (strength: int -> int -> int -> float)
        : Figure =
        let n = Template.pointCount data.Templates

        let panel capsule scene =
            let x, y = ConstellationsFigures.coordinates data.Shown.Points scene

            let colours = Array.init n (fun i -> shade capsule (strength scene capsule i))

            ConstellationsFigures.scenePanel "" |> Panel.colouredPoints Marker.Circle 11.0 colours x y

        Figure.create
            name
            title
            [
                for capsule in 0 .. data.Templates.Length - 1 ->
                    [ for scene in 0 .. data.Shown.Points.shape[0] - 1 -> panel capsule scene ]
            ]
        |> Figure.panelSize 220.0 220.0
        |> Figure.rowLabels (data.Templates |> List.map _.Name)
        |> Figure.key $"{measure} 0" (shade 0 0.0) (Swatch.Point Marker.Circle)
        |> Figure.key "½" (shade 0 0.5) (Swatch.Point Marker.Circle)
        |> Figure.key "1" (shade 0 1.0) (Swatch.Point Marker.Circle)

    /// Which points each capsule claims before any search, from log-probabilities [b, n, K] of the shown scenes: the more probable,
    /// the stronger the colour.
    let routing (data: ConstellationsData) (logProbabilities: Tensor) : Figure =
        let k, n = data.Templates.Length, Template.pointCount data.Templates
        let values = logProbabilities.toArray<float32>()

        strengths "routing" "What each capsule claims before any search" "probability" data (fun scene capsule i ->
            exp (float values[(scene * n + i) * k + capsule]))

    /// Where the points that a capsule claims look, from attention [b, K, n]; the largest weight of a scene and capsule has full
    /// colour.
    let attention (data: ConstellationsData) (weights: Tensor) : Figure =
        let k, n = data.Templates.Length, Template.pointCount data.Templates
        let values = weights.toArray<float32>()

        strengths
            "attention"
            "Where the points of each capsule look"
            "share of the strongest"
            data
            (fun scene capsule i ->
                let at = (scene * k + capsule) * n
                float (values[at + i] / Array.max (Array.sub values at n)))
        |> Figure.note "Attention of the last block, averaged over heads and over the points that the capsule claims."

    /// Raw recovery by kind and strength of hardship, with a line for each method.
    let robustness (templates: Template list) (methods: (string * (string * (float * float) list) list) list) : Figure =
        let panel kind title axis =
            Panel.create title
            |> Panel.axes axis "raw recovery [%]"
            |> Panel.yLimits 0.0 100.0
            |> Panel.each (List.indexed methods) (fun (i, (name, curves)) ->
                let levels, recoveries = Map.ofList curves |> Map.find kind |> Array.ofList |> Array.unzip
                Panel.line name (Palette.category i) levels (recoveries |> Array.map ((*) 100.0)))
            |> ConstellationsFigures.chanceRaw "chance" templates

        Figure.create
            "robustness"
            "Scenes unlike those of training"
            [
                [
                    panel "noise" "Gaussian noise on every point" "standard deviation"
                    panel "missing" "Points left out at random" $"points missing of {Template.pointCount templates}"
                    |> Panel.xTicks [ for missing in 0..3 -> float missing, string missing ]
                ]
                [
                    panel "distractors" "Points that belong to nothing" "distractors"
                    |> Panel.xTicks [ for distractors in 0..3 -> float distractors, string distractors ]
                    panel "scale" "Every template at one scale (trained: 0.5 to 1.5)" "scale"
                ]
            ]
        |> Figure.panelSize 380.0 320.0
