namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Layers
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// What is inferred from some scenes, as tensors of float32.
type private CcaeFindings = { Owners: Tensor; Presence: Tensor; LogLikelihood: Tensor; Votes: DrawnVotes }

/// Inference by the constellation capsule autoencoder.
[<RequireQualifiedAccess>]
module CcaeReading =
    [<Literal>]
    let private ScenesAtOnce = 200

    let private infer (config: CcaeConfig) (model: Ccae) (batch: CcaeBatch) : CcaeFindings =
        let explanation = Ccae.vote config model batch |> Ccae.explain batch.Points
        let votes = explanation.Votes

        {
            Owners = (Ccae.winner explanation).cast Dtype.Float32
            Presence = votes.Presence
            LogLikelihood = (batch.Presence * explanation.LogLikelihood).sum 1
            Votes =
                {
                    Places = Pose.origin votes.Poses
                    Scales = votes.Scales
                    Presence = votes.VotePresence
                }
        }

    /// Reads any scenes, with noise U(−reach, reach) on the logits.
    let ofScenes (config: CcaeConfig) (reach: float) (model: Ccae) : CcaeTestScenes -> CcaeReading =
        let inference =
            Memo.once (fun points -> Inference(ScenesAtOnce, Ccae.allocate config points, infer config model))

        fun measured ->
            let scenes = measured.Scenes

            let found =
                (inference scenes.Points.shape[1])
                    .Gather(
                        scenes.Points.shape[0],
                        fun part ->
                            Rows.load scenes.Points part.First part.Batch.Points
                            Rows.load scenes.Presence part.First part.Batch.Presence
                            Ccae.fillNoise reach (measured.Noise.Fold(int64 part.First)) part.Batch
                    )

            {
                Scenes = scenes
                Owners = found.Owners.toArray<float32>() |> Array.map int
                Presence = Rows.numbers found.Presence
                LogLikelihood = Rows.numbers found.LogLikelihood
                Votes = found.Votes
            }
