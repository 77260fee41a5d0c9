namespace Scae.Core.Experiments

open Scae.Core.Configuration
open System
open System.Globalization
open Scae.Core.Figures

/// A hyperparameter that a scan varies, and its values as the command line writes them.
type ScanAxis = { Name: string; Values: string list }

/// A combination of values, and a metric's mean and standard deviation over seeds; for a single seed the deviation is NaN.
type ScanPoint = { Settings: (string * string) list; Mean: float; Deviation: float }

/// Trainings over every combination of some hyperparameters' values.
[<RequireQualifiedAccess>]
module Scan =
    /// An axis from text such as hidden=12,24,48. The error is one line.
    let parse (text: string) : Result<ScanAxis, string> =
        match text.IndexOf '=' with
        | at when at > 0 && at < text.Length - 1 ->
            let values = text[at + 1 ..].Split ',' |> List.ofArray |> List.map _.Trim()

            if List.exists ((=) "") values || List.distinct values <> values then
                Error $"--vary {text}: values must be there and differ"
            else
                Ok { Name = text[.. at - 1]; Values = values }
        | _ -> Error $"--vary {text}: must be a hyperparameter and its values, such as hidden=12,24,48"

    /// Every combination of values, the last axis changing fastest; one empty combination for no axes.
    let combinations (axes: ScanAxis list) : (string * string) list list =
        List.foldBack
            (fun axis rest ->
                [
                    for value in axis.Values do
                        for others in rest -> (axis.Name, value) :: others
                ])
            axes
            [ [] ]

    /// A combination as a folder's name: hidden=12,iterations=4.
    let folder (settings: (string * string) list) : string =
        settings |> List.map (fun (name, value) -> $"{name}={value}") |> String.concat ","

    /// The metric's name and points, in percent if the metric is a fraction of one.
    let private inPercent (isFraction: bool) (metric: string) (points: ScanPoint list) : string * ScanPoint list =
        if isFraction then
            $"{metric}, %%",
            points
            |> List.map (fun point -> { point with Mean = 100.0 * point.Mean; Deviation = 100.0 * point.Deviation })
        else
            metric, points

    /// A number format that shows two digits of the means' range, so that what differs looks different.
    let private format (isFraction: bool) (points: ScanPoint list) : string =
        let means = points |> List.map _.Mean |> List.filter Double.IsFinite
        let power value = int (floor (log10 value))
        let largest = means |> List.map abs |> List.fold max 0.0
        let isSmall = not isFraction && largest > 0.0 && largest < 0.001
        let unit = if isSmall then Math.Pow(10.0, power largest) else 1.0

        let range =
            if means.IsEmpty then
                0.0
            else
                (List.max means - List.min means) / unit

        let least =
            if isFraction then 1
            elif isSmall then 2
            else 3

        // A difference beyond six decimals is rounding.
        let wanted = if range > 0.0 then 1 - power range else least
        let decimals = if wanted > 6 then least else max least wanted

        "0." + String('0', decimals) + (if isSmall then "e-00" else "")

    // A single training has no deviation.
    let private stated (format: string) (point: ScanPoint) : string =
        let number (value: float) = value.ToString(format, CultureInfo.InvariantCulture)

        if Double.IsNaN point.Deviation then
            number point.Mean
        else
            $"{number point.Mean} ± {number point.Deviation}"

    /// A Markdown table of the points; in percent where the metric is a fraction of one.
    let markdown (metric: string) (isFraction: bool) (points: ScanPoint list) : string =
        let row cells = "| " + String.concat " | " cells + " |\n"
        let metric, points = inPercent isFraction metric points
        let stated = stated (format isFraction points)

        match points with
        | [] -> ""
        | first :: _ ->
            let names = first.Settings |> List.map fst

            row (names @ [ metric ])
            + row [ for _ in 0 .. names.Length -> "---" ]
            + String.concat "" [ for point in points -> row ((point.Settings |> List.map snd) @ [ stated point ]) ]

    let private isSpread (points: ScanPoint list) : bool =
        points |> List.exists (fun point -> not (Double.IsNaN point.Deviation))

    let private means (points: ScanPoint list) : float[] = points |> List.map _.Mean |> Array.ofList

    /// A bar with its deviation for each value of an axis.
    let private bars (title: string) (metric: string) (axis: ScanAxis) (points: ScanPoint list) : Figure =
        let isSpread = isSpread points

        let mark: BarMark =
            {
                BarMark.X = Array.init points.Length float
                BarMark.Heights = means points
                BarMark.Width = 0.6
                BarMark.Errors =
                    if isSpread then
                        points |> List.map _.Deviation |> Array.ofList
                    else
                        [||]
                BarMark.Colours = [| Palette.blue |]
            }

        let panel =
            Panel.create ""
            |> Panel.axes axis.Name metric
            |> Panel.xTicks (axis.Values |> List.mapi (fun i value -> float i, value))
            // A value without a bar keeps its place.
            |> Panel.xLimits -0.5 (float points.Length - 0.5)
            |> Panel.add (Mark.Bars mark)

        Figure.create "scan" title [ [ panel ] ]
        |> Figure.panelSize (max 360.0 (110.0 * float axis.Values.Length)) 320.0
        |> Figure.note (
            if isSpread then
                "Bars are means over seeds, whiskers a standard deviation."
            else
                "Bars are single trainings."
        )

    /// A map with one axis to the right and the others down.
    let private heatmap
        title
        (metric: string)
        (right: ScanAxis)
        (down: ScanAxis list)
        (format: string)
        (points: ScanPoint list)
        : Figure =
        let rows = combinations down |> List.map (List.map snd >> String.concat ", ")
        let width = right.Values.Length
        let means = means points
        let values = Array2D.init rows.Length width (fun i j -> means[i * width + j])

        let panel =
            Panel.create metric
            |> Panel.axes right.Name (down |> List.map _.Name |> String.concat ", ")
            |> Panel.heatmap ColourMap.viridis (Panel.range values) rows right.Values format values

        Figure.create "scan" title [ [ panel ] ]
        |> Figure.panelSize (200.0 + 80.0 * float width) (140.0 + 50.0 * float rows.Length)
        |> Figure.note (
            if isSpread points then
                "Means over seeds."
            else
                "Single trainings."
        )

    /// For a single axis, a bar with its deviation for each value; for several, a map with the last axis to the right and the
    /// others down. In percent if the metric is a fraction of one. Points are in the order of combinations.
    let figure
        (title: string)
        (metric: string)
        (isFraction: bool)
        (axes: ScanAxis list)
        (points: ScanPoint list)
        : Figure =
        let metric, points = inPercent isFraction metric points

        match List.rev axes with
        | [] -> Figure.create "scan" title []
        | [ axis ] -> bars title metric axis points
        | right :: others -> heatmap title metric right (List.rev others) (format isFraction points) points
