namespace Scae.Core.Experiments

open System
open System.Numerics.Tensors
open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Models

/// Images that are measured, and the stream of the noise that starts their slots.
type NeuralEMScenes = { Shapes: Shapes; Noise: Key }

/// What training, evaluation and pictures of neural expectation maximization share.
type NeuralEMData =
    {
        Shapes: ShapesConfig
        /// The model as it is measured and drawn: it may run other iterations than in training.
        Measured: NeuralEMConfig
        /// The deviation of the noise on a learned start.
        StartNoise: float
        /// How often measured images are started; the start with the greatest expected log-likelihood is kept.
        Starts: int
        /// None where every step draws new images.
        Train: Shapes option
        TrainKey: Key
        Validation: NeuralEMScenes
        Test: NeuralEMScenes
        /// The first validation images, which the pictures show.
        Shown: NeuralEMScenes
    }

/// Noise that starts slots, and measures of grouping.
[<RequireQualifiedAccess>]
module NeuralEMData =
    // As many images run through the model together in an evaluation.
    [<Literal>]
    let private Chunk = 64

    /// Divides |N(0, 1)| in rows [b, slots, D] by its sum over slots. One slot has all, even where the normal is 0.
    let private normalize (slots: int) (pixels: int) (values: Span<float32>) =
        if slots = 1 then
            values.Fill 1.0f
        else
            TensorPrimitives.Abs(Span.op_Implicit values, values)

        let sum = Array.zeroCreate<float32> pixels

        for image in 0 .. values.Length / (slots * pixels) - 1 do
            Array.Clear sum

            for slot in image * slots .. image * slots + slots - 1 do
                let row = values.Slice(slot * pixels, pixels)
                TensorPrimitives.Add(ReadOnlySpan sum, Span.op_Implicit row, Span sum)

            for slot in image * slots .. image * slots + slots - 1 do
                let row = values.Slice(slot * pixels, pixels)
                TensorPrimitives.Divide(Span.op_Implicit row, ReadOnlySpan sum, row)

    // How far from its centre a slot of a spread start answers, in pixels: the deviation of a normal density.
    [<Literal>]
    let private SpreadWidth = 4.0

    // What a slot answers for at each squared distance on an image of the given width; what is added lets every slot see a
    // little of everything.
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

    /// Responsibilities [b, slots, D] around lit pixels of each image [b, D], which are drawn in proportion to the squared
    /// distance from the nearest that was drawn before.
    let private spread (slots: int) (pixels: int) (random: KeyStream) (images: Span<float32>) (values: Span<float32>) =
        let width = int (sqrt (float pixels))
        let near = nearness width
        let weights, nearest = Array.zeroCreate<float> pixels, Array.zeroCreate<float> pixels

        for first in 0..pixels .. images.Length - 1 do
            let image = images.Slice(first, pixels)
            Array.Fill(nearest, infinity)

            for i in 0 .. pixels - 1 do
                weights[i] <- float image[i]

            for slot in 0 .. slots - 1 do
                let centre = draw random weights
                let row = values.Slice(slots * first + slot * pixels, pixels)

                for i in 0 .. pixels - 1 do
                    let dx, dy = i % width - centre % width, i / width - centre / width
                    let distance = dx * dx + dy * dy
                    nearest[i] <- min nearest[i] (float distance)
                    weights[i] <- float image[i] * nearest[i]
                    row[i] <- near[distance]

    /// Fills the noise of a batch: normal deviations of a learned start, random responsibilities |N(0, 1)|, or those
    /// around lit pixels of the target, both normalised over slots.
    let fillNoise (config: NeuralEMConfig) (deviation: float) (key: Key) (batch: NeuralEMBatch) : unit =
        let values = batch.Noise.Elements<float32>()

        match config.SymmetryBreaking with
        | SymmetryBreaking.Learned -> key.FillNormal(values, 0.0f, float32 deviation)
        | SymmetryBreaking.Random ->
            key.FillNormal values
            normalize (NeuralEM.slots config) config.Pixels values
        | SymmetryBreaking.Spread ->
            let slots, pixels = NeuralEM.slots config, config.Pixels
            spread slots pixels (key.Stream()) (batch.Target.Elements<float32>()) values
            normalize slots pixels values

    /// The batch of some images without flips, started from one key.
    let private started (data: NeuralEMData) (images: Tensor) (noise: Key) : NeuralEMBatch =
        let batch = NeuralEM.allocate (NeuralEM.undisturbed data.Measured) images.shape[0]
        images.CopyTo(batch.Target.Elements<float32>())
        images.CopyTo(batch.Input.Elements<float32>())
        fillNoise data.Measured data.StartNoise noise batch
        batch

    /// The T iterations on some images, from the first start of each and from that which ends with the greatest expected
    /// log-likelihood.
    let private iterate (data: NeuralEMData) (noise: Key) (images: Tensor) (model: NeuralEM) =
        let unrolled noise =
            let batch = started data images noise
            batch, NeuralEM.unroll data.Measured model batch

        let quality (iterations: EMIteration list) : float32[] =
            (NeuralEM.expectedLogLikelihood data.Measured images (List.last iterations)).toArray<float32>()

        let kept, first = unrolled noise

        if data.Starts = 1 then
            first, first
        else
            let best = quality first
            let size = kept.Noise.nelement / best.Length

            for start in 1 .. data.Starts - 1 do
                let batch, iterations = unrolled ((noise.Named "again").Fold(int64 start))

                quality iterations
                |> Array.iteri (fun image q ->
                    if q > best[image] then
                        best[image] <- q
                        let source = batch.Noise.Elements<float32>().Slice(image * size, size)
                        source.CopyTo(kept.Noise.Elements<float32>().Slice(image * size, size)))

            first, NeuralEM.unroll data.Measured model kept

    /// The T iterations on the pictures' images.
    let iterations (data: NeuralEMData) (scenes: NeuralEMScenes) (model: NeuralEM) : EMIteration list =
        iterate data (scenes.Noise.Fold 0L) scenes.Shapes.Images model |> snd

    /// Truth and prediction of the foreground pixels of one image, with or without those of several shapes.
    let foreground (shapes: Shapes) (predicted: int[]) (overlap: bool) (image: int) : int[] * int[] =
        let pixels = shapes.Images.shape[1]

        let chosen =
            [|
                for at in image * pixels .. (image + 1) * pixels - 1 do
                    if shapes.Labels[at] > 0 && (overlap || not shapes.Overlap[at]) then
                        at
            |]

        chosen |> Array.map (fun at -> shapes.Labels[at]), chosen |> Array.map (fun at -> predicted[at])

    /// Agreement of slots and shapes over the foreground pixels of each image, averaged over images.
    let agreement (shapes: Shapes) (predicted: int[]) : Metrics =
        let images = shapes.Images.shape[0]

        let mean overlap (measure: int[] -> int[] -> float) =
            Array.init images (fun image -> foreground shapes predicted overlap image ||> measure)
            |> Array.average

        [
            "nmi", mean true (Clustering.normalizedMutualInformation Normalizer.Arithmetic)
            "ami", mean true (Clustering.adjustedMutualInformation Normalizer.Arithmetic)
            "ari", mean true Clustering.adjustedRandIndex
            "nmi_distinct", mean false (Clustering.normalizedMutualInformation Normalizer.Arithmetic)
            "ami_distinct", mean false (Clustering.adjustedMutualInformation Normalizer.Arithmetic)
            "ami_max_distinct", mean false (Clustering.adjustedMutualInformation Normalizer.Max)
            "ari_distinct", mean false Clustering.adjustedRandIndex
        ]

    /// loss (of the last iteration), then NMI, AMI and ARI over all foreground pixels, then _distinct without the pixels
    /// that several shapes cover; ami_max has the greater entropy as its bound, the others the mean. With several starts
    /// ami_distinct_first is what the first alone gives.
    let measure (data: NeuralEMData) (scenes: NeuralEMScenes) (model: NeuralEM) : Metrics =
        let images = scenes.Shapes.Images
        let count = images.shape[0]

        let chunks =
            [
                for first in 0..Chunk .. count - 1 do
                    let part = images.slice (0, first, min count (first + Chunk))
                    let single, kept = iterate data (scenes.Noise.Fold(int64 (first / Chunk))) part model
                    let assigned iterations = NeuralEM.assign (List.last iterations: EMIteration).Responsibilities
                    let loss = (NeuralEM.iterationLoss data.Measured part (List.last kept)).toScalar()
                    float part.shape[0] * loss, assigned single, assigned kept
            ]

        let agreement choose = chunks |> List.map choose |> Array.concat |> agreement scenes.Shapes
        let ofKept = agreement (fun (_, _, kept) -> kept)

        [
            "loss", (chunks |> List.sumBy (fun (loss, _, _) -> loss)) / float count
            yield! ofKept

            if data.Starts > 1 then
                let ofFirst = agreement (fun (_, single, _) -> single)
                "ami_distinct_first", ofFirst |> List.find (fun (name, _) -> name = "ami_distinct") |> snd
        ]
