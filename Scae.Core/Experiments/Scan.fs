namespace Scae.Core.Experiments

open Scae.Core.Configuration
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

    let private number (value: float) = value.ToString("0.000", CultureInfo.InvariantCulture)

    // A single training has no deviation.
    let private stated (point: ScanPoint) : string =
        if System.Double.IsNaN point.Deviation then
            number point.Mean
        else
            $"{number point.Mean} ± {number point.Deviation}"

    /// A Markdown table of the points.
    let markdown (metric: string) (points: ScanPoint list) : string =
        let row cells = "| " + String.concat " | " cells + " |\n"

        match points with
        | [] -> ""
        | first :: _ ->
            let names = first.Settings |> List.map fst

            row (names @ [ metric ])
            + row [ for _ in 0 .. names.Length -> "---" ]
            + String.concat "" [ for point in points -> row ((point.Settings |> List.map snd) @ [ stated point ]) ]

    let private isSpread (points: ScanPoint list) : bool =
        points |> List.exists (fun point -> not (System.Double.IsNaN point.Deviation))

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
                BarMark.Label = ""
            }

        let panel =
            Panel.create ""
            |> Panel.axes axis.Name metric
            |> Panel.xTicks (axis.Values |> List.mapi (fun i value -> float i, value))
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
        (points: ScanPoint list)
        : Figure =
        let rows = combinations down |> List.map (List.map snd >> String.concat ", ")
        let width = right.Values.Length
        let means = means points
        let values = Array2D.init rows.Length width (fun i j -> means[i * width + j])

        let panel =
            Panel.create metric
            |> Panel.axes right.Name (down |> List.map _.Name |> String.concat ", ")
            |> Panel.heatmap ColourMap.viridis (Panel.range values) rows right.Values "0.00" values

        Figure.create "scan" title [ [ panel ] ]
        |> Figure.panelSize (200.0 + 80.0 * float width) (140.0 + 50.0 * float rows.Length)
        |> Figure.note (
            if isSpread points then
                "Means over seeds."
            else
                "Single trainings."
        )

    /// A bar with its deviation for each value of a single axis; a map where there are several, with the last axis
    /// to the right and the others down. Points are in the order of combinations.
    let figure (title: string) (metric: string) (axes: ScanAxis list) (points: ScanPoint list) : Figure =
        match List.rev axes with
        | [] -> Figure.create "scan" title []
        | [ axis ] -> bars title metric axis points
        | right :: others -> heatmap title metric right (List.rev others) points
