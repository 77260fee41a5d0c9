namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Figures
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Training

/// The pictures of a training of topographic autoencoders.
[<RequireQualifiedAccess>]
module TvaeGallery =
    // How many sequences traversals show, how many the animation shows, from how many frames units are correlated, and how many
    // samples are drawn.
    [<Literal>]
    let private Shown = 4

    [<Literal>]
    let private Animated = 3

    [<Literal>]
    let private Correlated = 2000

    [<Literal>]
    let private Samples = 100

    let private shape (config: TopographicVaeConfig) : FrameShape = { Channels = config.Channels; Side = config.Side }

    // --- curves

    let private metricPanel (title: string) (y: string) (curves: (string * string) list) (whole: History) : Panel =
        let has (_, name) = whole.Evaluations.IsEmpty || TrainingCurves.has name whole

        TrainingCurves.panel title y whole
        |> Panel.each (curves |> List.filter has |> List.indexed) (fun (i, (label, name)) ->
            TrainingCurves.curve label (Palette.category i) whole (TrainingCurves.metric name))

    let private correlationPanel (curves: (string * string) list) (whole: History) : Panel =
        let values =
            [
                for _, name in curves do
                    for evaluation in whole.Evaluations -> TrainingCurves.metric name evaluation
            ]

        metricPanel "CapCorr" "correlation" curves whole |> Panel.yRangeOf values |> Panel.yWithin -1.0 1.0

    let private curves (settings: TvaeSettings) (data: TvaeData) (history: History) : Figure =
        let config = settings.Model
        let factors = TvaeMeasures.correlated config data.Validation

        let likelihoods =
            [
                // Where frames don't depend on each other, the likelihood is that of frames.
                if not (TopographicVae.framesAreIndependent config) then
                    "of sequences", "likelihood"
                "of frames", "likelihood_frame"
                "as published", "likelihood_published"
            ]

        Figure.create
            "training-curves"
            "Training; all but the training loss on validation images"
            [
                [
                    TrainingCurves.curves
                        "Loss a frame"
                        "loss"
                        [
                            "training", Palette.orange, _.TrainLoss
                            "validation", Palette.blue, TrainingCurves.metric "loss"
                        ]
                        history
                        history
                    metricPanel "KL a frame" "nats" [ "z", "kl_z"; "u", "kl_u" ] history
                ]
                [
                    metricPanel "log p(x) a frame" "nats" likelihoods history
                    if config.Frames > 1 then
                        metricPanel "Equivariance error" "E_eq" [ "", "equivariance" ] history
                ]
                if not factors.IsEmpty then
                    [ correlationPanel [ for name, _ in factors -> name, $"capcorr_{name}" ] history ]
            ]
        |> Figure.panelSize 400.0 280.0

    // --- pictures

    let private rows (x: Tensor) (count: int) : float32[][] = Array.init count (fun i -> Rows.values i x)

    /// What T drawn from the prior decodes to.
    let private samples (settings: TvaeSettings) (data: TvaeData) (model: TopographicVae) : Figure =
        let config = settings.Model
        // μ as it was learned.
        let mu = model.Mu |> Option.map (fun mu -> mu.toScalar ()) |> Option.defaultValue 0.0
        let sequences = (Samples + config.Frames - 1) / config.Frames
        let t = TopographicVae.sampleOfPrior config mu sequences (data.Levels.Named "samples")
        TvaePictures.samples (shape config) (rows ((TopographicVae.decode config model t).sigmoid()) Samples)

    /// Pearson's correlation of T² between units, from frames T [n, s].
    let private correlations (t: Tensor) : float[,] =
        let square = t * t
        let centred = square - square.mean (0, true)
        let scaled = centred / ((centred * centred).sum(0, true) + 1e-30).sqrt()
        let values = (scaled.transpose (0, 1)).matmul(scaled).toArray<float32>()
        let s = t.shape[1]
        Array2D.init s s (fun i j -> float values[i * s + j])

    /// T of some frames, one draw each.
    let private topographic (settings: TvaeSettings) (model: TopographicVae) (scenes: TvaeScenes) : Tensor =
        let config = settings.Model
        let few = TvaeScenes.first (max 1 (Correlated / config.Frames)) scenes
        let batch = TopographicVae.allocate config few.Chosen.Length
        TvaeScenes.load few config.Frames 0 batch.Frames
        TopographicVae.fillNoise (few.Key.Named "noise") batch
        let posteriors = TopographicVae.encode config model batch.Frames
        (TopographicVae.draw config model posteriors batch.NoiseZ batch.NoiseU).Topographic

    let private traversals settings model (name: string) (title: string) (scenes: TvaeScenes) : Figure =
        TvaeRolling.traversals settings model (TvaeScenes.first Shown scenes)
        |> TvaePictures.traversals (shape settings.Model) name title

    let private generalization (errors: RollErrors) : Figure =
        TvaeFigures.generalization
            [
                "rolled", errors.Rolled
                "first frame", errors.Still
                "mean of the frames seen", errors.MeanSeen
                "mean of all sequences", errors.Mean
            ]

    let private capsuleCorrelation (settings: TvaeSettings) (reading: TvaeReading) (data: TvaeData) : Figure option =
        let measured = Map.ofList (TvaeMeasures.ofReading settings reading)
        let levels = Map.ofList (TvaeMeasures.levels settings data.Levels reading.Scenes)

        match TvaeMeasures.correlated settings.Model reading.Scenes with
        | [] -> None
        | factors ->
            Some(
                TvaeFigures.capsuleCorrelation
                    [
                        for name, _ in factors ->
                            {
                                Factor = name
                                Correlation = measured[$"capcorr_{name}"]
                                Chance = levels[$"capcorr_{name}_chance"]
                                Prior = levels[$"capcorr_{name}_prior"]
                            }
                    ]
            )

    /// Pictures of models of sequences, whose capsules roll.
    let private ofSequences settings (data: TvaeData) model (reading: TvaeReading) : Figure list =
        [
            traversals settings model "traversals" "Test sequences" data.Test
            yield! capsuleCorrelation settings reading data |> Option.toList
            match data.Unseen with
            | Some scenes ->
                traversals settings model "traversals-unseen" "Rotation and colour together, never trained with" scenes
                generalization (TvaeMeasures.rollErrors settings model scenes)
            | None -> ()
        ]

    let private largest (units: float32[][]) (unit: int) : int =
        let mutable best = 0

        for i in 1 .. units.Length - 1 do
            if abs (units[i][unit]) > abs (units[best][unit]) then
                best <- i

        best

    /// Pictures of models of single digits: the image and the class that each unit of the map prefers.
    let private ofMap (settings: TvaeSettings) (reading: TvaeReading) : Figure list =
        match reading.Scenes.Images with
        | TvaeImages.Sprites _ -> []
        | TvaeImages.Digits digits ->
            let config = settings.Model
            let edge = int (sqrt (float (TopographicVae.latents config)))
            let chosen = reading.Scenes.Chosen
            let labels = chosen |> Array.map (fun image -> digits.Labels[image])

            let picture (unit: int) =
                let first = chosen[largest reading.Units unit] * Digits.Pixels
                Array.init Digits.Pixels (fun i -> float32 digits.Pixels[first + i] / 255.0f)

            let activations = reading.Units |> Array.map (Array.map float)

            [
                TvaePictures.maximumActivation (shape config) edge (Array.init (edge * edge) picture)
                TvaePictures.selectivity edge (Selectivity.map activations labels)
            ]

    /// All pictures.
    let all
        (settings: TvaeSettings)
        (data: TvaeData)
        (model: TopographicVae)
        (read: Split -> TvaeReading)
        (history: History)
        : Figure list =
        [
            curves settings data history
            if settings.Model.Frames > 1 then
                yield! ofSequences settings data model (read Test)
            else
                yield! ofMap settings (read Test)
            samples settings data model
            TvaePictures.covariance (correlations (topographic settings model data.Test))
        ]

    // --- the animation

    /// What the animation shows of a moment: the three rows of some validation sequences, each row [n·S, C·P].
    let snapshot (settings: TvaeSettings) (data: TvaeData) (model: TopographicVae) : unit -> (string * Tensor) list =
        if settings.Model.Frames = 1 then
            fun () -> []
        else
            let traversals = TvaeRolling.traversals settings model
            let scenes = TvaeScenes.first Animated data.Validation

            let tensor (frames: float32[][]) =
                Tensor.``of`` (Array.concat frames, [| frames.Length; frames[0].Length |])

            fun () ->
                let found = traversals scenes
                let all (row: Traversal -> float32[][]) = found |> Seq.collect row |> Array.ofSeq |> tensor
                [ "input", all _.Input; "decoded", all _.Reconstruction; "rolled", all _.Rolled ]

    /// The last snapshot's sequences, frame by frame.
    let animation (settings: TvaeSettings) (history: History) : Animation option =
        match List.tryLast history.Snapshots with
        | Some snapshot when not snapshot.Values.IsEmpty ->
            let values = Map.ofList snapshot.Values
            let frames = settings.Model.Frames
            let count = values["input"].shape[0] / frames
            let of' (name: string) = rows values[name] (count * frames) |> Array.chunkBySize frames
            let input, decoded, rolled = of' "input", of' "decoded", of' "rolled"

            List.init count (fun i -> { Input = input[i]; Reconstruction = decoded[i]; Rolled = rolled[i] })
            |> TvaePictures.rolling (shape settings.Model) "rolling"
            |> Some
        | _ -> None
