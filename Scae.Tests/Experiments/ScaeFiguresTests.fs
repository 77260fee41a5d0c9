module Scae.Tests.Experiments.ScaeFiguresTests

open System
open Expecto
open Scae.Core.Data
open Scae.Core.Experiments
open Scae.Core.Figures
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Training
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Experiments.SmallScae

let private evaluation (epoch: int) : Evaluation =
    {
        Epoch = epoch
        Step = 10 * epoch
        TrainLoss = 3.0 / float epoch
        TrainTerms = [ "reconstruction", -9.0; "part_likelihood", 1.0; "something_new", float epoch ]
        Metrics =
            [
                "reconstruction", -8.0
                "mse", 0.1
                "part_likelihood", 2.0
                "posterior_probe", 0.5
                "prior_probe", 0.25
                "parts", 2.0
                "objects", 1.0
            ]
    }

let private history: History = { Evaluations = [ evaluation 1; evaluation 2 ]; Snapshots = [] }

let private figures =
    lazy
        (let settings, data, model = small false
         let test = ScaeReading.read settings data model Test
         let probed = ScaeProbes.ofReading settings data model test
         let test = test.Representation
         (settings, data, test, probed), ScaeFigures.all settings data model (test, probed) history)

let private figure (name: string) : Figure = snd figures.Value |> List.find (fun figure -> figure.Name = name)

let private texts (panel: Panel) : TextMark list =
    panel.Marks
    |> List.choose (function
        | Mark.Text mark -> Some mark
        | _ -> None)

