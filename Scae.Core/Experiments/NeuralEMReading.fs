namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// Images for measuring, and the key of the noise with which their slots start.
type NeuralEMScenes = { Shapes: Shapes; Noise: Key }

/// Test images on which a model is measured with other numbers of shapes or slots than it was trained with.
type NeuralEMTest =
    {
        /// The end of its metrics' names.
        Name: string
        /// Settings with these numbers.
        Settings: NeuralEMSettings
        /// Made when they are asked for.
        Scenes: Lazy<NeuralEMScenes>
    }

/// Images for training, measuring and pictures.
type NeuralEMData =
    {
        /// None where every step draws new images.
        Train: TrainingSet option
        /// Room for the truth of a step's new images, which nobody reads.
        Unread: Shapes
        Validation: NeuralEMScenes
        Test: NeuralEMScenes
        /// Tests beyond what the model was trained with.
        Others: NeuralEMTest list
        /// The first validation images, which the pictures show.
        Shown: NeuralEMScenes
    }

/// The slot that the model gives each pixel, in the images of a split.
type NeuralEMReading =
    {
        Shapes: Shapes
        /// The mean loss of the last iteration.
        Loss: float
        /// The slot of each pixel, b·D, from the likeliest start.
        Slots: int[]
        /// The same from the first start of each image, where there are several.
        OfFirstStart: int[] option
    }

/// An EM iteration on the images that the pictures show: γ and ψ, [b, slots, D].
type ShownIteration = { Responsibilities: Tensor; Means: Tensor }

/// What a run of the iterations on some images gives. Quality is the expected log-likelihood [b], by which starts are
/// compared if there are several. ForSwaps is empty unless there are swaps, which need γ [b, slots, D] and how far each
/// pixel is from what is drawn there [b, D].
type private Unrolled<'found> = { Found: 'found; Quality: Tensor option; ForSwaps: Tensor[] }

/// The slot of the largest responsibility [b, D], and the loss of the last iteration, a scalar.
type private Grouped = { Slots: Tensor; Loss: Tensor }

