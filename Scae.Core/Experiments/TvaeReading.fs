namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Layers
open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Training

/// What a model infers from sequences.
type TvaeReading =
    {
        Scenes: TvaeScenes
        /// −ln p(x | T), nats, of each frame.
        Reconstruction: float[]
        /// KL(q(z | x) ‖ p(z)) of each frame, nats.
        KlZ: float[]
        /// The same of u; empty without u.
        KlU: float[]
        /// ln w of each draw r and frame, [r][b·S + t].
        Weights: float[][]
        /// E_eq of each sequence.
        Equivariance: float[]
        /// How far capsules rolled, for each sequence in which a moving factor passes 0.
        Offsets: CapsuleOffset[]
        /// T [n][s] of single images; empty for sequences.
        Units: float32[][]
    }

/// What is inferred from some frames: [b·S] each, except ln w of r draws [r, b·S], and T of the first draw [b·S, s].
type private TvaeFindings =
    {
        Reconstruction: Tensor
        KlZ: Tensor
        KlU: Tensor option
        Weights: Tensor
        Topographic: Tensor
    }

/// Inference by topographic autoencoders.
[<RequireQualifiedAccess>]
module TvaeReading =
    // Sequences are as many as in a training step.
    [<Literal>]
    let private SequencesAtOnce = 8

    [<Literal>]
    let private ImagesAtOnce = 100

    // How many draws are made at once. Of further draws nothing is kept but their weights, eight bytes a frame.
    [<Literal>]
    let private DrawsAtOnce = 10

    let private drawsAtOnce (settings: TvaeSettings) = min settings.Draws DrawsAtOnce

    /// How many sequences, or single images, are read at once.
    let atOnce (config: TopographicVaeConfig) : int = if config.Frames = 1 then ImagesAtOnce else SequencesAtOnce

    // Frames with the noise of several draws, one after the other, [r·b·S, s].
    let private allocate (settings: TvaeSettings) (sequences: int) : TopographicVaeBatch =
        let config = settings.Model
        let room = TopographicVae.allocate config sequences

        let noise () =
            Tensor.zeros [| drawsAtOnce settings * sequences * config.Frames; TopographicVae.latents config |]

        { room with
            NoiseZ = noise ()
            NoiseU = room.NoiseU |> Option.map (fun _ -> noise ())
        }

    let private infer (settings: TvaeSettings) (model: TopographicVae) (batch: TopographicVaeBatch) : TvaeFindings =
        let config, rows = settings.Model, batch.Frames.shape[0]
        let posteriors = TopographicVae.encode config model batch.Frames

        let draw (r: int) =
            let noise (all: Tensor) = all.slice (0, r * rows, (r + 1) * rows)

            TopographicObjective.weigh
                config
                model
                posteriors
                { batch with
                    NoiseZ = noise batch.NoiseZ
                    NoiseU = Option.map noise batch.NoiseU
                }

        let draws = List.init (drawsAtOnce settings) draw

        {
            Reconstruction = -draws.Head.LogLikelihood
            KlZ = TopographicObjective.divergenceOfFrames posteriors.Z
            KlU = Option.map TopographicObjective.divergenceOfFrames posteriors.U
            Weights = Tensor.stack (draws |> List.map _.LogWeight)
            Topographic = draws.Head.Draw.Topographic.contiguous ()
        }

    let private room (settings: TvaeSettings) (scenes: TvaeScenes) : TvaeReading =
        let sequences = scenes.Chosen.Length
        let numbers () = Array.zeroCreate<float>(sequences * settings.Model.Frames)

        {
            Scenes = scenes
            Reconstruction = numbers ()
            KlZ = numbers ()
            KlU =
                if settings.Model.Grouping = Grouping.Plain then
                    [||]
                else
                    numbers ()
            Weights = Array.init settings.Draws (fun _ -> numbers ())
            Equivariance = Array.zeroCreate sequences
            Offsets = [||]
            Units =
                if settings.Model.Frames = 1 then
                    Array.create sequences [||]
                else
                    [||]
        }

    let private copy (from: ReadOnlySpan<float32>) (into: float[]) (first: int) : unit =
        for i in 0 .. from.Length - 1 do
            into[first + i] <- float from[i]

    let private values (x: Tensor) : ReadOnlySpan<float32> = Span.op_Implicit (x.Elements<float32>())

    /// Notes how T of sequence number first + i rolls while the sequence's factors move, if they do.
    let private noteRoll
        (config: TopographicVaeConfig)
        (scenes: TvaeScenes)
        (first: int)
        (i: int)
        (t: ReadOnlySpan<float32>)
        (offsets: ResizeArray<CapsuleOffset>)
        : unit =
        match CapsuleCorrelation.offset config.Entries (TvaeScenes.labels scenes first i) t with
        | ValueSome offset -> offsets.Add offset
        | ValueNone -> ()

    /// Copies what was inferred of a part that begins with sequence number `first`.
    let private take
        (config: TopographicVaeConfig)
        (reading: TvaeReading)
        (found: TvaeFindings)
        (first: int)
        (offsets: ResizeArray<CapsuleOffset>)
        : unit =
        let rows = found.Reconstruction.nelement
        let sequences = rows / config.Frames
        let size = config.Frames * TopographicVae.latents config
        copy (values found.Reconstruction) reading.Reconstruction (first * config.Frames)
        copy (values found.KlZ) reading.KlZ (first * config.Frames)
        found.KlU |> Option.iter (fun kl -> copy (values kl) reading.KlU (first * config.Frames))

        for i in 0 .. sequences - 1 do
            let t = (values found.Topographic).Slice(i * size, size)
            reading.Equivariance[first + i] <- Equivariance.error config.Frames config.Entries t

            if reading.Units.Length > 0 then
                reading.Units[first + i] <- t.ToArray()
            else
                noteRoll config reading.Scenes first i t offsets

    /// Copies ln w of a part that begins with frame number `frame`, for the draws from number `draw` on, as many as were made and
    /// are wanted.
    let private weigh (reading: TvaeReading) (found: TvaeFindings) (draw: int) (frame: int) : unit =
        let made, rows = found.Weights.shape[0], found.Weights.shape[1]

        for r in 0 .. min made (reading.Weights.Length - draw) - 1 do
            copy ((values found.Weights).Slice(r * rows, rows)) reading.Weights[draw + r] frame

    /// Reads any sequences.
    let ofScenes (settings: TvaeSettings) (model: TopographicVae) : TvaeScenes -> TvaeReading =
        let config = settings.Model
        let inference = Inference(atOnce config, allocate settings, infer settings model)

        fun scenes ->
            let reading = room settings scenes
            let offsets = ResizeArray<CapsuleOffset>()

            inference.Over(
                scenes.Chosen.Length,
                fun part ->
                    TvaeScenes.load scenes config.Frames part.First part.Batch.Frames

                    for draw in 0 .. drawsAtOnce settings .. settings.Draws - 1 do
                        TopographicVae.fillNoise (TvaeScenes.noise scenes part.First draw) part.Batch
                        part.Run()
                        weigh reading part.Output draw (part.First * config.Frames)

                        if draw = 0 then
                            take config reading part.Output part.First offsets
            )

            { reading with Offsets = offsets.ToArray() }

    /// Reads the sequences of a split.
    let read (settings: TvaeSettings) (data: TvaeData) (model: TopographicVae) : Split -> TvaeReading =
        Split.choose data.Validation data.Test >> ofScenes settings model

    /// E_eq and rolls of T that isn't inferred but made, as a level to compare with. `make` makes T [b·S, s] from a number of
    /// sequences and a key; the factors are those of the scenes' sequences.
    let ofLevel
        (config: TopographicVaeConfig)
        (scenes: TvaeScenes)
        (key: Key)
        (make: int -> Key -> Tensor)
        : float * CapsuleOffset[] =
        let offsets = ResizeArray<CapsuleOffset>()
        let size = config.Frames * TopographicVae.latents config
        let mutable total = 0.0

        for first in 0..SequencesAtOnce .. scenes.Chosen.Length - 1 do
            let t = make (min SequencesAtOnce (scenes.Chosen.Length - first)) (key.Fold(int64 first))

            for i in 0 .. t.shape[0] / config.Frames - 1 do
                let one = (values t).Slice(i * size, size)
                total <- total + Equivariance.error config.Frames config.Entries one
                noteRoll config scenes first i one offsets

        total / float (max 1 scenes.Chosen.Length), offsets.ToArray()
