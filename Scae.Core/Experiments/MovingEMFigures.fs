namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Figures
open Scae.Core.Training

/// The pictures of neural expectation maximization of moving objects.
[<RequireQualifiedAccess>]
module MovingEMFigures =
    // The most frames of a sequence in a picture.
    [<Literal>]
    let private MostFrames = 7

    /// What the animation shows of a moment: slots and predictions, [F − 1, b, D] each, of the frames from the second on.
    let snapshot (shown: ShownFrame[]) : (string * Tensor) list =
        let slots =
            [|
                for frame in shown -> Tensor.``of`` (frame.Slots.toArray<int>() |> Array.map float32, frame.Slots.shape)
            |]

        let together (frames: Tensor[]) = Tensor.cat (frames |> Array.map (fun frame -> frame.unsqueeze 0), 0)

        [ "slots", together slots; "prediction", together [| for frame in shown -> frame.Prediction |] ]

    // --- frames as panels; frames are counted from 0 here

    let private pixels (data: MovingEMData) : int = data.Shown.Shapes.Images.shape[1]

    let private canvas (data: MovingEMData) : int = int (sqrt (float (pixels data)))

    let private image (data: MovingEMData) (sequence: int) (frame: int) : int = sequence * data.Shown.Frames + frame

    let private input (data: MovingEMData) (sequence: int) (frame: int) : Panel =
        NeuralEMFigures.input data.Shown.Shapes (image data sequence frame)

    let private truth (data: MovingEMData) (sequence: int) (frame: int) : Panel =
        NeuralEMFigures.truth data.Shown.Shapes Palette.category (image data sequence frame)

    /// Row number `sequence` of [b, D].
    let private row (data: MovingEMData) (values: float32[]) (sequence: int) : float32[] =
        Array.sub values (sequence * pixels data) (pixels data)

    /// The object with which each slot of a sequence is matched over all frames; `slots` is [F − 1, b, D].
    let private objects (data: MovingEMData) (slots: Tensor) (sequence: int) : int[] =
        let pixels, frames, shapes = pixels data, data.Shown.Frames - 1, data.Shown.Shapes
        let found = [| for t in 0 .. frames - 1 -> row data (Rows.values t slots) sequence |> Array.map int |]
        let ofAll (values: 'value[]) = Array.sub values (image data sequence 1 * pixels) (frames * pixels)

        NeuralEMFigures.matched
            (1 + int (slots.max().toScalar()))
            (ofAll shapes.Labels)
            (ofAll shapes.Overlap)
            (Array.concat found)

    /// Panels of a sequence by frame: each foreground pixel in the colour of its slot's object.
    let private assignment (data: MovingEMData) (slots: Tensor) (sequence: int) : int -> Panel =
        let objects = objects data slots sequence

        fun frame ->
            let slots = row data (Rows.values (frame - 1) slots) sequence

            NeuralEMFigures.foreground data.Shown.Shapes (image data sequence frame) "" (fun pixel ->
                Palette.category objects[int slots[pixel]])

    let private predicted data (prediction: float32[]) sequence : Panel = Panel.ofGrey (row data prediction sequence) ""

    let private sequences (data: MovingEMData) : int list =
        [ 0 .. data.Shown.Shapes.Images.shape[0] / data.Shown.Frames - 1 ]

    /// Some frames, evenly spaced from `from` to the last.
    let private someFrames (data: MovingEMData) (from: int) : int list =
        let last = data.Shown.Frames - 1
        let count = min MostFrames (last - from + 1)

        [
            for i in 0 .. count - 1 -> from + int (Math.Round(float (i * (last - from)) / float (max 1 (count - 1))))
        ]

    let private numbered (frames: int list) : string list = [ for t in frames -> $"frame {t + 1}" ]

    // --- figures

    let private examples (data: MovingEMData) : Figure =
        let frames = someFrames data 0

        Figure.create
            "dataset-examples"
            "Validation sequences"
            [
                for sequence in sequences data do
                    [ for t in frames -> input data sequence t ]
                    [ for t in frames -> truth data sequence t ]
            ]
        |> Figure.panelSize 120.0 120.0
        |> Figure.columnLabels (numbered frames)
        |> Figure.rowLabels
            [
                for _ in sequences data do
                    yield! [ "image"; "objects" ]
            ]
        |> Figure.note
            "Where objects overlap, the later one owns the pixel, drawn darker. Training never sees the objects."

    let private curves (history: History) : Figure =
        let curve label colour name = TrainingCurves.curve label colour history (TrainingCurves.metric name)

        Figure.create
            "learning-curves"
            "Training"
            [
                [
                    TrainingCurves.loss "Training loss, mean over frames" history history
                    TrainingCurves.panel "Cost of predicting a frame, validation" "nats" history
                    |> curve "" Palette.blue "surprise"
                    TrainingCurves.panel "Agreement of slots and objects, validation" "agreement" history
                    |> Panel.yLimits 0.0 1.0
                    |> curve "AMI without overlap" Palette.vermilion "ami_distinct"
                    |> curve "ARI without overlap" Palette.blue "ari_distinct"
                ]
            ]
        |> Figure.panelSize 380.0 300.0

    /// A curve of values of the frames from the second on, which are counted from 1.
    let private overTime label colour (values: float[]) : Panel -> Panel =
        Panel.line label colour (Array.init values.Length (fun i -> float (i + 2))) values

    let private framePanel (title: string) (y: string) (frames: int) : Panel =
        Panel.create title |> Panel.axes "frame" y |> Panel.xLimits 1.0 (float frames)

    let private agreement (settings: MovingEMSettings) (test: MovingEMReading) (others: (int * MovingEMReading) list) =
        framePanel "AMI without overlap, test sequences" "AMI" test.Scenes.Frames
        |> Panel.yLimits 0.0 1.0
        |> Panel.vertical "" Colour.lightGrey (float settings.ScoredFrom)
        |> Panel.each (List.indexed ((settings.Objects.Count, test) :: others)) (fun (i, (count, reading)) ->
            overTime $"{count} objects" (Palette.category i) (MovingEMMeasures.agreementOverTime reading))
        |> Figure.single "agreement-over-time"
        |> Figure.note
            $"Trained with {settings.Objects.Count} objects and {settings.Model.Slots} slots. What counts are the frames from the dashed line on."

    let private surprise (test: MovingEMReading) : Figure =
        framePanel "Cost of predicting the next frame, test sequences" "nats a frame" test.Scenes.Frames
        |> overTime "prediction" Palette.vermilion (Array.tail test.Surprises)
        |> overTime "copying the last frame" Colour.grey (Array.tail (MovingEMMeasures.copyOverTime test.Scenes))
        |> Figure.single "next-frame"
        |> Figure.note
            "A frame's prediction is made before it is seen. Copies stay lit or dark with the shares of these very frames."

    let private assignments (data: MovingEMData) (shown: ShownFrame[]) : Figure =
        let frames, values = someFrames data 1, Map.ofList (snapshot shown)

        Figure.create
            "slot-assignments"
            "Slots over time"
            [
                for sequence in sequences data |> List.truncate 2 do
                    [ for t in frames -> truth data sequence t ]
                    frames |> List.map (assignment data values["slots"] sequence)
                    [ for t in frames -> predicted data (Rows.values (t - 1) values["prediction"]) sequence ]
            ]
        |> Figure.panelSize 120.0 120.0
        |> Figure.columnLabels (numbered frames)
        |> Figure.rowLabels
            [
                for _ in sequences data |> List.truncate 2 do
                    yield! [ "objects"; "γ"; "prediction" ]
            ]
        |> Figure.note
            "γ: the slot of the largest responsibility, in the colour of the object that it mostly has. The prediction was made before the frame was seen. Pixels of several objects are darker; further colours are slots without an object."

    /// Examples, curves over the training and over the frames of test sequences, and slots over time.
    let all
        (settings: MovingEMSettings)
        (data: MovingEMData)
        (shown: ShownFrame[])
        (test: MovingEMReading)
        (others: (int * MovingEMReading) list)
        (history: History)
        : Figure list =
        [
            examples data
            curves history
            agreement settings test others
            surprise test
            assignments data shown
        ]

    /// The frames of a few sequences as the last snapshot sees them: image, objects, γ and prediction side by side.
    let animation (_: MovingEMSettings) (data: MovingEMData) (history: History) : Animation option =
        match List.tryLast history.Snapshots with
        | None -> None
        | Some snapshot ->
            let values = Map.ofList snapshot.Values
            let assignments = [ for sequence in sequences data -> assignment data values["slots"] sequence ]

            let frame t =
                let prediction = Rows.values (t - 1) values["prediction"]

                Figure.create
                    "training"
                    $"Frame {t + 1}"
                    [
                        for sequence, assignment in List.zip (sequences data) assignments ->
                            [
                                input data sequence t
                                truth data sequence t
                                assignment t
                                predicted data prediction sequence
                            ]
                    ]
                |> Figure.panelSize 150.0 150.0
                |> Figure.columnLabels [ "image"; "objects"; "γ"; "prediction" ]

            Some(Animation.create "training" 4.0 [| for t in 1 .. data.Shown.Frames - 1 -> frame t |])
