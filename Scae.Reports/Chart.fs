namespace Scae.Reports

open System
open System.Globalization
open System.Text.Json.Nodes
open Giraffe.ViewEngine

/// A metric over the epochs.
type Chart =
    {
        /// The metric's name.
        Title: string
        Curves: Curve list
        /// What no value of the metric can be less or more than, so that the axis doesn't reach beyond; infinite where there is no such limit.
        Limits: struct (float * float)
        /// How a value of the metric reads.
        Format: Func<float, string>
    }

/// A chart as SVG within HTML: drawn here, so that it is there without a script and on paper; the script only answers the
/// pointer.
[<RequireQualifiedAccess>]
module internal Chart =
    // In the units of the SVG, which the page scales.
    let private width, height = 360.0, 220.0
    let private left, right, top, bottom = 50.0, 12.0, 10.0, 30.0

    [<Literal>]
    let private Colours = 8

    /// The classes of a run's curve and swatch: eight colours, and another dash every four runs for those who can't tell eight apart.
    let private look (run: int) : string = $"c{run % Colours} d{run / 4 % 3}"

    let private text (value: float) : string = value.ToString("0.##", CultureInfo.InvariantCulture)

    let private line (x1, y1) (x2, y2) =
        tag "line" [ attr "x1" (text x1); attr "y1" (text y1); attr "x2" (text x2); attr "y2" (text y2) ] []

    let private label (kind: string) (x, y) (words: string) =
        tag "text" [ _class kind; attr "x" (text x); attr "y" (text y) ] [ str words ]

    /// The stretches of a curve between values that aren't finite.
    let private stretches (x: float -> float) (y: float -> float) (curve: Curve) : string list list =
        Array.zip curve.Epochs curve.Values
        |> Array.fold
            (fun (stretches: string list list) (epoch, value) ->
                if not (Double.IsFinite value) then
                    [] :: stretches
                else
                    let point = $"{text (x epoch)},{text (y value)}"

                    match stretches with
                    | current :: others -> (point :: current) :: others
                    | [] -> [ [ point ] ])
            []
        |> List.filter (not << List.isEmpty)
        |> List.map List.rev
        |> List.rev

    /// A line through two points or more, a dot for one.
    let private stretch (colour: int) (points: string list) =
        match points with
        | [ point ] ->
            let place = point.Split ','

            tag "circle" [ _class $"dot {look colour}"; attr "cx" place[0]; attr "cy" place[1]; attr "r" "2.5" ] []
        | points -> tag "polyline" [ _class $"curve {look colour}"; attr "points" (String.concat " " points) ] []

    let private arrayOf (nodes: (JsonNode | null) list) : JsonArray =
        let array = JsonArray()

        for node in nodes do
            array.Add node

        array

    /// What the script needs to answer the pointer: where the axes lie, and each curve's points with their words.
    let private data (chart: Chart) (curves: Curve list) (xs: float * float) (ys: float * float) : string =
        // Six digits are finer than a screen.
        let rounded (value: float) =
            Double.Parse(value.ToString("G6", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)

        let numbers (values: float seq) = arrayOf [ for value in values -> JsonValue.Create(rounded value) ]

        let points (curve: Curve) =
            // A point without a value stays, so that its neighbours don't stand for it.
            let shown = Array.zip curve.Epochs curve.Values

            let value (value: float) : JsonNode | null =
                if Double.IsFinite value then
                    JsonValue.Create(rounded value)
                else
                    null

            let words (value: float) =
                if Double.IsFinite value then
                    chart.Format.Invoke value
                else
                    ""

            let node = JsonObject()
            node["label"] <- JsonValue.Create curve.Label
            node["look"] <- JsonValue.Create(look curve.Colour)
            node["x"] <- numbers (Array.map fst shown)
            node["y"] <- arrayOf [ for _, y in shown -> value y ]
            node["text"] <- arrayOf [ for _, y in shown -> JsonValue.Create(words y) ]
            node

        let root = JsonObject()
        root["box"] <- numbers [ left; top; width - right; height - bottom ]
        root["xs"] <- numbers [ fst xs; snd xs ]
        root["ys"] <- numbers [ fst ys; snd ys ]
        root["curves"] <- arrayOf [ for curve in curves -> points curve ]
        root.ToJsonString()

    /// A value, or the least and the largest of several.
    let private within (chart: Chart) (values: float list) : string =
        let low, high = chart.Format.Invoke(List.min values), chart.Format.Invoke(List.max values)
        if low = high then low else $"{low} to {high}"

    /// The chart in words, for screen readers. It doesn't know which values are good, so it says the least and the largest.
    let private spoken (chart: Chart) : string =
        let title = $"{chart.Title} over the epochs"

        match
            chart.Curves
            |> List.map (fun curve -> curve.Values |> List.ofArray |> List.filter Double.IsFinite)
            |> List.filter (not << List.isEmpty)
        with
        | [] -> title
        | curves ->
            let many =
                if curves.Length > 1 then
                    $"{curves.Length} curves, "
                else
                    ""

            let first, last = within chart (List.map List.head curves), within chart (List.map List.last curves)
            $"{title}: {many}first {first}, last {last}, all within {within chart (List.concat curves)}"

    /// The chart with its title, with at most about so many points a curve.
    let view (mostPoints: int) (chart: Chart) : XmlNode =
        let curves = chart.Curves |> List.map (Curves.thinned mostPoints)
        let values = curves |> Seq.collect _.Values
        let low, high = Curves.range values
        let struct (least, most) = chart.Limits
        let low, high = max least low, min most high
        let margin = 0.04 * (high - low)
        let ys = low - margin, high + margin
        let xs = Curves.range (curves |> Seq.collect _.Epochs)

        let place (low, high) (first, last) value = first + (value - low) / (high - low) * (last - first)

        let x, y = place xs (left, width - right), place ys (height - bottom, top)
        let yTicks = Curves.ticks ys
        let xTicks = Curves.ticks xs |> List.filter (fun tick -> tick = Math.Round tick)

        figure
            [ _class "chart" ]
            [
                figcaption [] [ str chart.Title ]
                tag
                    "svg"
                    [
                        attr "viewBox" $"0 0 {text width} {text height}"
                        attr "role" "img"
                        attr "tabindex" "0"
                        attr "aria-label" (spoken chart)
                    ]
                    [
                        tag "g" [ _class "grid" ] [ for tick in yTicks -> line (left, y tick) (width - right, y tick) ]
                        tag
                            "g"
                            [ _class "axis" ]
                            [
                                line (left, height - bottom) (width - right, height - bottom)
                                for tick in yTicks do
                                    label "y" (left - 6.0, y tick + 3.5) (Curves.tickLabel yTicks tick)
                                for tick in xTicks do
                                    label "x" (x tick, height - bottom + 14.0) (Curves.tickLabel xTicks tick)
                                label "x name" ((left + width - right) / 2.0, height - 3.0) "epoch"
                            ]
                        for curve in curves do
                            for points in stretches x y curve do
                                stretch curve.Colour points
                    ]
                // JSON as it is written here has no < that could end the element.
                script [ _type "application/json" ] [ rawText (data chart curves xs ys) ]
                // The pointer's box is there from the start: a screen reader tells of changes only in what it knows.
                div [ _class "box"; attr "role" "status"; flag "hidden" ] []
            ]

    /// What colour is which run.
    let key (curves: (string * int) list) : XmlNode =
        ul
            [ _class "key" ]
            [ for name, colour in curves -> li [] [ span [ _class $"swatch {look colour}" ] []; str name ] ]
