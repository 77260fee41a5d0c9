namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Layers
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Training

/// Some frames with what is inferred of them, and the noise that makes latents of it.
type private TvaeAnnealed = { Frames: Tensor; Posteriors: Posteriors; Weights: AnnealedWeights }

/// Likelihoods of topographic autoencoders by annealed importance sampling.
[<RequireQualifiedAccess>]
module TvaeAnnealing =
    let private posterior (config: TopographicVaeConfig) (rows: int) : Posterior =
        let room () = Tensor.zeros [| rows; TopographicVae.latents config |]

        { Mean = room (); LogVariance = room () }

    let private annealed (config: TopographicVaeConfig) (model: TopographicVae) (sequences: int) : TvaeAnnealed =
        let room = TopographicVae.allocate config sequences
        let rows = room.Frames.shape[0]
        let noiseZ = room.NoiseZ.reverseDiff ()
        let noiseU = room.NoiseU |> Option.map _.reverseDiff()

        let posteriors =
            {
                Z = posterior config rows
                U = room.NoiseU |> Option.map (fun _ -> posterior config rows)
            }

        // Frames that don't depend on each other are annealed by themselves.
        let unit =
            if TopographicVae.framesAreIndependent config then
                1
            else
                config.Frames

        {
            Frames = room.Frames
            Posteriors = posteriors
            Weights =
                AnnealedImportanceSampling.record unit (noiseZ :: Option.toList noiseU) (fun () ->
                    let batch = { Frames = room.Frames; NoiseZ = noiseZ; NoiseU = noiseU }

                    (TopographicObjective.weigh config model posteriors batch).LogWeight)
        }

    let private assign (into: Posterior) (from: Posterior) : unit =
        Rows.store into.Mean 0 from.Mean
        Rows.store into.LogVariance 0 from.LogVariance

    /// A lower bound (in expectation) of log p(x_1:S)/S of each of the first sequences of some scenes, nats a frame, with the
    /// given number of temperatures. Raises ArgumentException without temperatures.
    let estimates
        (config: TopographicVaeConfig)
        (model: TopographicVae)
        (temperatures: int)
        (count: int)
        (scenes: TvaeScenes)
        : float[] =
        let few = TvaeScenes.first count scenes
        let atOnce = TvaeReading.atOnce config
        let recorded = Memo.once (annealed config (Parameters.frozen model))
        let key = few.Key.Named "annealing"
        let mutable stepSizes = ValueNone

        [|
            for first in 0..atOnce .. few.Chosen.Length - 1 do
                let part = recorded (min atOnce (few.Chosen.Length - first))
                TvaeScenes.load few config.Frames first part.Frames
                let found = TopographicVae.encode config model part.Frames
                assign part.Posteriors.Z found.Z
                Option.map2 assign part.Posteriors.U found.U |> ignore
                let key = key.Fold(int64 first)

                let sizes =
                    stepSizes
                    |> ValueOption.defaultWith (fun () ->
                        AnnealedImportanceSampling.stepSizes temperatures (key.Named "pilot") part.Weights)

                stepSizes <- ValueSome sizes
                let units = AnnealedImportanceSampling.run sizes key part.Weights

                for sequence in Array.chunkBySize (units.Length * config.Frames / part.Frames.shape[0]) units ->
                    Array.sum sequence / float config.Frames
        |]
