namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// What object capsules say of digits, which is all that probes and clusters see.
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

/// The tensors from which a representation is made: [n, K] twice and [n, 10] twice.
type internal ScaeOutlook =
    {
        Prior: Tensor
        Posterior: Tensor
        PriorLogits: Tensor
        PosteriorLogits: Tensor
    }

/// Representations of digits. Nothing is drawn for them, so that they cost less than readings.
[<RequireQualifiedAccess>]
module ScaeRepresentation =
    // How many images are inferred at once. Readings must use the same number, since a digit's noise follows from its place among
    // them. With 41 components of 40 × 40 pixels they take 13 MB.
    [<Literal>]
    let internal ImagesAtOnce = 50

    let internal look (config: ScaeConfig) (model: Scae) (objects: Objects) : ScaeOutlook =
        let ofPrior, ofPosterior = Scae.classify config model objects

        {
            Prior = objects.Prior
            Posterior = objects.Mass
            PriorLogits = ofPrior
            PosteriorLogits = ofPosterior
        }

    let internal ofOutlook (scenes: ScaeScenes) (found: ScaeOutlook) : ScaeRepresentation =
        let rows (x: Tensor) = Array.init x.shape[0] (fun i -> Rows.values i x |> Array.map float)
        let classes (logits: Tensor) = (logits.argmax 1).toArray<int>()

        {
            Labels = scenes.Canvases.Labels |> Array.map int
            Prior = rows found.Prior
            Posterior = rows found.Posterior
            PriorClasses = classes found.PriorLogits
            PosteriorClasses = classes found.PosteriorLogits
        }

    /// Represents any digits on canvases, with noise as the settings say. The numbers are those that a reading of them has.
    let ofScenes (settings: ScaeSettings) (model: Scae) : ScaeScenes -> ScaeRepresentation =
        let config = settings.Model
        let infer batch = (Scae.infer config model batch).Objects |> look config model
        let inference = Inference(ImagesAtOnce, Scae.allocate config, infer)

        fun scenes ->
            inference.Gather(
                CanvasDigits.count scenes.Canvases,
                fun part -> ScaeScenes.load settings scenes part.First part.Batch
            )
            |> ofOutlook scenes