[<Tests>]
let tests =
    testList
        "Experiments.ScaeFigures"
        [
            testCase "pictures show the digits, and a drawing whose error is the measured one"
            <| fun () ->
                let settings, data, model = small false
                let pictures = ScaePictures.ofScenes settings model 13 data.Validation
                let reading = ScaeReading.read settings data model Validation
                let images, drawn = pictures.Images.toArray<float32>(), pictures.Drawn.toArray<float32>()
                pictures.Images.shape |> shouldEqual [| 13; 30; 30 |]

                for i in 0..12 do
                    let own = [| 900 * i .. 900 * i + 899 |]

                    own
                    |> Array.map (fun p -> images[p] * 255.0f |> round |> byte)
                    |> shouldEqual (Array.sub data.Validation.Canvases.Pixels (900 * i) 900)

                    own
                    |> Array.averageBy (fun p -> float (drawn[p] - images[p]) ** 2.0)
                    |> shouldBeNear 1e-6 reading.Errors[i]

            testCase "the parts' colours are those of their owners, no brighter than the drawing"
            <| fun () ->
                let settings, data, model = small false
                let pictures = ScaePictures.ofScenes settings model 4 data.Validation
                let drawn, coloured = pictures.Drawn.toArray<float32>(), pictures.Coloured.toArray<float32>()
                let k = settings.Model.Objects
                let colours = Colour.white :: [ for k in 0..k -> ScaePictures.colour settings.Model k ]
                colours |> List.distinct |> shouldHaveLength (k + 2)
                ScaePictures.colour settings.Model k |> shouldEqual Colour.grey

                for i in 0..3 do
                    for p in 0..899 do
                        let value = drawn[900 * i + p]
                        let channel c = coloured[(3 * i + c) * 900 + p]

                        let least (of': Colour -> byte) =
                            colours |> List.map (of' >> float >> fun x -> x / 255.0) |> List.min

                        for c, of' in [ 0, (fun (x: Colour) -> x.R); 1, _.G; 2, _.B ] do
                            float (channel c) |> shouldBeIn (least of' * float value - 1e-5, float value + 1e-5)

            testCase "more digits than there are, and a single one, are shown as well"
            <| fun () ->
                let settings, data, model = small true
                (ScaePictures.ofScenes settings model 500 data.Validation).Images.shape[0] |> shouldEqual 20

                (ScaePictures.ofScenes settings model 1 data.Validation).Coloured.shape
                |> shouldEqual [| 1; 3; 30; 30 |]

            testCase "templates of the coupled variant have no weights of their own"
            <| fun () ->
                let settings, data, model = small true

                let weights (settings: ScaeSettings) model =
                    (ScaePictures.ofScenes settings model 1 data.Validation).Weights
                // σ(0 − softplus(0)): at the start a template has a third of what it shares with the background.
                (weights settings model).Value.toArray<float32>()
                |> Array.distinct
                |> Array.map float
                |> Array.exactlyOne
                |> shouldBeNear 1e-6 (1.0 / 3.0)

                let coupled = { settings with Model.Mixing = PixelMixing.Coupled }
                let model = Scae.init coupled.Model Dtype.Float32 (Key.OfSeed 1L)
                weights coupled model |> shouldEqual None

            testCase "every term of the loss has a curve, one that nobody has heard of too"
            <| fun () ->
                let panels = (figure "training-curves").Panels |> List.concat
                let titles = panels |> List.map _.Title

                for title in [ "Loss, training"; "log p(image)"; "log p(parts)"; "something new" ] do
                    titles |> shouldContain title

                for panel in panels do
                    panel.Marks |> shouldHaveSome

                // What is measured of validation digits as well has two curves.
                let image = panels |> List.find (fun panel -> panel.Title = "log p(image)")
                image.Marks |> shouldHaveLength 2

            testCase "a training without evaluations has empty curves"
            <| fun () ->
                let empty = ScaeCurves.all { Evaluations = []; Snapshots = [] }
                let panels = List.concat empty.Panels
                panels |> shouldHaveSome

                for mark in panels |> List.collect _.Marks do
                    match mark with
                    | Mark.Line line -> line.X |> shouldBeEmpty
                    | other -> failtest $"%A{other}"

            testCase "each capsule has a panel with the digits of which it explains most, and is first in some"
            <| fun () ->
                let (settings, _, test, _), _ = figures.Value
                let panels = (figure "favourites").Panels |> List.concat
                panels |> shouldHaveLength settings.Model.Objects

                let first (title: string) =
                    if title.EndsWith "first in no digit" then
                        0
                    else
                        int (title[title.IndexOf "first in" + 9 .. title.IndexOf ',' - 1])

                panels |> List.sumBy (fun panel -> first panel.Title) |> shouldEqual test.Labels.Length

            testCase "confusion is in percent of each digit, and says what was matched"
            <| fun () ->
                let (_, _, _, probed), _ = figures.Value

                for panel, finding in List.zip ((figure "confusion").Panels |> List.concat) probed.Findings do
                    panel.Title |> shouldContainText $"%.2f{100.0 * finding.Clusters.Strict} %% matched"

                    match List.exactlyOne panel.Marks with
                    | Mark.Heatmap mark ->
                        for i in 0..9 do
                            Seq.sum (seq { for j in 0..9 -> mark.Values[i, j] }) |> shouldBeNear 1e-9 100.0
                    | other -> failtest $"%A{other}"

            testCase "in the plane every digit has its colour, and every class its name among its points"
            <| fun () ->
                let (_, _, test, _), _ = figures.Value
                let panel = (figure "t-sne").Panels |> List.concat |> List.exactlyOne

                let points =
                    panel.Marks
                    |> List.pick (function
                        | Mark.Scatter mark -> Some mark
                        | _ -> None)

                points.X |> shouldHaveLength test.Labels.Length

                points.Colours
                |> Array.map (Colour.withOpacity 1.0)
                |> shouldEqual (test.Labels |> Array.map Palette.digit)

                for mark in texts panel do
                    let own =
                        Array.indexed test.Labels
                        |> Array.filter (fun (_, label) -> string label = mark.Text)
                        |> Array.map fst

                    let along (xs: float[]) = own |> Array.map (fun i -> xs[i])
                    mark.X |> shouldBeIn (Array.min (along points.X), Array.max (along points.X))
                    mark.Y |> shouldBeIn (Array.min (along points.Y), Array.max (along points.Y))

                texts panel |> List.map _.Text |> shouldEqual [ for label in 0..9 -> string label ]

            testCase "the animation shows templates and drawings of each moment"
            <| fun () ->
                let settings, data, model = small true
                let snapshot = ScaeFigures.snapshot settings data model
                let moments = [ for step in [ 0; 10; 20 ] -> { Step = step; Values = snapshot () } ]

                match ScaeFigures.animation { history with Snapshots = moments } with
                | Some animation ->
                    animation.Frames |> shouldHaveLength 3
                    animation.Frames |> Array.map _.Title |> shouldEqual [| "Step 0"; "Step 10"; "Step 20" |]
                | None -> failtest "no animation"

                ScaeFigures.animation history |> shouldEqual None
        ]
