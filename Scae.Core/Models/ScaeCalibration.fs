namespace Scae.Core.Models

open Scae.Tensors
open Scae.Core.Layers

/// Initial weights scaled until what is inferred differs from image to image. With the weights that the released program
/// draws, the digit changes a capsule's logit by a thousandth, and two views of a digit share next to nothing. Here the same
/// weights are scaled, so that these differences count from the start (a data-dependent initialisation, as in Mishkin & Matas
/// 2016).
[<RequireQualifiedAccess>]
module ScaeCalibration =
    // A column or a layer whose deviation is less than this is taken for constant, and isn't scaled.
    [<Literal>]
    let private Least = 1e-6

    /// The factors that bring the columns of x [b, n] to deviation 1, and the columns' means; both [n].
    let private standard (x: Tensor) : float32[] * float32[] =
        let factor (deviation: float32) = if deviation < float32 Least then 1.0f else 1.0f / deviation
        x.std(0, unbiased = false).toArray<float32>() |> Array.map factor, x.mean(0).toArray<float32>()

    /// Filters scaled so that each layer's outputs have deviation 1 before the relu, and the factor by which the outputs of the
    /// last layer have grown.
    let private convolutions (images: Tensor) (layers: Convolution[]) : Convolution[] * float =
        let scale (x: Tensor, gain: float) (stride: int, layer: Convolution) =
            let deviation = (x.conv2d (layer.Filters, stride, 0, layer.Bias)).std().toScalar()
            let factor = if deviation < Least then 1.0 else 1.0 / deviation
            let scaled = { layer with Filters = layer.Filters * factor }
            scaled, (Convolution.rectified stride scaled x, gain * factor)

        let scaled, (_, gain) = ((images, 1.0), Array.zip PartEncoder.strides layers) ||> Array.mapFold scale
        scaled, gain

    /// A head whose features [b, M, F] have mean 0 and deviation 1. Its columns for poses and presence are divided by the gain, so
    /// that what the image contributes to these keeps its size; what a place contributes by itself shrinks. Those for attention
    /// aren't divided, so attention is sharper, as the channels are larger.
    let private head (config: ScaeConfig) (gain: float) (features: Tensor) (head: Linear) : Linear =
        let n, f = ScaeConfig.partOutputs config, config.Features
        let factors, means = standard (features.flatten 1)
        let weight, bias = head.Weight.clone (), head.Bias.clone ()
        let w = weight.Elements<float32>()
        let b = bias.Elements<float32>()
        let columns = weight.shape[1]

        for m in 0 .. config.Parts - 1 do
            for j in 0 .. n - 1 do
                let at, feature = m * n + j, j - 6
                let isFeature = 0 <= feature && feature < f

                let factor =
                    if isFeature then
                        factors[m * f + feature]
                    else
                        float32 (1.0 / gain)

                for row in 0 .. weight.shape[0] - 1 do
                    w[row * columns + at] <- w[row * columns + at] * factor

                if isFeature then
                    b[at] <- -means[m * f + feature] * factor

        { Weight = weight; Bias = bias }

    /// Capsules whose logits [b, K] have mean 0 and deviation 1.
    let private capsules (config: ScaeConfig) (logits: Tensor) (capsules: CapsuleLayer) : CapsuleLayer =
        let factors, means = standard logits
        let weight, bias = capsules.Output.Weight.clone (), capsules.PresenceBias.clone ()
        let w = weight.Elements<float32>()
        let b = bias.Elements<float32>()
        let hidden, outputs = weight.shape[1], weight.shape[2]
        let presence = CapsuleLayer.presenceAt (ScaeConfig.capsules config)

        for k in 0 .. config.Objects - 1 do
            b[k] <- -means[k] * factors[k]

            for row in k * hidden .. (k + 1) * hidden - 1 do
                w[row * outputs + presence] <- w[row * outputs + presence] * factors[k]

        { capsules with
            Output = { capsules.Output with Weight = weight }
            PresenceBias = bias
        }

    /// The model with its initial weights scaled on a batch without noise; all is float32. Raises ArgumentException for the
    /// released program's reshape, under which a column of the head doesn't belong to one part.
    let scaled (config: ScaeConfig) (model: Scae) (batch: ScaeBatch) : Scae =
        if config.Pooling <> PartPooling.Own then
            invalidArg (nameof config) "weights are scaled for parts that pool with maps of their own"

        let layers, gain = convolutions batch.Images model.Encoder.Convolutions
        let model = { model with Encoder = { model.Encoder with Convolutions = layers } }
        let parts = PartEncoder.forward config model.Encoder batch.PartNoise batch.Images
        let head = head config gain parts.Features model.Encoder.Head
        let model = { model with Encoder = { model.Encoder with Head = head } }
        let logits = (Scae.infer config model batch).Objects.Votes.Logits
        { model with Capsules = capsules config logits model.Capsules }
