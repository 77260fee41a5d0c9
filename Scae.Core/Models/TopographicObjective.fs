namespace Scae.Core.Models

open Scae.Tensors

/// The terms of −ELBO, each summed over pixels or latents and averaged over the frames of a batch; scalars.
type TopographicLoss =
    {
        Total: Tensor
        /// −log p(x | T): cross-entropy with grey values as they are, not made binary.
        Reconstruction: Tensor
        /// KL(q(z | x) ‖ N(0, 1)).
        KlZ: Tensor
        /// KL(q(u | x) ‖ N(0, 1)); None for a plain autoencoder.
        KlU: Tensor option
    }

/// A draw with the likelihood and the importance weight of each frame, both [n].
type WeightedDraw =
    {
        Draw: TopographicDraw
        /// ln p(x | T).
        LogLikelihood: Tensor
        /// ln w = ln p(x | T) + ln p(z) − ln q(z | x) + ln p(u) − ln q(u | x); a plain autoencoder has no terms of u.
        LogWeight: Tensor
    }

/// Loss and importance weights of topographic autoencoders (Keller & Welling 2021, eq. 9), in nats a frame.
[<RequireQualifiedAccess>]
module TopographicObjective =
    /// log p(x | T) of each frame, [n], from frames x and logits [n, C·P].
    let private logLikelihood (x: Tensor) (logits: Tensor) : Tensor = (x.bernoulliLogLikelihood logits).sum 1

    // m² + e^ℓ − 1 − ℓ of each latent.
    let private divergences (posterior: Posterior) : Tensor =
        let { Mean = m; LogVariance = l } = posterior
        m * m + l.exp () - l - 1.0

    /// KL(N(m, e^ℓ) ‖ N(0, 1)) = ½ Σ (m² + e^ℓ − 1 − ℓ), over all elements.
    let private divergence (posterior: Posterior) : Tensor = 0.5 * (divergences posterior).sum()

    /// The KL divergence of each frame, [n].
    let divergenceOfFrames (posterior: Posterior) : Tensor = 0.5 * (divergences posterior).sum(1)

    /// The loss of a batch.
    let loss (config: TopographicVaeConfig) (model: TopographicVae) (batch: TopographicVaeBatch) : TopographicLoss =
        let posteriors = TopographicVae.encode config model batch.Frames
        let draw = TopographicVae.draw config model posteriors batch.NoiseZ batch.NoiseU
        let aFrame = 1.0 / float batch.Frames.shape[0]
        let reconstruction = (batch.Frames.bernoulliLogLikelihood draw.Logits).sum() * -aFrame
        let klZ = divergence posteriors.Z * aFrame
        let klU = posteriors.U |> Option.map (fun u -> divergence u * aFrame)

        {
            Total = Option.fold (+) (reconstruction + klZ) klU
            Reconstruction = reconstruction
            KlZ = klZ
            KlU = klU
        }

    // log p(z) − log q(z | x) = ½ Σ (ε² + ℓ − z²), as z = m + e^(ℓ/2)·ε.
    let private ratio (posterior: Posterior) (noise: Tensor) (z: Tensor) : Tensor =
        0.5 * (noise * noise + posterior.LogVariance - z * z).sum(1)

    /// Draws from the posteriors of a batch's frames with its noise, and computes ln p(x | T) and ln w.
    let weigh
        (config: TopographicVaeConfig)
        (model: TopographicVae)
        (posteriors: Posteriors)
        (batch: TopographicVaeBatch)
        : WeightedDraw =
        let draw = TopographicVae.draw config model posteriors batch.NoiseZ batch.NoiseU
        let likelihood = logLikelihood batch.Frames draw.Logits
        let ofZ = ratio posteriors.Z batch.NoiseZ draw.Z

        let ofU =
            match posteriors.U, batch.NoiseU, draw.U with
            | Some posterior, Some noise, Some u -> [ ratio posterior noise u ]
            | _ -> []

        {
            Draw = draw
            LogLikelihood = likelihood
            LogWeight = List.fold (+) (likelihood + ofZ) ofU
        }
