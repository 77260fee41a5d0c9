namespace Scae.Core.Models

open System
open System.Numerics.Tensors
open Scae.Tensors

/// Arrays for spread starts: see NeuralEMStarts.
type private SpreadRoom =
    {
        /// How much a slot answers for a pixel, by the squared distance from the slot's centre.
        Near: float32[]
        /// How likely each pixel is to be the next centre, not normalised.
        Weights: float[]
        /// Each pixel's squared distance from the nearest centre so far.
        Nearest: float[]
    }

/// The noise from which the slots of an image start.
[<RequireQualifiedAccess>]
module NeuralEMStarts =
    /// Takes the absolute values of [b, slots, D] and divides them by their sum over slots; `sum` is an array for that. A single
    /// slot gets 1, even where its value is 0.
    let private normalize (slots: int) (sum: float32[]) (values: Span<float32>) =
        let pixels = sum.Length

        if slots = 1 then
            values.Fill 1.0f
        else
            TensorPrimitives.Abs(Span.op_Implicit values, values)

        for image in 0 .. values.Length / (slots * pixels) - 1 do
            Array.Clear sum

            for slot in image * slots .. image * slots + slots - 1 do
                let row = values.Slice(slot * pixels, pixels)
                TensorPrimitives.Add(ReadOnlySpan sum, Span.op_Implicit row, Span sum)

            for slot in image * slots .. image * slots + slots - 1 do
                let row = values.Slice(slot * pixels, pixels)
                TensorPrimitives.Divide(Span.op_Implicit row, ReadOnlySpan sum, row)

    // In a spread start a slot answers for pixels like a normal density around its centre, of this deviation in pixels.
    [<Literal>]
    let private SpreadWidth = 4.0

    // How much a slot answers for a pixel, by squared distance, on an image of the given width. The small number that is added
    // lets every slot see a little of everything.
    let private nearness (width: int) : float32[] =
        Array.init (2 * width * width) (fun distance ->
            float32 (exp (-(float distance) / (2.0 * SpreadWidth * SpreadWidth)) + 1e-3))

    /// The index of a weight, drawn in proportion to the weights; any index where all are 0.
    let private draw (random: KeyStream) (weights: float[]) : int =
        let total = Array.sum weights

        if total <= 0.0 then
            random.NextInt weights.Length
        else
            let mutable left = random.NextDouble() * total
            let mutable at = 0

            while at < weights.Length - 1 && left >= weights[at] do
                left <- left - weights[at]
                at <- at + 1

            at

    /// Responsibilities [b, slots, D] around lit pixels of each image, not yet normalised. Pixels are drawn in proportion to
    /// their brightness times the squared distance from the nearest one drawn before. Images begin `stride` elements apart.
    let private spread (slots: int) (room: SpreadRoom) random stride (images: Span<float32>) (values: Span<float32>) =
        let { Near = near; Weights = weights; Nearest = nearest } = room
        let pixels = weights.Length
        let width = int (sqrt (float pixels))

        for number in 0 .. images.Length / stride - 1 do
            let image = images.Slice(number * stride, pixels)
            Array.Fill(nearest, infinity)

            for i in 0 .. pixels - 1 do
                weights[i] <- float image[i]

            for slot in 0 .. slots - 1 do
                let centre = draw random weights
                let row = values.Slice((slots * number + slot) * pixels, pixels)

                for i in 0 .. pixels - 1 do
                    let dx, dy = i % width - centre % width, i / width - centre / width
                    let distance = dx * dx + dy * dy
                    nearest[i] <- min nearest[i] (float distance)
                    weights[i] <- float image[i] * nearest[i]
                    row[i] <- near[distance]

    let private roomFor (pixels: int) : SpreadRoom =
        {
            Near = nearness (int (sqrt (float pixels)))
            Weights = Array.zeroCreate pixels
            Nearest = Array.zeroCreate pixels
        }

    /// Makes a function that fills the noise of a start. For a learned start this is normal with deviation StartNoise,
    /// [b, K, H]. Otherwise it is responsibilities [b, slots, D], normalised over slots: random ones, |N(0, 1)|, or those around
    /// lit pixels of images [b, D] or of the first frames of sequences [b, F, D]. The function keeps its arrays, so that it
    /// allocates nothing; its calls must not overlap.
    let fillFrom (config: NeuralEMConfig) : Key -> Tensor -> Tensor -> unit =
        let slots, sum = NeuralEM.slots config, Array.zeroCreate<float32> config.Pixels
        let room = lazy (roomFor config.Pixels)

        fun key images noise ->
            let values = noise.Elements<float32>()

            match config.SymmetryBreaking with
            | SymmetryBreaking.Learned -> key.FillNormal(values, 0.0f, float32 config.StartNoise)
            | SymmetryBreaking.Random ->
                key.FillNormal values
                normalize slots sum values
            | SymmetryBreaking.Spread ->
                let stride = images.nelement / images.shape[0]
                spread slots room.Value (key.Stream()) stride (images.Elements<float32>()) values
                normalize slots sum values

    // How much a slot that starts again counts at its new centre, where all others together count at most 1.
    [<Literal>]
    let private SwapWeight = 3.0f

    /// The start of a random swap (Fränti 2018, "Efficiency of random swap clustering") for images [b, D]: the responsibilities
    /// [b, slots, D] that were found, except that one slot starts again around a lit pixel; normalised over slots. That slot is
    /// drawn in proportion to 1/(1 + Σ γ·x), so one that answers for little is likelier. The pixel is drawn in proportion to
    /// its brightness times `unexplained` [b, D], how badly it was explained.
    let swap (config: NeuralEMConfig) : Key -> Tensor -> float32[] -> float32[] -> Tensor -> unit =
        let slots, pixels, sum = NeuralEM.slots config, config.Pixels, Array.zeroCreate<float32> config.Pixels
        let width = int (sqrt (float pixels))
        let room = lazy (roomFor pixels)
        let mass = Array.zeroCreate<float> config.Slots

        fun key images gamma unexplained noise ->
            let random = key.Stream()
            let values = noise.Elements<float32>()
            let images = images.Elements<float32>()
            let { Near = near; Weights = weights } = room.Value
            gamma.CopyTo values

            for number in 0 .. images.Length / pixels - 1 do
                let image = images.Slice(number * pixels, pixels)

                for slot in 0 .. config.Slots - 1 do
                    let row = values.Slice((slots * number + slot) * pixels, pixels)

                    mass[slot] <-
                        1.0 / (1.0 + float (TensorPrimitives.Dot(Span.op_Implicit row, Span.op_Implicit image)))

                let row = values.Slice((slots * number + draw random mass) * pixels, pixels)

                for i in 0 .. pixels - 1 do
                    weights[i] <- float image[i] * float unexplained[number * pixels + i]

                let centre = draw random weights

                for i in 0 .. pixels - 1 do
                    let dx, dy = i % width - centre % width, i / width - centre / width
                    row[i] <- SwapWeight * near[dx * dx + dy * dy]

            normalize slots sum values

    /// `fillFrom` for a batch; spread starts look at its target.
    let fill (config: NeuralEMConfig) : Key -> NeuralEMBatch -> unit =
        let fill = fillFrom config
        fun key batch -> fill key batch.Target batch.Noise
