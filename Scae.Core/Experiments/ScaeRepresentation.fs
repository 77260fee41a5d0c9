namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// What object capsules say of digits: all that probes and clusters look at.
type ScaeRepresentation =
    {
        Labels: int[]
        /// â of each digit, [n][K].
        Prior: float[][]
        /// The mass that each capsule explains, [n][K].
        Posterior: float[][]
        /// The classes that the online probes read from both.
        PriorClasses: int[]
        PosteriorClasses: int[]
    }

/// [b, K] twice and [b, 10] twice.
type private ScaeOutlook =
    {
        Prior: Tensor
        Posterior: Tensor
        PriorLogits: Tensor
        PosteriorLogits: Tensor
    }

/// Representations of digits. Nothing is drawn for them, so that they cost less than readings.
[<RequireQualifiedAccess>]
module ScaeRepresentation =
    // As many as a reading infers at once: the noise of a digit follows from its place among them.
    [<Literal>]
    let private ImagesAtOnce = 50

    /// The representations of a reading.
    let ofReading (reading: ScaeReading) : ScaeRepresentation =
        {
            Labels = reading.Labels
            Prior = reading.Prior
            Posterior = reading.Posterior
            PriorClasses = reading.PriorClasses
            PosteriorClasses = reading.PosteriorClasses
        }

    let private infer (config: ScaeConfig) (model: Scae) (batch: ScaeBatch) : ScaeOutlook =
        let objects = (Scae.infer config model batch).Objects
        let ofPrior, ofPosterior = Scae.classify config model objects

        {
            Prior = objects.Prior
            Posterior = objects.Mass
            PriorLogits = ofPrior
            PosteriorLogits = ofPosterior
        }

    /// Represents any digits on canvases, with noise as the settings say: the numbers that a reading of them has.
    let ofScenes (settings: ScaeSettings) (model: Scae) : ScaeScenes -> ScaeRepresentation =
        let config = settings.Model
        let inference = Inference(ImagesAtOnce, Scae.allocate config, infer config model)

        fun scenes ->
            let n = CanvasDigits.count scenes.Canvases

            let found: ScaeRepresentation =
                {
                    Labels = scenes.Canvases.Labels |> Array.map int
                    Prior = Array.create n [||]
                    Posterior = Array.create n [||]
                    PriorClasses = Array.zeroCreate n
                    PosteriorClasses = Array.zeroCreate n
                }

            inference.Over(
                n,
                fun part ->
                    ScaeReading.load settings scenes part.First part.Batch
                    part.Run()

                    for i in 0 .. part.Batch.Images.shape[0] - 1 do
                        let row (x: Tensor) = ScaeReading.row x i
                        let digit = part.First + i
                        found.Prior[digit] <- row part.Output.Prior
                        found.Posterior[digit] <- row part.Output.Posterior
                        found.PriorClasses[digit] <- ScaeReading.largest (row part.Output.PriorLogits)
                        found.PosteriorClasses[digit] <- ScaeReading.largest (row part.Output.PosteriorLogits)
            )

            found
