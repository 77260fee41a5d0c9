/// Figures of every kind that the experiments draw, made from formulas: the same numbers on every run.
module Scae.Tests.Plots.SampleFigures

open System
open Scae.Core.Figures

/// A number in [0, 1) that looks random and depends on its arguments alone.
let private noise (seed: int) (i: int) : float =
    let x = sin (float seed * 12.9898 + float i * 78.233) * 43758.5453
    x - floor x

let learningCurves: Figure =
    let epochs = Array.init 31 float

    let loss scale seed =
        epochs |> Array.mapi (fun i e -> scale * (0.4 + 5.6 * exp (-e / 3.0)) + 0.1 * noise seed i)

    let accuracy = epochs |> Array.mapi (fun i e -> 0.36 + 0.5 * (1.0 - exp (-e / 6.0)) + 0.02 * noise 3 i)

    let chamfer =
        Panel.create "Chamfer distance"
        |> Panel.axes "epoch" "loss"
        |> Panel.logY
        |> Panel.line "training" Palette.blue epochs (loss 1.0 1)
        |> Panel.line "validation" Palette.orange epochs (loss 1.05 2)

    let recovery =
        Panel.create "Recovery, mean of five seeds"
        |> Panel.axes "epoch" "per-point recovery"
        |> Panel.yLimits 0.3 1.0
        |> Panel.line "validation" Palette.blue epochs accuracy
        |> Panel.horizontal "published 86.9 %" Palette.green 0.869
        |> Panel.horizontal "chance 36.4 %" Colour.grey 0.364

    Figure.create "learning-curves" "Constellations: 30 epochs × 200 steps, Adam at 3·10⁻³" [ [ chamfer; recovery ] ]
    |> Figure.panelSize 420.0 300.0
    |> Figure.note "seed 0 · 12,708 parameters · σ over seeds 0–4"

let private templates =
    [
        [| -1.0, -1.0; 1.0, -1.0; 1.0, 1.0; -1.0, 1.0 |]
        [| -1.0, -0.8; 1.0, -0.8; 0.0, 1.0; 0.0, -0.2 |]
        [| -1.0, -0.6; 1.0, -0.6; 0.0, 1.1 |]
    ]

let private example (seed: int) =
    templates
    |> List.mapi (fun k points ->
        let r i = noise (seed * 7 + k) i
        let scale, angle = 0.5 + r 1, 2.0 * Math.PI * r 2
        let tx, ty = 6.0 * r 3 - 3.0, 6.0 * r 4 - 3.0

        points
        |> Array.map (fun (x, y) ->
            tx + scale * (x * cos angle - y * sin angle), ty + scale * (x * sin angle + y * cos angle)))

/// The 3 × 4 grid of constellations; t in [0, 1] moves the decoded templates onto the points.
let constellations (t: float) : Figure =
    let cloud seed =
        Panel.create ""
        |> Panel.xLimits -5.0 5.0
        |> Panel.yLimits -5.0 5.0
        |> Panel.equalAspect
        |> Panel.frame Frame.Box
        |> Panel.add (
            Mark.Text
                {
                    TextMark.X = -4.1
                    TextMark.Y = 4.4
                    TextMark.Text = $"{9 + seed % 3}/11"
                    TextMark.Colour = Colour.grey
                    TextMark.Size = 10.0
                    TextMark.Background = Colour.withOpacity 0.75 Colour.white
                }
        )

    let coloured seed wrong =
        let groups = example seed
        let points = groups |> Array.concat

        let colours =
            groups |> List.mapi (fun k g -> Array.create g.Length (Palette.category k)) |> Array.concat

        let xs, ys = Array.unzip points

        let panel = cloud seed |> Panel.colouredPoints Marker.Circle 8.0 colours xs ys

        if wrong then
            panel |> Panel.points "" Marker.Cross 9.0 Colour.black [| xs[seed % 11] |] [| ys[seed % 11] |]
        else
            panel

    let decoded seed =
        let groups = example seed
        let xs, ys = groups |> Array.concat |> Array.unzip
        let panel = cloud seed |> Panel.points "" Marker.Circle 6.0 Colour.lightGrey xs ys

        groups
        |> List.indexed
        |> List.fold
            (fun p (k, g) ->
                let gx, gy = g |> Array.map (fun (x, y) -> t * x, t * y + 0.1) |> Array.unzip
                Panel.polygon (Palette.category k) 0.15 gx gy p)
            panel

    let row f = List.map f [ 0; 1; 2; 3 ]

    Figure.create
        "constellations"
        "Four validation examples"
        [ row (fun s -> coloured s false); row (fun s -> coloured s true); row decoded ]
    |> Figure.panelSize 170.0 170.0
    |> Figure.rowLabels [ "ground truth"; "prediction"; "decoded templates" ]
    |> Figure.columnLabels [ "example 1"; "example 2"; "example 3"; "example 4" ]
    |> Figure.key "square" (Palette.category 0) (Swatch.Point Marker.Circle)
    |> Figure.key "triangle with centre" (Palette.category 1) (Swatch.Point Marker.Circle)
    |> Figure.key "triangle" (Palette.category 2) (Swatch.Point Marker.Circle)
    |> Figure.key "mistake" Colour.black (Swatch.Point Marker.Cross)
    |> Figure.key "input" Colour.lightGrey (Swatch.Point Marker.Circle)

