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

    // A swap needs γ [b, slots, D] and how far each pixel is from what is drawn there [b, D].
    let private starts (settings: NeuralEMSettings) : Starts<NeuralEMBatch> =
        let config = NeuralEMSettings.measured settings
        let swap = lazy (NeuralEMStarts.swap config)

        {
            AtOnce = ImagesAtOnce
            Again = settings.MeasuredStarts - 1
            Swaps = settings.MeasuredSwaps
            Noise = _.Noise
            Start = NeuralEMStarts.fill config
            Swap = fun likeliest key batch -> swap.Value key batch.Target likeliest[1] likeliest[2] batch.Noise
        }

    let private over (starts: Starts<NeuralEMBatch>) inference (scenes: NeuralEMScenes) =
        let images = scenes.Shapes.Images

        Starts.over starts inference images.shape[0] scenes.Noise (fun part ->
            Rows.load images part.First part.Batch.Target
            part.Batch.Target.CopyTo(part.Batch.Input.Elements<float32>()))

    /// Reads some images. Each call reads them anew into the same arrays.
    let private ofScenes
        (settings: NeuralEMSettings)
        (starts: Starts<NeuralEMBatch>)
        (inference: Inference<NeuralEMBatch, Started<Grouped>>)
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

        let store (into: int[]) (part: Part<NeuralEMBatch, Started<Grouped>>) =
            let found = part.Output.Found.Slots
            found.CopyTo(Span(into, part.First * found.shape[1], found.nelement))

        fun () ->
            let slots, ofFirst = kept.Value
            let loss = ref 0.0

            over starts inference scenes (fun part -> ofFirst |> Option.iter (fun into -> store into part)) (fun part ->
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
        let read = ofScenes settings (starts settings) (inference settings model group)
        let validation, test = read data.Validation, read data.Test
        fun split -> Split.choose validation test split ()

    /// Reads the test images with other numbers of shapes or slots, each under its name.
    let readOthers (data: NeuralEMData) (model: NeuralEM) : (string * NeuralEMReading) list =
        [
            for { Name = name; Settings = settings; Scenes = scenes } in data.Others ->
                name, ofScenes settings (starts settings) (inference settings model group) scenes.Value ()
        ]

    /// The iterations on the images that the pictures show; the next call overwrites them.
    let show (settings: NeuralEMSettings) (data: NeuralEMData) (model: NeuralEM) : unit -> ShownIteration[] =
        let keep _ _ (iterations: EMIteration list) =
            [|
                for iteration in iterations ->
                    { Responsibilities = iteration.Responsibilities; Means = iteration.Means }
            |]

        let starts, inference = starts settings, inference settings model keep

        fun () ->
            let found = ref [||]
            over starts inference data.Shown ignore (fun part -> found.Value <- part.Output.Found)
            found.Value
