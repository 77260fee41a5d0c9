namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// Sequences for measuring: their frames one behind the other, [b·F, D], and the key of the noise with which slots start.
type MovingScenes = { Frames: int; Shapes: Shapes; Noise: Key }

/// What training, evaluation and pictures of moving objects share.
type MovingEMData =
    {
        /// What objects of training sequences look like.
        Masks: ObjectMask[]
        /// Room for the truth of a step's new sequences, which nobody reads.
        Unread: Shapes
        Validation: MovingScenes
        Test: MovingScenes
        /// Test sequences with other numbers of objects, made when they are asked for.
        Others: (int * Lazy<MovingScenes>) list
        /// The first validation sequences, which the pictures show.
        Shown: MovingScenes
    }

/// What the model infers from sequences.
type MovingEMReading =
    {
        Scenes: MovingScenes
        /// The loss of each frame, averaged over sequences; 0 for the first, which nothing predicts.
        Losses: float[]
        /// The cost of predicting each frame before it is seen, in nats, averaged likewise. It is that of each sequence's first
        /// start, because only frames that are seen later tell which start is the likeliest.
        Surprises: float[]
        /// The slot that predicted each pixel best, b·F·D, from the likeliest start of a sequence; 0 in first frames.
        Slots: int[]
        /// The same from the first start of each sequence, where there are several.
        OfFirstStart: int[] option
    }

/// One frame, from the second on, of the sequences that the pictures show: the slot of each pixel [b, D] and the prediction
/// [b, D].
type ShownFrame = { Slots: Tensor; Prediction: Tensor }

/// What a recorded run gives for one frame.
type private FoundFrame =
    {
        /// [b, D].
        Slots: Tensor
        /// A scalar.
        Loss: Tensor
        /// A scalar.
        Surprise: Tensor
    }

/// Inference by neural expectation maximization of moving objects.
[<RequireQualifiedAccess>]
module MovingEMReading =
    // How many sequences run through the model together. Each such part has a key for the noise of its starts.
    [<Literal>]
    let private SequencesAtOnce = 32

    let private inference (settings: MovingEMSettings) (model: MovingEM) find =
        let config = MovingEM.undisturbed settings.Model

        let infer (batch: MovingEMBatch) =
            let iterations = MovingEM.unroll config model batch

            {
                Found = iterations |> List.mapi (find config batch) |> Array.ofList
                Quality =
                    if settings.MeasuredStarts > 1 then
                        Some(MovingEM.expectedLogLikelihood config batch iterations)
                    else
                        None
                ForSwaps = [||]
            }

        Inference(SequencesAtOnce, MovingEM.allocateFrames config settings.Objects.Frames, infer)

    let private starts (settings: MovingEMSettings) : Starts<MovingEMBatch> =
        {
            AtOnce = SequencesAtOnce
            Again = settings.MeasuredStarts - 1
            Swaps = 0
            Noise = _.Noise
            Start = MovingEM.start settings.Model
            Swap = fun _ _ _ -> ()
        }

    let private over settings inference (scenes: MovingScenes) =
        let frames, pixels = scenes.Frames, scenes.Shapes.Images.shape[1]

        Starts.over (starts settings) inference (scenes.Shapes.Images.shape[0] / frames) scenes.Noise (fun part ->
            let target = part.Batch.Target.Elements<float32>()
            scenes.Shapes.Images.Elements<float32>().Slice(part.First * frames * pixels, target.Length).CopyTo target
            target.CopyTo(part.Batch.Input.Elements<float32>()))

    /// Copies the slots of a part's frames into those of all sequences, b·F·D.
    let private store frames (into: int[]) (part: Part<MovingEMBatch, Started<FoundFrame[]>>) =
        for t in 1 .. frames - 1 do
            let slots = part.Output.Found[t - 1].Slots
            let pixels = slots.shape[1]
            let found = slots.Elements<int>()

            for i in 0 .. slots.shape[0] - 1 do
                let at = ((part.First + i) * frames + t) * pixels
                found.Slice(i * pixels, pixels).CopyTo(Span(into, at, pixels))

    /// Reads sequences of the settings' number of frames. Each call reads them anew into the same arrays.
    let ofScenes (settings: MovingEMSettings) (model: MovingEM) : MovingScenes -> unit -> MovingEMReading =
        let find config (batch: MovingEMBatch) t (iteration: EMIteration) =
            {
                Slots = iteration.Responsibilities.argmax 1
                Loss = MovingEM.frameLoss config batch t iteration
                Surprise = MovingEM.surprise (MovingEM.prediction iteration.Means) (MovingEM.frame batch.Target (t + 1))
            }

        let inference = inference settings model find

        fun scenes ->
            let frames = scenes.Frames
            let sequences = scenes.Shapes.Images.shape[0] / frames
            let room () = Array.zeroCreate<int> scenes.Shapes.Images.nelement
            // Lazy, since the test scenes may never be asked for.
            let kept = lazy (room (), (if settings.MeasuredStarts > 1 then Some(room ()) else None))
            let losses, surprises = Array.zeroCreate<float> frames, Array.zeroCreate<float> frames

            fun () ->
                Array.Clear losses
                Array.Clear surprises
                let slots, ofFirst = kept.Value

                /// Adds a part's share of a mean over sequences.
                let add
                    (means: float[])
                    (number: FoundFrame -> Tensor)
                    (part: Part<MovingEMBatch, Started<FoundFrame[]>>)
                    =
                    let share = float part.Batch.Target.shape[0] / float sequences

                    for t in 1 .. frames - 1 do
                        means[t] <- means[t] + share * (number part.Output.Found[t - 1]).toScalar()

                over
                    settings
                    inference
                    scenes
                    (fun part ->
                        add surprises _.Surprise part
                        ofFirst |> Option.iter (fun into -> store frames into part))
                    (fun part ->
                        add losses _.Loss part
                        store frames slots part)

                {
                    Scenes = scenes
                    Losses = losses
                    Surprises = surprises
                    Slots = slots
                    OfFirstStart = ofFirst
                }

    /// Reads the sequences of a split; the next reading of the same split overwrites it.
    let read (settings: MovingEMSettings) (data: MovingEMData) (model: MovingEM) : Split -> MovingEMReading =
        let read = ofScenes settings model
        let validation, test = read data.Validation, read data.Test
        fun split -> Split.choose validation test split ()

    /// Reads the test sequences with other numbers of objects.
    let readOthers (settings: MovingEMSettings) (data: MovingEMData) (model: MovingEM) : (int * MovingEMReading) list =
        [
            for count, scenes in data.Others ->
                count, ofScenes (MovingEMSettings.withObjects count settings) model scenes.Value ()
        ]

    /// What is inferred from the sequences that the pictures show; the next call overwrites it.
    let show (settings: MovingEMSettings) (data: MovingEMData) (model: MovingEM) : unit -> ShownFrame[] =
        let keep _ _ _ (iteration: EMIteration) : ShownFrame =
            {
                Slots = iteration.Responsibilities.argmax 1
                Prediction = MovingEM.prediction iteration.Means
            }

        let inference = inference settings model keep

        fun () ->
            let found = ref [||]
            over settings inference data.Shown ignore (fun part -> found.Value <- part.Output.Found)
            found.Value