let confusion: Figure =
    let names = [ "square"; "triangle + centre"; "triangle" ]
    let values = array2D [ [ 0.862; 0.094; 0.044 ]; [ 0.121; 0.833; 0.046 ]; [ 0.038; 0.035; 0.927 ] ]

    Panel.create "Recovery per template"
    |> Panel.axes "predicted" "true"
    |> Panel.heatmap ColourMap.blues (0.0, 1.0) names names "P1" values
    |> Figure.single "confusion"
    |> Figure.panelSize 460.0 360.0

let private blob cx cy r (i: int) (j: int) =
    let dx, dy = float j - cx, float i - cy
    exp (-abs(sqrt (dx * dx + dy * dy) - r))

let attention: Figure =
    let panel k =
        let scene =
            Array2D.init 32 32 (fun i j -> max (blob (8.0 + float k) 10.0 4.0 i j) (blob 23.0 (22.0 - float k) 5.0 i j))

        Panel.create $"count {k % 3}, predicted {(k + k / 5) % 3}"
        |> Panel.grey (0.0, 1.0) scene
        |> Panel.box Palette.skyBlue false (2.0 + float k, 4.0) (14.0 + float k, 16.0)
        |> Panel.box Palette.orange (k % 2 = 1) (16.0, 15.0 - float k) (30.0, 29.0 - float k)

    Figure.create "attention" "Attention boxes" [ List.map panel [ 0..3 ]; List.map panel [ 4..7 ] ]
    |> Figure.panelSize 150.0 170.0
    |> Figure.key "step 1" Palette.skyBlue (Swatch.Outline false)
    |> Figure.key "step 2" Palette.orange (Swatch.Outline false)
    |> Figure.key "inactive" Colour.grey (Swatch.Outline true)

let slots: Figure =
    let picture f = Array3D.init 14 14 3 (fun i j c -> f i j c)

    let slotColour k c =
        let colour: Colour = Palette.category k

        match c with
        | 0 -> float colour.R / 255.0
        | 1 -> float colour.G / 255.0
        | _ -> float colour.B / 255.0

    let gamma k i j =
        let weight q =
            exp (-((float i - 3.0 - 4.0 * float q) ** 2.0 + (float j - 10.0 + 4.0 * float q) ** 2.0) / 8.0)

        weight k / (weight 0 + weight 1 + weight 2 + 0.01)

    let mixture =
        Panel.create "γ, all slots"
        |> Panel.rgb (picture (fun i j c -> List.sumBy (fun k -> gamma k i j * slotColour k c) [ 0; 1; 2 ]))

    let slot k =
        Panel.create $"slot {k + 1}" |> Panel.grey (0.0, 1.0) (Array2D.init 14 14 (gamma k))

    let torus =
        Panel.create "phase on the torus"
        |> Panel.mapped
            ColourMap.cyclic
            (-Math.PI, Math.PI)
            true
            (Array2D.init 15 15 (fun i j -> atan2 (float i - 7.0) (float j - 7.0)))

    let signed =
        Panel.create "residual"
        |> Panel.mapped
            ColourMap.diverging
            (-1.0, 1.0)
            true
            (Array2D.init 14 14 (fun i j ->
                if i = j then
                    nan
                else
                    sin (float i * 0.5) * cos (float j * 0.4)))

    Figure.create "slots" "" [ [ mixture; slot 0; slot 1 ]; [ slot 2; torus; signed ] ]
    |> Figure.panelSize 190.0 180.0

