namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// What a model infers from digits.
type ScaeReading =
    {
        Representation: ScaeRepresentation
        /// The log-likelihood of each image, nats.
        Reconstruction: float[]
        /// The log-likelihood of each image's parts under its objects, nats.
        PartLikelihood: float[]
        /// The squared error of the mixture's mean, averaged over pixels.
        Errors: float[]
        /// Σ_m d_m, the number of parts that are there.
        Parts: float[]
    }

/// What is inferred from n images: [n] each, except the outlook.
type private ScaeFindings =
    {
        Outlook: ScaeOutlook
        Reconstruction: Tensor
        PartLikelihood: Tensor
        Errors: Tensor
        Parts: Tensor
    }

/// Inference by the stacked capsule autoencoder.
[<RequireQualifiedAccess>]
module ScaeReading =
    let private infer (config: ScaeConfig) (model: Scae) (batch: ScaeBatch) : ScaeFindings =
        let inference = Scae.infer config model batch
        let parts, objects = inference.Parts, inference.Objects
        let difference = PartDecoder.mean (PartDecoder.draw config model.Decoder parts) - batch.Images.squeeze 1

        {
            Outlook = ScaeRepresentation.look config model objects
            Reconstruction = PartDecoder.logLikelihood config model.Decoder parts batch.Images
            PartLikelihood = (parts.Presence * objects.Joint.logsumexp 1).sum 1
            Errors = (difference * difference).mean [| 1; 2 |]
            Parts = parts.Presence.sum 1
        }

    /// Reads any digits on canvases.
    let private ofScenes (settings: ScaeSettings) (model: Scae) : ScaeScenes -> ScaeReading =
        let config = settings.Model
        let inference = Inference(ScaeRepresentation.ImagesAtOnce, Scae.allocate config, infer config model)

        fun scenes ->
            let found =
                inference.Gather(
                    CanvasDigits.count scenes.Canvases,
                    fun part -> ScaeScenes.load settings scenes part.First part.Batch
                )

            {
                Representation = ScaeRepresentation.ofOutlook scenes found.Outlook
                Reconstruction = Rows.numbers found.Reconstruction
                PartLikelihood = Rows.numbers found.PartLikelihood
                Errors = Rows.numbers found.Errors
                Parts = Rows.numbers found.Parts
            }

    /// Reads the digits of a split.
    let read (settings: ScaeSettings) (data: ScaeData) (model: Scae) : Split -> ScaeReading =
        Split.choose data.Validation data.Test >> ofScenes settings model
