module Scae.Tests.Plots.FigureLayoutTests

open Expecto
open FsCheck
open FsCheck.FSharp
open Scae.Tests.Claims
open Scae.Core.Figures
open Scae.Cli.Plots

/// Keeps the boxes of texts instead of drawing.
type private TextRecorder() =
    let texts = ResizeArray<string * Rectangle>()
    member _.Texts = List.ofSeq texts

    interface ICanvas with
        member _.Stroke(_, _, _, _) = ()
        member _.Fill(_, _) = ()
        member _.Disc(_, _, _) = ()
        member _.Text run = texts.Add((run.Text, run.Bounds()))
        member _.Image(_, _) = ()
        member _.PushClip _ = ()
        member _.PopClip() = ()

/// What is wrong with the texts of a figure: cut off at the edge, or over each other.
let private faults (width: float) (height: float) (texts: (string * Rectangle) list) : string list =
    let canvas = Rectangle(0.0, 0.0, width, height)
    let solid = texts |> List.filter (fun (text, _) -> text.Trim() <> "")

    [
        for text, box in solid do
            if box.Left < -0.01 || box.Top < -0.01 || box.Right > width + 0.01 || box.Bottom > height + 0.01 then
                $"\"{text}\" at {box} leaves {canvas}"
        for i, (a, p) in List.indexed solid do
            for b, q in List.skip (i + 1) solid do
                // Boxes have room for accents above and descenders below; a pixel of that may be shared.
                if p.Inflate(-0.6).Overlaps(q.Inflate -0.6) then
                    $"\"{a}\" at {p} overlaps \"{b}\" at {q}"
    ]

let private check (figure: Figure) : string list =
    let layout = FigureLayout figure
    let recorder = TextRecorder()
    layout.Draw recorder
    faults layout.Width layout.Height recorder.Texts

let private words =
    Gen.elements
        [
            ""
            "loss"
            "per-point recovery"
            "a label that is longer than most panels are wide, by far"
            "γ"
            "x"
            "5"
        ]

let private value =
    Gen.frequency
        [
            6, Gen.choose (-1000, 1000) |> Gen.map (fun i -> float i / 100.0)
            1, Gen.elements [ nan; infinity; 0.0; 1e-9; -1e12; 1e12; 1e300; 123456.789 ]
        ]

let private series = Gen.arrayOfLength 5 value

let private panel: Gen<Panel> =
    gen {
        let! title = words
        let! x = words
        let! y = words
        let! xs = series
        let! ys = series
        let! label = words
        let! kind = Gen.choose (0, 6)
        let! frame = Gen.elements [ Frame.Axes; Frame.Axes; Frame.Box; Frame.Hidden ]
        let! log = Gen.elements [ false; false; true ]
        let panel = Panel.create title |> Panel.axes x y

        let panel =
            match kind with
            | 0 -> panel |> Panel.line label Palette.blue xs ys |> Panel.line "other" Palette.green ys xs
            | 1 -> panel |> Panel.points label Marker.Plus 6.0 Palette.blue xs ys |> Panel.equalAspect
            | 2 -> panel |> Panel.bars label Palette.blue [ "one"; "a longer name"; "three"; title; y ] ys
            | 3 ->
                panel
                |> Panel.heatmap
                    ColourMap.blues
                    (Panel.range (array2D [ xs; ys ]))
                    [ x; y ]
                    [ "a"; "b"; title; "d"; "e" ]
                    ""
                    (array2D [ xs; ys ])
            | 4 -> panel |> Panel.mapped ColourMap.viridis (xs[0], xs[1]) true (array2D [ xs; ys ])
            | 5 -> panel |> Panel.horizontal label Palette.blue ys[0] |> Panel.vertical "v" Palette.blue xs[0]
            | _ -> panel

        let panel = if log then panel |> Panel.logY |> Panel.logX else panel

        return
            if kind = 3 || kind = 4 then
                panel
            else
                panel |> Panel.frame frame
    }

