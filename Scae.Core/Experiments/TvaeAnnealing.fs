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
        let noise = room.NoiseZ.reverseDiff (), room.NoiseU |> Option.map _.reverseDiff()

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
                AnnealedImportanceSampling.record unit (fst noise :: Option.toList (snd noise)) (fun () ->
                    let batch = { Frames = room.Frames; NoiseZ = fst noise; NoiseU = snd noise }

                    (TopographicObjective.weigh config model posteriors batch).LogWeight)
        }

    let private assign (into: Posterior) (from: Posterior) : unit =
        Rows.store into.Mean 0 from.Mean
        Rows.store into.LogVariance 0 from.LogVariance

    /// log p(x_1:S)/S, averaged over the first sequences of some scenes, with the given number of temperatures.
    let likelihood
        (config: TopographicVaeConfig)
        (model: TopographicVae)
        (temperatures: int)
        (count: int)
        (scenes: TvaeScenes)
        : float =
        let few = TvaeScenes.first count scenes
        let atOnce = TvaeReading.atOnce config
        let annealed = Memo.once (annealed config model)
        let key = few.Key.Named "annealing"
        let mutable stepSizes = ValueNone
        let mutable total = 0.0

        for first in 0..atOnce .. few.Chosen.Length - 1 do
            let part = annealed (min atOnce (few.Chosen.Length - first))
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
            total <- total + Array.sum (AnnealedImportanceSampling.run sizes key part.Weights)

        total / float (few.Chosen.Length * config.Frames)
