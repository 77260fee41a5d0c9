namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// Sequences that are measured: their frames one behind the other [b·F, D], and the stream of the noise that starts slots.
type MovingScenes = { Frames: int; Shapes: Shapes; Noise: Key }

/// What training, evaluation and pictures of moving objects share.
type MovingEMData =
    {
        /// What objects of training sequences look like.
        Masks: ObjectMask[]
        /// Where the truth of a step's new sequences goes, which nobody reads.
        Unread: Shapes
        Validation: MovingScenes
        Test: MovingScenes
        /// Test sequences with other numbers of objects, made when they are asked for.
        Others: (int * Lazy<MovingScenes>) list
        /// The first validation sequences, which the pictures show.
        Shown: MovingScenes
    }

/// What the model says of sequences.
type MovingEMReading =
    {
        Scenes: MovingScenes
        /// The loss of each frame, averaged over sequences; 0 for the first, which nothing predicts.
        Losses: float[]
        /// Nats that predicting each frame costs before it is seen, likewise.
        Surprises: float[]
        /// The slot of each pixel, b·F·D: the one that predicted the frame best, 0 in the first frames.
        Slots: int[]
    }

/// The sequences that the pictures show, frame by frame from the second: the slot of each pixel [b, D], and the prediction
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
    // Sequences that run through the model together; the noise of their starts has a key for each of these parts.
    [<Literal>]
    let private SequencesAtOnce = 32

    let private inference (settings: MovingEMSettings) (model: MovingEM) find =
        let config = MovingEM.undisturbed settings.Model

        let infer (batch: MovingEMBatch) =
            MovingEM.unroll config model batch |> List.mapi (find config batch) |> Array.ofList

        Inference(SequencesAtOnce, MovingEM.allocateFrames config settings.Objects.Frames, infer)

    let private over settings (inference: Inference<MovingEMBatch, 'found[]>) (scenes: MovingScenes) visit =
        let start = MovingEM.start settings.Model
        let pixels = scenes.Shapes.Images.shape[1]

        inference.Over(
            scenes.Shapes.Images.shape[0] / scenes.Frames,
            fun part ->
                let target = part.Batch.Target.Elements<float32>()
                let first = part.First * scenes.Frames * pixels
                scenes.Shapes.Images.Elements<float32>().Slice(first, target.Length).CopyTo target
                target.CopyTo(part.Batch.Input.Elements<float32>())
                start (scenes.Noise.Fold(int64 (part.First / SequencesAtOnce))) part.Batch
                part.Run()
                visit part
        )

    /// Reads sequences of the settings' number of frames, again and again into the same arrays.
    let ofScenes (settings: MovingEMSettings) (model: MovingEM) : MovingScenes -> unit -> MovingEMReading =
        let find config (batch: MovingEMBatch) t (iteration: EMIteration) =
            {
                Slots = iteration.Responsibilities.argmax 1
                Loss = MovingEM.frameLoss config batch t iteration
                Surprise = MovingEM.surprise (MovingEM.prediction iteration.Means) (MovingEM.frame batch.Target (t + 1))
            }

        let inference = inference settings model find

        fun scenes ->
            let frames, pixels = scenes.Frames, scenes.Shapes.Images.shape[1]
            let sequences = scenes.Shapes.Images.shape[0] / frames
            // Nobody may ever ask for the test scenes.
            let kept = lazy Array.zeroCreate<int> scenes.Shapes.Images.nelement
            let losses, surprises = Array.zeroCreate<float> frames, Array.zeroCreate<float> frames

            fun () ->
                Array.Clear losses
                Array.Clear surprises
                let slots = kept.Value

                over settings inference scenes (fun part ->
                    let count = part.Batch.Target.shape[0]
                    let share = float count / float sequences

                    for t in 1 .. frames - 1 do
                        let found = part.Output[t - 1]
                        losses[t] <- losses[t] + share * found.Loss.toScalar ()
                        surprises[t] <- surprises[t] + share * found.Surprise.toScalar ()
                        let ofFrame = found.Slots.Elements<int>()

                        for i in 0 .. count - 1 do
                            let into = ((part.First + i) * frames + t) * pixels
                            ofFrame.Slice(i * pixels, pixels).CopyTo(Span(slots, into, pixels)))

                { Scenes = scenes; Losses = losses; Surprises = surprises; Slots = slots }

    /// Reads the sequences of a split; the next reading of the same split overwrites it.
    let read (settings: MovingEMSettings) (data: MovingEMData) (model: MovingEM) : Split -> MovingEMReading =
        let read = ofScenes settings model
        let validation, test = read data.Validation, read data.Test

        function
        | Validation -> validation ()
        | Test -> test ()

    /// Reads the test sequences with other numbers of objects.
    let readOthers (settings: MovingEMSettings) (data: MovingEMData) (model: MovingEM) : (int * MovingEMReading) list =
        [
            for count, scenes in data.Others ->
                count, ofScenes (MovingEMSettings.withObjects count settings) model scenes.Value ()
        ]

    /// The sequences that the pictures show; the next call overwrites them.
    let show (settings: MovingEMSettings) (data: MovingEMData) (model: MovingEM) : unit -> ShownFrame[] =
        let keep _ _ _ (iteration: EMIteration) : ShownFrame =
            {
                Slots = iteration.Responsibilities.argmax 1
                Prediction = MovingEM.prediction iteration.Means
            }

        let inference = inference settings model keep

        fun () ->
            let found = ref [||]
            over settings inference data.Shown (fun part -> found.Value <- part.Output)
            found.Value
