namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Figures
open Scae.Core.Training

/// What pictures show of a model at a moment.
type ScaePictures =
    {
        /// [n, canvas, canvas].
        Images: Tensor
        /// The mixture's mean, [n, canvas, canvas].
        Drawn: Tensor
        /// The mean with every part in the colour of the object capsule that explains it best, [n, 3, canvas, canvas].
        Coloured: Tensor
        /// The templates' pixel values before they are multiplied by parts' colours, [M, side, side].
        Templates: Tensor
        /// The mixing weight of each pixel of a present part's template against the background alone, [M, side, side]; None
        /// unless templates have mixing logits of their own.
        Weights: Tensor option
    }

/// What each component adds to the mean, [b, M + 1, canvas, canvas], and which capsule explains each part best, [b, M], with K
/// for the dummy.
type private ScaeDrawing = { Shares: Tensor; Owners: Tensor }

/// Pictures of digits as the stacked capsule autoencoder sees them.
[<RequireQualifiedAccess>]
module ScaePictures =
    // How many images are drawn at once. It is few, since each takes M + 1 whole canvases.
    [<Literal>]
    let private ImagesAtOnce = 8

    let private infer (config: ScaeConfig) (model: Scae) (batch: ScaeBatch) : ScaeDrawing =
        let inference = Scae.infer config model batch
        let drawing = PartDecoder.draw config model.Decoder inference.Parts

        {
            Shares = drawing.Mixing.exp () * drawing.Values
            Owners = (inference.Objects.Joint.argmax 1).cast Dtype.Float32
        }

    /// The colour of the parts that object capsule k explains; k = K stands for parts that no capsule explains.
    let colour (config: ScaeConfig) (k: int) : Colour = if k = config.Objects then Colour.grey else Palette.many k

    /// Adds up what components add to an image, each in its colour.
    let private mix (shares: ReadOnlySpan<float32>) (colours: Colour[]) (into: Span<float32>) : unit =
        let pixels = into.Length / 3
        into.Clear()

        for m in 0 .. colours.Length - 1 do
            let own = colours[m]
            let channels = [| float32 own.R / 255.0f; float32 own.G / 255.0f; float32 own.B / 255.0f |]

            for channel in 0..2 do
                for p in 0 .. pixels - 1 do
                    into[channel * pixels + p] <-
                        into[channel * pixels + p] + channels[channel] * shares[m * pixels + p]

    let private sum (shares: ReadOnlySpan<float32>) (into: Span<float32>) : unit =
        into.Clear()

        for i in 0 .. shares.Length - 1 do
            into[i % into.Length] <- into[i % into.Length] + shares[i]

    let private templates (config: ScaeConfig) (model: Scae) : Tensor =
        (PartDecoder.values config model.Decoder).clone()

    let private weights (model: Scae) : Tensor option =
        match model.Decoder.Alpha, model.Decoder.BackgroundLogit with
        | Some alpha, Some background -> Some((alpha - background.softplus().view(1, 1, 1)).sigmoid())
        | _ -> None

    /// Pictures of the first digits, at most `most` of them.
    let ofScenes (settings: ScaeSettings) (model: Scae) (most: int) : ScaeScenes -> ScaePictures =
        let config = settings.Model
        let inference = Inference(ImagesAtOnce, Scae.allocate config, infer config model)
        let parts, size = config.Parts, config.Canvas * config.Canvas

        fun scenes ->
            let n = min most (CanvasDigits.count scenes.Canvases)
            let room (channels: int) = Array.zeroCreate<float32>(n * channels * size)
            let images, drawn, coloured = room 1, room 1, room 3

            inference.Over(
                n,
                fun part ->
                    ScaeScenes.load settings scenes part.First part.Batch
                    part.Run()
                    let batch = part.Batch.Images.Elements<float32>()
                    batch.CopyTo(Span(images, part.First * size, batch.Length))
                    let owners = part.Output.Owners.Elements<float32>()

                    for i in 0 .. part.Batch.Images.shape[0] - 1 do
                        let shares = Rows.span i part.Output.Shares
                        let colours = Array.create (parts + 1) Colour.white

                        for m in 0 .. parts - 1 do
                            colours[m] <- colour config (int owners[i * parts + m])

                        sum shares (Span(drawn, (part.First + i) * size, size))
                        mix shares colours (Span(coloured, (part.First + i) * 3 * size, 3 * size))
            )

            let tensor (values: float32[]) (shape: int list) =
                Tensor.``of`` (values, Array.ofList (n :: shape @ [ config.Canvas; config.Canvas ]))

            {
                Images = tensor images []
                Drawn = tensor drawn []
                Coloured = tensor coloured [ 3 ]
                Templates = templates config model
                Weights = weights model
            }

    /// A grid of pictures [n, side, side] or [n, 3, side, side].
    let tiles (columns: int) (pictures: Tensor) (title: string) : Panel =
        let shape = pictures.shape

        let rows = Array.init shape[0] (fun i -> Rows.values i pictures)
        Tiles.panel (if shape.Length = 4 then 3 else 1) shape[shape.Length - 1] columns rows title