/// Inference by neural expectation maximization.
[<RequireQualifiedAccess>]
module NeuralEMReading =
    // How many images run through the model together. Each such part has a key for the noise of its starts.
    [<Literal>]
    let private ImagesAtOnce = 64

    let private inference (settings: NeuralEMSettings) (model: NeuralEM) find =
        let config = NeuralEMSettings.measured settings

        let infer (batch: NeuralEMBatch) =
            let iterations = NeuralEM.unroll config model batch
            let last = List.last iterations

            {
                Found = find config batch iterations
                Quality =
                    if NeuralEMSettings.searches settings then
                        Some(NeuralEM.expectedLogLikelihood config batch.Target last)
                    else
                        None
                ForSwaps =
                    [|
                        if settings.MeasuredSwaps > 0 then
                            last.Responsibilities
                            (batch.Target - NeuralEM.mixture last.Responsibilities last.Means).abs()
                    |]
            }

        Inference(ImagesAtOnce, NeuralEM.allocate config, infer)

    /// Starts a part of the images from a key, and runs it.
    let private start fill (key: Key) (part: Part<NeuralEMBatch, Unrolled<'found>>) =
        fill key part.Batch
        part.Run()

    /// Tries further starts of a part of the images, then swaps of the likeliest, and runs the likeliest of each image again.
    let private settle settings fill (noise: Key) (quality: Tensor) (part: Part<NeuralEMBatch, Unrolled<'found>>) =
        let likeliest = Likeliest(quality, Array.append [| part.Batch.Noise |] part.Output.ForSwaps)

        likeliest.Try(settings.MeasuredStarts - 1, fun number -> start fill ((noise.Named "again").Fold number) part)

        if settings.MeasuredSwaps > 0 then
            let swap = NeuralEMStarts.swap (NeuralEMSettings.measured settings)

            likeliest.Try(
                settings.MeasuredSwaps,
                fun number ->
                    let key = (noise.Named "swap").Fold number
                    swap key part.Batch.Target likeliest[1] likeliest[2] part.Batch.Noise
                    part.Run()
            )

        likeliest[0].CopyTo(part.Batch.Noise.Elements<float32>())
        part.Run()

    /// Goes through images, part by part. `visitFirst` sees the result of the first starts if there are several, `visit` that of
    /// the likeliest.
    let private over
        settings
        fill
        (inference: Inference<NeuralEMBatch, Unrolled<'found>>)
        (scenes: NeuralEMScenes)
        visitFirst
        visit
        =
        let images = scenes.Shapes.Images

        inference.Over(
            images.shape[0],
            fun part ->
                Rows.load images part.First part.Batch.Target
                part.Batch.Target.CopyTo(part.Batch.Input.Elements<float32>())
                let noise = scenes.Noise.Fold(int64 (part.First / ImagesAtOnce))
                start fill noise part

                match part.Output.Quality with
                | Some quality ->
                    visitFirst part
                    settle settings fill noise quality part
                | None -> ()

                visit part
        )

    /// Reads some images. Each call reads them anew into the same arrays.
    let private ofScenes
        settings
        fill
        (inference: Inference<NeuralEMBatch, Unrolled<Grouped>>)
        (scenes: NeuralEMScenes)
        : unit -> NeuralEMReading =
        let images = scenes.Shapes.Images
        let room () = Array.zeroCreate<int> images.nelement

        // Lazy, since the test scenes may never be asked for.
        let kept =
            lazy
                (room (),
                 (if NeuralEMSettings.searches settings then
                      Some(room ())
                  else
                      None))

        let store (into: int[]) (part: Part<NeuralEMBatch, Unrolled<Grouped>>) =
            let found = part.Output.Found.Slots
            found.CopyTo(Span(into, part.First * found.shape[1], found.nelement))

        fun () ->
            let slots, ofFirst = kept.Value
            let loss = ref 0.0

            over settings fill inference scenes (store (defaultArg ofFirst slots)) (fun part ->
                store slots part
                loss.Value <- loss.Value + float part.Batch.Target.shape[0] * part.Output.Found.Loss.toScalar ())

            {
                Shapes = scenes.Shapes
                Loss = loss.Value / float images.shape[0]
                Slots = slots
                OfFirstStart = ofFirst
            }

    let private group config (batch: NeuralEMBatch) (iterations: EMIteration list) : Grouped =
        let last = List.last iterations

        {
            Slots = last.Responsibilities.argmax 1
            Loss = NeuralEM.iterationLoss config batch.Target last
        }

    /// Reads the images of a split; the next reading of the same split overwrites it.
    let read (settings: NeuralEMSettings) (data: NeuralEMData) (model: NeuralEM) : Split -> NeuralEMReading =
        let fill = NeuralEMStarts.fill (NeuralEMSettings.measured settings)
        let inference = inference settings model group
        let validation = ofScenes settings fill inference data.Validation
        let test = ofScenes settings fill inference data.Test
        fun split -> Split.choose validation test split ()

    /// Reads the test images with other numbers of shapes or slots, each under its name.
    let readOthers (data: NeuralEMData) (model: NeuralEM) : (string * NeuralEMReading) list =
        [
            for { Name = name; Settings = settings; Scenes = scenes } in data.Others ->
                let fill = NeuralEMStarts.fill (NeuralEMSettings.measured settings)
                name, ofScenes settings fill (inference settings model group) scenes.Value ()
        ]

    /// The iterations on the images that the pictures show; the next call overwrites them.
    let show (settings: NeuralEMSettings) (data: NeuralEMData) (model: NeuralEM) : unit -> ShownIteration[] =
        let keep _ _ (iterations: EMIteration list) =
            [|
                for iteration in iterations ->
                    { Responsibilities = iteration.Responsibilities; Means = iteration.Means }
            |]

        let fill = NeuralEMStarts.fill (NeuralEMSettings.measured settings)
        let inference = inference settings model keep

        fun () ->
            let found = ref [||]
            over settings fill inference data.Shown ignore (fun part -> found.Value <- part.Output.Found)
            found.Value
