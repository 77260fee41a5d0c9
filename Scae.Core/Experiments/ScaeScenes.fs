namespace Scae.Core.Experiments

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
        /// For each of them those that stand for it in views.
        Neighbours: Lazy<int[][]>
        /// Training digits that are never trained with.
        Validation: ScaeScenes
        Test: ScaeScenes
        /// Digits that are trained with, for clusters and fitted probes.
        Probe: Lazy<ScaeScenes>
        /// Affine views of test digits; those of affNIST, which not every training shows.
        Viewpoints: Lazy<ScaeScenes>
        /// The randomness of clusters and of the places of t-SNE.
        Clusters: Key
    }

/// Digits on canvases.
[<RequireQualifiedAccess>]
module ScaeScenes =
    /// Writes images from number `first` on into a batch, with the noise with which they are measured.
    let load (settings: ScaeSettings) (scenes: ScaeScenes) (first: int) (batch: ScaeBatch) : unit =
        CanvasDigits.load scenes.Canvases first batch.Images

        if settings.EvaluationNoise then
            Scae.fillNoise settings.Noise (scenes.Noise.Fold(int64 first)) batch
