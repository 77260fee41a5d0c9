module Scae.Tests.Plots.FigureRendererTests

open System
open System.Diagnostics
open System.IO
open System.Text
open System.Threading.Tasks
open System.Xml.Linq
open Expecto
open Scae.Tests.Claims
open Scae.Core.Figures
open Scae.Cli.Plots
open SkiaSharp

let private bytesOf (write: Stream -> unit) : byte[] =
    use stream = new MemoryStream()
    write stream
    stream.ToArray()

let private svg (figure: Figure) : XElement =
    XElement.Parse(Encoding.UTF8.GetString(bytesOf (fun s -> FigureRenderer.RenderSvg(figure, s))))

let private elements (name: string) (root: XElement) : XElement list =
    [
        for e in root.Descendants() do
            if e.Name.LocalName = name then
                e
    ]

let private attribute (name: string) (e: XElement) : string =
    match e.Attribute(XName.Get name) with
    | null -> ""
    | found -> found.Value

let private texts (figure: Figure) : string list = svg figure |> elements "text" |> List.map _.Value.Trim()

[<Tests>]
let tests =
    testList
        "Plots.FigureRenderer"
        [
            for figure in SampleFigures.all do
                testCase $"a figure has the same bytes each time, as PNG and as SVG ({figure.Name})"
                <| fun () ->
                    let png s = FigureRenderer.RenderPng(figure, s, 1.0)
                    SamplePictures.keep $"{figure.Name}.png" png
                    SamplePictures.keep $"{figure.Name}.svg" (fun s -> FigureRenderer.RenderSvg(figure, s))
                    bytesOf png = bytesOf png |> shouldEqual true

                    bytesOf (fun s -> FigureRenderer.RenderSvg(figure, s)) =
                        bytesOf (fun s -> FigureRenderer.RenderSvg(figure, s))
                    |> shouldEqual true

                testCase $"an SVG is well formed, and each of its texts has a place for every letter ({figure.Name})"
                <| fun () ->
                    let texts = svg figure |> elements "text"
                    texts |> shouldHaveSome

                    for text in texts do
                        let places = (attribute "x" text).Split(',')
                        places |> Array.forall (fun place -> fst (System.Double.TryParse place)) |> shouldEqual true
                        places.Length |> shouldBeAtLeast (text.Value.Trim().Length)
                        attribute "font-family" text |> shouldStartWith "Inter, "

            testCase "an SVG holds title, headings, labels, ticks, legends, key and note, each once"
            <| fun () ->
                let panel =
                    Panel.create "panel <&>"
                    |> Panel.axes "epoch" "loss"
                    |> Panel.line "curve" Palette.blue [| 0.0; 1.0 |] [| 0.0; 1.0 |]
                    |> Panel.horizontal "" Palette.blue 0.5

                let figure =
                    Figure.create "all" "title" [ [ panel ] ]
                    |> Figure.rowLabels [ "row" ]
                    |> Figure.columnLabels [ "column" ]
                    |> Figure.key "entry" Palette.orange Swatch.Patch
                    |> Figure.note "note"

                let found = texts figure

                for text in [ "panel <&>"; "epoch"; "loss"; "curve"; "title"; "row"; "column"; "entry"; "note" ] do
                    found |> List.filter ((=) text) |> List.length |> shouldEqual 1

            testCase "a legend that would cover data stands below the panel"
            <| fun () ->
                let legendTop (y: float[]) =
                    let panel =
                        Panel.create ""
                        |> Panel.points
                            "everywhere"
                            Marker.Circle
                            4.0
                            Palette.blue
                            (Array.init y.Length (fun i -> float (i % 30)))
                            y

                    let figure = Figure.single "legend" panel
                    let area = (FigurePicture figure).Areas[0][0]
                    let legend = svg figure |> elements "text" |> List.find (fun e -> e.Value.Trim() = "everywhere")
                    // transform="translate(x y)"
                    let y = (attribute "transform" legend).TrimEnd(')').Split(' ')[1]
                    float y > float area.Bottom

                legendTop (Array.init 30 (fun _ -> 0.0)) |> shouldEqual false
                legendTop (Array.init 900 (fun i -> float (i / 30))) |> shouldEqual true

            testCase "dashes are in the SVG too"
            <| fun () ->
                let pieces dashed =
                    Panel.create ""
                    |> Panel.frame Frame.Box
                    |> Panel.box Palette.blue dashed (0.0, 0.0) (1.0, 1.0)
                    |> Figure.single "box"
                    |> svg
                    |> elements "path"
                    |> List.sumBy (fun path -> (attribute "d" path).Split('M').Length - 1)

                pieces true |> shouldBeGreaterThan 50
                pieces false |> shouldBeLessThan 10

            testCase "texts come from the program's own typeface, whatever the machine has"
            <| fun () ->
                Lettering.Width("a", 12.0f) |> shouldBeGreaterThan 3.0f
                let name = "no such font"
                (ScottPlot.Fonts.GetTypeface(name, false, false)).FamilyName |> shouldEqual "Inter"
                let letters = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻−·×…–ψγσΣ±≤√½"
                let face = ScottPlot.Fonts.GetTypeface(Lettering.Family, true, false)

                [
                    for c in letters do
                        if face.GetGlyph(int c) = 0us then
                            c
                ]
                |> shouldBeEmpty

            testCase "a title puts ink on the picture"
            <| fun () ->
                let ink title =
                    let png =
                        bytesOf (fun s ->
                            FigureRenderer.RenderPng(Figure.create "ink" title [ [ Panel.create "" ] ], s, 1.0))

                    use drawn = SKBitmap.Decode png

                    Seq.length (
                        seq {
                            for y in 0..18 do
                                for x in 0 .. drawn.Width - 1 do
                                    if drawn.GetPixel(x, y).Red < 100uy then
                                        y
                        }
                    )

                ink "" |> shouldBeAtMost 2
                ink "Training" |> shouldBeGreaterThan 20

            testCase "an animation has the same bytes each time, although frames are drawn on several threads"
            <| fun () ->
                let gif s = FigureRenderer.RenderGif(SampleFigures.training, s, 1.0)
                SamplePictures.keep "training.gif" gif
                let first = bytesOf gif
                bytesOf gif = first |> shouldEqual true
                first.Length |> shouldBeLessThan 1500000

            // A shape that lets go of its path too early ends the whole process here.
            testSequenced
            <| testList
                "beside the garbage collector"
                [
                    testCase "points of every shape are drawn"
                    <| fun () ->
                        let at = [| for i in 0..299 -> ScottPlot.Pixel(i % 100 + 10, i / 3 + 10) |]

                        let draw (shape: Marker) =
                            use surface = SKSurface.Create(SKImageInfo(120, 120))
                            use paint = ScottPlot.Paint.NewDisposablePaint()
                            let style = MarkPlotter.Marker(shape, 8.0f, Palette.blue)
                            ScottPlot.Drawing.DrawMarkers(surface.Canvas, paint, at, style)
                            use pixels = surface.PeekPixels()
                            pixels.GetPixelSpan().ToArray()

                        let shapes = [| Marker.Circle; Marker.Square; Marker.Plus; Marker.Cross |]

                        let drawn = shapes |> Array.map draw
                        Array.distinct drawn |> shouldHaveLength shapes.Length

                        for pixels in drawn do
                            pixels |> Array.exists ((<>) 0uy) |> shouldEqual true

                        let clock = Stopwatch.StartNew()

                        let collecting =
                            Task.Run(fun () ->
                                while clock.ElapsedMilliseconds < 1000L do
                                    GC.Collect()
                                    GC.WaitForPendingFinalizers())

                        while not collecting.IsCompleted do
                            shapes |> Array.map draw = drawn |> shouldEqual true
                ]
        ]