let private figure: Gen<Figure> =
    gen {
        let! rows = Gen.choose (0, 3)
        let! panels = Gen.listOfLength rows (Gen.choose (0, 3) |> Gen.bind (fun n -> Gen.listOfLength n panel))
        let! title = words
        let! labels = Gen.listOfLength 3 words
        let! note = words
        let! width = Gen.choose (90, 400)
        let! height = Gen.choose (90, 300)

        return
            Figure.create "random" title panels
            |> Figure.rowLabels labels
            |> Figure.columnLabels (List.rev labels)
            |> Figure.key "entry" Palette.blue Swatch.Patch
            |> Figure.key labels[0] Palette.green (Swatch.Point Marker.Circle)
            |> Figure.note note
            |> Figure.panelSize (float width) (float height)
    }

[<Tests>]
let tests =
    testList
        "Plots.FigureLayout"
        [
            testCase "no text of any figure is cut off or overlaps another"
            <| fun () ->
                let property (f: Figure) =
                    match check f with
                    | [] -> true
                    | faults -> failwith (String.concat "\n" faults)

                Check.One(
                    Config.QuickThrowOnFailure
                        .WithQuietOnSuccess(true)
                        .WithMaxTest(400)
                        .WithReplay(Some { Rnd = Rnd 1UL; Size = None }),
                    Prop.forAll (Arb.fromGen figure) property
                )

            testCase "any figure can be drawn"
            <| fun () ->
                let property (f: Figure) = (FigureRenderer.Rasterise(f, 1.0)).Width > 0

                Check.One(
                    Config.QuickThrowOnFailure
                        .WithQuietOnSuccess(true)
                        .WithMaxTest(60)
                        .WithReplay(Some { Rnd = Rnd 2UL; Size = None }),
                    Prop.forAll (Arb.fromGen figure) property
                )

            testCase "the samples have no text that is cut off or overlaps"
            <| fun () ->
                for f in SampleFigures.all do
                    if f.Name <> "text" then
                        check f |> shouldBeEmpty

            testCase "the check notices overlapping and cut texts"
            <| fun () ->
                let at x = Rectangle(x, 10.0, x + 30.0, 20.0)
                faults 100.0 50.0 [ "a", at 0.0; "b", at 40.0 ] |> shouldBeEmpty
                faults 100.0 50.0 [ "a", at 0.0; "b", at 20.0 ] |> shouldHaveLength 1
                faults 100.0 50.0 [ "a", at 80.0 ] |> shouldHaveLength 1

            testCase "panels of a grid share their edges although their labels differ"
            <| fun () ->
                let panel (scale: float) =
                    Panel.create "t"
                    |> Panel.axes "x" "y"
                    |> Panel.line "" Palette.blue [| 0.0; scale |] [| 0.0; scale |]

                let layout = FigureLayout(Figure.create "grid" "" [ [ panel 1.0 ]; [ panel 12345.0 ] ])
                let recorder = TextRecorder()
                layout.Draw recorder

                let titles =
                    recorder.Texts |> List.filter (fun (text, _) -> text = "t") |> List.map (fun (_, box) -> box.Left)

                titles |> List.distinct |> shouldHaveLength 1

            testCase "texts wrap first, then shrink, then lose their end"
            <| fun () ->
                let fit width most = TextFitting.Fit("one two three four", width, 12.0, most)
                (fit 500.0 1).Lines |> List.ofSeq |> shouldEqual [ "one two three four" ]
                (fit 60.0 3).Lines.Count |> shouldBeGreaterThan 1
                (fit 60.0 3).Size |> shouldEqual 12.0
                (fit 90.0 1).Size |> shouldBeLessThan 12.0
                Seq.last (fit 40.0 1).Lines |> shouldEndWith "…"
                (fit 0.0 1).Lines |> List.ofSeq |> shouldEqual [ "" ]
        ]
