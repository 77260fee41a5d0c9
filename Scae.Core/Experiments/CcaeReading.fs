namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Layers
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// What a model of K capsules with V votes says of scenes of n points each.
type CcaeReading =
    {
        Scenes: PatternScenes
        Capsules: int
        /// The capsule that explains each slot best, [scenes · n].
        Owners: int[]
        /// How probable it is that each capsule is there, [scenes · K].
        Presence: float[]
        /// ln p of each scene's present points, nats.
        LogLikelihood: float[]
        /// Where votes lie, [scenes, K, V, 2], their deviations and their presence, [scenes, K, V].
        Votes: Tensor
        Scales: Tensor
        VotePresence: Tensor
    }

/// What is inferred from some scenes.
type private CcaeFindings =
    {
        Owners: Tensor
        Presence: Tensor
        LogLikelihood: Tensor
        Votes: Tensor
        Scales: Tensor
        VotePresence: Tensor
    }

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
            Votes = Pose.origin votes.Poses
            Scales = votes.Scales
            VotePresence = votes.VotePresence
        }

    /// Reads any scenes, with noise U(−reach, reach) on the logits.
    let ofScenes (config: CcaeConfig) (reach: float) (model: Ccae) : CcaeTestScenes -> CcaeReading =
        let known = System.Collections.Generic.Dictionary<int, Inference<CcaeBatch, CcaeFindings>>()
        let k, v = config.Objects, config.Votes

        let inference (points: int) =
            match known.TryGetValue points with
            | true, inference -> inference
            | _ ->
                let fresh = Inference(ScenesAtOnce, Ccae.allocate config points, infer config model)
                known[points] <- fresh
                fresh

        fun measured ->
            let scenes = measured.Scenes
            let count, n = scenes.Points.shape[0], scenes.Points.shape[1]
            let room (sizes: int list) = Tensor.zeros (Array.ofList (count :: sizes))

            let found =
                {
                    Owners = room [ n ]
                    Presence = room [ k ]
                    LogLikelihood = room []
                    Votes = room [ k; v; 2 ]
                    Scales = room [ k; v ]
                    VotePresence = room [ k; v ]
                }

            (inference n)
                .Over(
                    count,
                    fun part ->
                        Rows.load scenes.Points part.First part.Batch.Points
                        Rows.load scenes.Presence part.First part.Batch.Presence
                        Ccae.fillNoise reach (measured.Noise.Fold(int64 part.First)) part.Batch
                        part.Run()
                        Rows.store found.Owners part.First part.Output.Owners
                        Rows.store found.Presence part.First part.Output.Presence
                        Rows.store found.LogLikelihood part.First part.Output.LogLikelihood
                        Rows.store found.Votes part.First part.Output.Votes
                        Rows.store found.Scales part.First part.Output.Scales
                        Rows.store found.VotePresence part.First part.Output.VotePresence
                )

            let numbers (x: Tensor) = x.toArray<float32>() |> Array.map float

            {
                Scenes = scenes
                Capsules = k
                Owners = found.Owners.toArray<float32>() |> Array.map int
                Presence = numbers found.Presence
                LogLikelihood = numbers found.LogLikelihood
                Votes = found.Votes
                Scales = found.Scales
                VotePresence = found.VotePresence
            }
