namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// Digits on canvases for measuring, and the key of the noise with which they are measured.
type ScaeScenes = { Canvases: CanvasDigits; Noise: Key }

/// What training, evaluation and pictures of the stacked capsule autoencoder share.
type ScaeData =
    {
        /// The digits that are trained with; each step puts them at new places.
        Train: Digits
        Order: Passes
        /// For each training digit, the digits that may stand for it in its second view.
        Neighbours: Lazy<int[][]>
        /// Digits of the training set that are held out.
        Validation: ScaeScenes
        Test: ScaeScenes
        /// Digits that are trained with, for clusters and fitted probes.
        Probe: Lazy<ScaeScenes>
        /// Affine views of test digits, in affNIST's ranges, which training needn't have shown.
        Viewpoints: Lazy<ScaeScenes>
        /// The randomness of clusters and of the places of t-SNE.
        Clusters: Key
    }

/// Digits on canvases.
[<RequireQualifiedAccess>]
module ScaeScenes =
    /// Writes images from number `first` on into a batch, and the noise of measuring if the settings have it.
    let load (settings: ScaeSettings) (scenes: ScaeScenes) (first: int) (batch: ScaeBatch) : unit =
        CanvasDigits.load scenes.Canvases first batch.Images

        if settings.EvaluationNoise then
            Scae.fillNoise settings.Noise (scenes.Noise.Fold(int64 first)) batch