let bars: Figure =
    let sweep =
        Panel.create "Five seeds"
        |> Panel.axes "" "AMI"
        |> Panel.add (
            Mark.Bars
                {
                    BarMark.X = [| 0.0; 1.0; 2.0 |]
                    BarMark.Heights = [| 0.61; 0.96; 0.88 |]
                    BarMark.Width = 0.6
                    BarMark.Errors = [| 0.08; 0.02; 0.04 |]
                    BarMark.Colours = [| Palette.skyBlue; Palette.blue; Palette.green |]
                }
        )
        |> Panel.xTicks [ 0.0, "k-means"; 1.0, "RNN-EM"; 2.0, "N-EM" ]

    let scatter =
        Panel.create "Speed against size"
        |> Panel.axes "steps" "ms / step"
        |> fun panel -> { panel with Panel.X = { panel.X with Axis.Scale = Scale.Log } }
        |> Panel.points
            "measured"
            Marker.Circle
            8.0
            Palette.vermilion
            (Array.init 20 (fun i -> 10.0 ** (float i / 4.0)))
            (Array.init 20 (fun i -> 2e-5 + 1e-6 * float i * noise 5 i))
        |> Panel.points "other" Marker.Square 7.0 Palette.purple [| 10.0; 1000.0; 50000.0 |] [| 3e-5; 2.5e-5; 4e-5 |]
        |> Panel.points "third" Marker.Plus 9.0 Colour.black [| 30.0; 3000.0 |] [| 3.5e-5; 3.5e-5 |]
        |> Panel.vertical "budget" Colour.grey 300.0

    Figure.create "bars" "Sweep over seeds" [ [ sweep; scatter ] ] |> Figure.panelSize 330.0 260.0

let degenerate: Figure =
    let line title x y = Panel.create title |> Panel.axes "x" "y" |> Panel.line "data" Palette.blue x y

    Figure.create
        "degenerate"
        "Data that leave little to draw, and a title so long that it has to be broken into more than a single line to fit the width"
        [
            [
                line "empty" [||] [||]
                line "all NaN" [| nan; nan |] [| nan; 1.0 |]
                line "one point" [| 3.0 |] [| 7.0 |]
                line "all equal" [| 0.0; 1.0; 2.0 |] [| 1e-9; 1e-9; 1e-9 |]
            ]
            [
                line "tiny" [| 0.0; 1.0; 2.0 |] [| 1e-9; 3e-9; 2e-9 |]
                line "huge" [| 0.0; 1e12 |] [| -1e12; 5e12 |]
                line "offset" [| 0.0; 1.0; 2.0 |] [| 1e12; 1e12 + 1.0; 1e12 + 3.0 |]
                line "extreme and a rather long title here" [| 0.0; 1.0 |] [| -1.7e308; 1.7e308 |]
            ]
        ]
    |> Figure.panelSize 220.0 180.0

let text: Figure =
    let lines =
        [
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789"
            "abcdefghijklmnopqrstuvwxyz .,:;!?'\"()[]{}"
            "Hamburgefonstiv: the quick brown fox jumps over the lazy dog"
            "+ − ± × · ÷ = < > ≤ ≥ ≈ ≠ ~ ^ / \\ | _ - – — @ # $ % & * °"
            "α β γ δ ε η θ κ λ µ ν π ρ σ τ φ χ ψ ω Γ Δ Θ Λ Σ Φ Ψ Ω → ∞ √ ² ³ 10⁻³ é ö ç … 漢"
        ]

    let panel =
        Panel.create "Sphinx of black quartz, judge my vow"
        |> Panel.frame Frame.Box
        |> Panel.xLimits 0.0 1.0
        |> Panel.yLimits 0.0 13.0

    let write (p: Panel) (i: int, size: float) =
        lines
        |> List.indexed
        |> List.fold
            (fun p (j, line) ->
                Panel.add
                    (Mark.Text
                        {
                            TextMark.X = 0.5
                            TextMark.Y = 12.2 - float (5 * i) * 0.85 - 0.8 * float j
                            TextMark.Text = line
                            TextMark.Colour = Colour.black
                            TextMark.Size = size
                            TextMark.Background = Colour.withOpacity 0.75 Colour.white
                        })
                    p)
            p

    Figure.single "text" (List.fold write panel [ 0, 11.0; 1, 12.0; 2, 15.0 ])
    |> Figure.panelSize 640.0 420.0

let all: Figure list =
    [ learningCurves; constellations 1.0; confusion; attention; slots; bars; degenerate; text ]

let training: Animation =
    Array.init 60 (fun i -> constellations (float i / 59.0)) |> Animation.create "training" 8.0
