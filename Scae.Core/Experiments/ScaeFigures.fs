namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Figures
open Scae.Core.Training

/// What the pictures show of a moment: images and the mixture's mean [n, canvas, canvas], templates [M, side, side].
type ScaePictures = { Images: Tensor; Drawn: Tensor; Templates: Tensor }

/// The mixture's mean and the templates.
type private ScaeDrawing = { Mean: Tensor; Values: Tensor }

/// The pictures of the stacked capsule autoencoder.
[<RequireQualifiedAccess>]
module ScaeFigures =
    // Digits that the pictures show, and how many stand side by side.
    [<Literal>]
    let private Shown = 32

    [<Literal>]
    let private Columns = 8

    /// What is inferred from the first validation digits; the next call overwrites it.
    let show (settings: ScaeSettings) (data: ScaeData) (model: Scae) : unit -> ScaePictures =
        let config = settings.Model
        let count = min Shown (CanvasDigits.count data.Validation.Canvases)

        let infer (batch: ScaeBatch) : ScaeDrawing =
            let parts = PartEncoder.forward config model.Encoder batch.PartNoise batch.Images

            {
                Mean = PartDecoder.mean (PartDecoder.draw config model.Decoder parts)
                Values = PartDecoder.values config model.Decoder
            }

        let inference = Inference(count, Scae.allocate config, infer)

        fun () ->
            let found = ref ValueNone

            inference.Over(
                count,
                fun part ->
                    ScaeReading.load settings data.Validation part.First part.Batch
                    part.Run()

                    found.Value <-
                        ValueSome
                            {
                                Images = part.Batch.Images.squeeze 1
                                Drawn = part.Output.Mean
                                Templates = part.Output.Values
                            }
            )

            found.Value.Value

    /// What the animation shows of a moment.
    let snapshot (pictures: ScaePictures) : (string * Tensor) list =
        [
            "images", (Rows.first Columns pictures.Images).clone()
            "drawn", (Rows.first Columns pictures.Drawn).clone()
            "templates", pictures.Templates.clone ()
        ]

    let private tiles (columns: int) (pictures: Tensor) (title: string) : Panel =
        let rows =
            Array.init pictures.shape[0] (fun i -> (pictures.select (0, i)).contiguous().toArray<float32>())

        Tiles.panel 1 pictures.shape[2] columns rows title

    // --- curves

    let private metricPanel (title: string) (y: string) (curves: (string * string) list) (whole: History) until =
        let values =
            [
                for _, name in curves do
                    for evaluation in whole.Evaluations -> TrainingCurves.metric name evaluation
            ]

        (TrainingCurves.panel title y whole |> Panel.yRangeOf values, List.indexed curves)
        ||> List.fold (fun panel (i, (label, name)) ->
            TrainingCurves.curve label (Palette.category i) until (TrainingCurves.metric name) panel)

    let private curvePanels (whole: History) (until: History) : Panel list =
        [
            TrainingCurves.loss "Loss, training" whole until
            metricPanel "log p(image), validation" "nats" [ "", "reconstruction" ] whole until
            metricPanel "log p(parts), validation" "nats" [ "", "part_likelihood" ] whole until
            metricPanel
                "Online probes, validation"
                "accuracy"
                [ "explained mass", "posterior_probe"; "presence", "prior_probe" ]
                whole
                until
        ]

    let private curves (history: History) : Figure =
        Figure.create "training-curves" "Training" (curvePanels history history |> List.chunkBySize 2)
        |> Figure.panelSize 380.0 300.0

    // --- pictures

    let private reconstructions (pictures: ScaePictures) : Figure =
        Figure.create
            "reconstructions"
            "Validation digits"
            [ [ tiles Columns pictures.Images "images"; tiles Columns pictures.Drawn "the mixture's mean" ] ]
        |> Figure.panelSize 420.0 240.0

    let private templates (pictures: ScaePictures) : Figure =
        Figure.single "templates" (tiles Columns pictures.Templates "Templates, before their colours")
        |> Figure.panelSize 420.0 320.0

    /// Curves, reconstructions and templates.
    let all (pictures: ScaePictures) (history: History) : Figure list =
        [ curves history; reconstructions pictures; templates pictures ]

    /// A frame a snapshot: images, what is drawn of them, and templates, the curves growing beside.
    let animation (history: History) : Animation option =
        let frame (snapshot: Snapshot) (until: History) =
            let values = Map.ofList snapshot.Values

            Figure.create
                "training"
                $"Step {snapshot.Step}"
                [
                    [ tiles 4 values["images"] "images"; tiles 4 values["drawn"] "the mixture's mean" ]
                    [ tiles Columns values["templates"] "templates"; (curvePanels history until)[1] ]
                ]
            |> Figure.panelSize 320.0 220.0

        TrainingCurves.animation 4.0 frame history
