namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// Digits on canvases to be measured, and the stream of the noise with which they are.
type ScaeScenes = { Canvases: CanvasDigits; Noise: Key }

/// What training, evaluation and pictures of the stacked capsule autoencoder share.
type ScaeData =
    {
        /// The digits that are trained with, drawn anew at other places in every step.
        Train: Digits
        Order: Passes
        /// Training digits that are never trained with.
        Validation: ScaeScenes
        Test: ScaeScenes
        /// Digits that are trained with, for clusters and fitted probes.
        Probe: Lazy<ScaeScenes>
        /// Test digits from viewpoints that training doesn't show.
        Viewpoints: Lazy<ScaeScenes>
        /// The randomness of clusters and of the places of t-SNE.
        Clusters: Key
    }

/// What a model says of digits.
type ScaeReading =
    {
        Labels: int[]
        /// â of each digit, [n][K].
        Prior: float[][]
        /// The mass that each capsule explains, [n][K].
        Posterior: float[][]
        /// The classes that the online probes read from both.
        PriorClasses: int[]
        PosteriorClasses: int[]
        /// The log-likelihood of each image, nats.
        Reconstruction: float[]
        /// The log-likelihood of each image's parts under its objects, nats.
        PartLikelihood: float[]
        /// Squared error of the mixture's mean, a pixel.
        Errors: float[]
        /// Σ_m d_m, parts that are there.
        Parts: float[]
    }

/// What is inferred from some images: [b, K] twice, [b, 10] twice, and [b].
type private ScaeFindings =
    {
        Prior: Tensor
        Posterior: Tensor
        PriorLogits: Tensor
        PosteriorLogits: Tensor
        Reconstruction: Tensor
        PartLikelihood: Tensor
        Errors: Tensor
        Parts: Tensor
    }

/// Inference by the stacked capsule autoencoder.
[<RequireQualifiedAccess>]
module ScaeReading =
    // Images at once: those of 40 × 40 pixels under 41 components are 13 MB.
    [<Literal>]
    let private ImagesAtOnce = 50

    let private infer (config: ScaeConfig) (model: Scae) (batch: ScaeBatch) : ScaeFindings =
        let inference = Scae.infer config model batch
        let parts, objects = inference.Parts, inference.Objects
        let ofPrior, ofPosterior = Scae.classify config model objects
        let difference = PartDecoder.mean (PartDecoder.draw config model.Decoder parts) - batch.Images.squeeze 1

        {
            Prior = objects.Prior
            Posterior = objects.Mass
            PriorLogits = ofPrior
            PosteriorLogits = ofPosterior
            Reconstruction = PartDecoder.logLikelihood config model.Decoder parts batch.Images
            PartLikelihood = (parts.Presence * objects.Joint.logsumexp 1).sum 1
            Errors = (difference * difference).mean [| 1; 2 |]
            Parts = parts.Presence.sum 1
        }

    /// A row of a tensor [n, …].
    let internal row (x: Tensor) (i: int) : float[] =
        let size = x.nelement / x.shape[0]
        let from = x.Elements<float32>().Slice(i * size, size)
        let values = Array.zeroCreate<float> size

        for j in 0 .. size - 1 do
            values[j] <- float from[j]

        values

    let private number (x: Tensor) (i: int) : float = float (x.Elements<float32>()[i])

    /// The first index of the largest value.
    let internal largest (values: float[]) : int =
        let mutable best = 0

        for i in 1 .. values.Length - 1 do
            if values[i] > values[best] then
                best <- i

        best

    /// Writes images from number `first` on into a batch, with the noise with which they are measured.
    let load (settings: ScaeSettings) (scenes: ScaeScenes) (first: int) (batch: ScaeBatch) : unit =
        CanvasDigits.load scenes.Canvases first batch.Images

        if settings.EvaluationNoise then
            Scae.fillNoise settings.Noise (scenes.Noise.Fold(int64 first)) batch

    let private room (scenes: ScaeScenes) : ScaeReading =
        let n = CanvasDigits.count scenes.Canvases
        let numbers () = Array.zeroCreate<float> n

        {
            Labels = scenes.Canvases.Labels |> Array.map int
            Prior = Array.create n [||]
            Posterior = Array.create n [||]
            PriorClasses = Array.zeroCreate n
            PosteriorClasses = Array.zeroCreate n
            Reconstruction = numbers ()
            PartLikelihood = numbers ()
            Errors = numbers ()
            Parts = numbers ()
        }

    let private take (reading: ScaeReading) (found: ScaeFindings) (i: int) (image: int) : unit =
        reading.Prior[image] <- row found.Prior i
        reading.Posterior[image] <- row found.Posterior i
        reading.PriorClasses[image] <- largest (row found.PriorLogits i)
        reading.PosteriorClasses[image] <- largest (row found.PosteriorLogits i)
        reading.Reconstruction[image] <- number found.Reconstruction i
        reading.PartLikelihood[image] <- number found.PartLikelihood i
        reading.Errors[image] <- number found.Errors i
        reading.Parts[image] <- number found.Parts i

    /// Reads any digits on canvases.
    let ofScenes (settings: ScaeSettings) (model: Scae) : ScaeScenes -> ScaeReading =
        let config = settings.Model
        let inference = Inference(ImagesAtOnce, Scae.allocate config, infer config model)

        fun scenes ->
            let reading = room scenes

            inference.Over(
                reading.Labels.Length,
                fun part ->
                    load settings scenes part.First part.Batch
                    part.Run()

                    for i in 0 .. part.Batch.Images.shape[0] - 1 do
                        take reading part.Output i (part.First + i)
            )

            reading

    /// Reads the digits of a split.
    let read (settings: ScaeSettings) (data: ScaeData) (model: Scae) : Split -> ScaeReading =
        let read = ofScenes settings model

        function
        | Validation -> read data.Validation
        | Test -> read data.Test
