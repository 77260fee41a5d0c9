namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Models
open Scae.Core.Training

/// What T and rolled T of some sequences decode to, both [b·S, C·P] in [0, 1].
type private TvaeDecoded = { Seen: Tensor; Rolled: Tensor }

/// Squared errors a pixel by how many frames ahead a guess is, [S].
type RollErrors =
    {
        /// What a draw of T of frame 0 decodes to, all capsules rolled by as many entries.
        Rolled: float[]
        /// The mean of what several draws decode to. Like the guesses it is a mean, which doesn't pay for the spread of draws.
        RolledMean: float[]
        /// Frame 0 itself.
        Still: float[]
        /// The mean of the frames that T of frame 0 was inferred from.
        MeanSeen: float[]
        /// The mean over all sequences of the frame at that place, which is the best guess that doesn't look at the sequence.
        Mean: float[]
        /// Whether T of frame 0 depends on the frame.
        IsSeen: bool[]
    }

/// Capsules of a frame, rolled and decoded: what they say of other frames (Keller & Welling 2021, figures 1, 4 and 6).
[<RequireQualifiedAccess>]
module TvaeRolling =
    /// T [b·S, s] in which frame t is the T of frame 0 with all capsules rolled by t entries: entry c goes to c + t.
    let roll (config: TopographicVaeConfig) (t: Tensor) : Tensor =
        let { Frames = frames; Capsules = capsules; Entries = entries } = config
        let first = (t.view (-1, frames, capsules, entries)).select(1, 0)

        let by (frame: int) =
            match frame % entries with
            | 0 -> first
            | shift ->
                Tensor.cat ([ first.slice (2, entries - shift, entries); first.slice (2, 0, entries - shift) ], 2)

        (Tensor.stack (List.init frames by, 1)).contiguous().view(-1, capsules * entries)

    /// Whether T of frame 0 depends on each frame t. It does on frame 0 itself, and on frames with which it shares a scale.
    let seen (config: TopographicVaeConfig) : bool[] =
        let offsets = Grouping.offsets config.Grouping config.Kernel config.Width

        Array.init config.Frames (fun t ->
            t = 0
            || config.Grouping <> Grouping.Torus
               && offsets |> Array.exists (fun (struct (frames, _)) -> (frames - t) % config.Frames = 0))

    // How many draws the mean of rolled capsules is taken over.
    [<Literal>]
    let private Draws = 10

    /// Goes through the sequences of some scenes, part by part, and through some draws of each. `visit` gets the number of the
    /// draw and three tensors [b·S, C·P], which the next draw overwrites: input, decoded, rolled.
    let over
        (settings: TvaeSettings)
        (model: TopographicVae)
        (draws: int)
        : TvaeScenes -> (int -> Tensor -> Tensor -> Tensor -> unit) -> unit =
        let config = settings.Model

        let infer (batch: TopographicVaeBatch) : TvaeDecoded =
            let posteriors = TopographicVae.encode config model batch.Frames
            let draw = TopographicVae.draw config model posteriors batch.NoiseZ batch.NoiseU

            {
                Seen = draw.Logits.sigmoid ()
                Rolled = (TopographicVae.decode config model (roll config draw.Topographic)).sigmoid()
            }

        let inference = Inference(TvaeReading.atOnce config, TopographicVae.allocate config, infer)

        fun scenes visit ->
            inference.Over(
                scenes.Chosen.Length,
                fun part ->
                    TvaeScenes.load scenes config.Frames part.First part.Batch.Frames

                    for draw in 0 .. draws - 1 do
                        TopographicVae.fillNoise (TvaeScenes.noise scenes part.First draw) part.Batch
                        part.Run()
                        visit draw part.Batch.Frames part.Output.Seen part.Output.Rolled
            )

    /// The three rows of each of some sequences, which should be few.
    let traversals (settings: TvaeSettings) (model: TopographicVae) : TvaeScenes -> Traversal list =
        let over, frames = over settings model 1, settings.Model.Frames

        fun scenes ->
            let found = ResizeArray<Traversal>()

            over scenes (fun _ input decoded rolled ->
                for i in 0 .. input.shape[0] / frames - 1 do
                    let rows (x: Tensor) = Array.init frames (fun t -> Rows.values (i * frames + t) x)
                    found.Add { Input = rows input; Reconstruction = rows decoded; Rolled = rows rolled })

            List.ofSeq found

    let private square (x: ReadOnlySpan<float32>) (y: ReadOnlySpan<float32>) : float =
        let mutable total = 0.0

        for i in 0 .. x.Length - 1 do
            let difference = float (x[i] - y[i])
            total <- total + difference * difference

        total / float x.Length

    let private addTo (sum: float[]) (x: ReadOnlySpan<float32>) : unit =
        for p in 0 .. x.Length - 1 do
            sum[p] <- sum[p] + float x[p]

    /// The mean of those frames of sequence number b on which T of frame 0 depends.
    let private meanOfSeen (isSeen: bool[]) (input: Tensor) (b: int) : float32[] =
        let sum = Array.zeroCreate<float> input.shape[1]

        for t in 0 .. isSeen.Length - 1 do
            if isSeen[t] then
                addTo sum (Rows.span (b * isSeen.Length + t) input)

        let count = isSeen |> Array.filter id |> Array.length
        sum |> Array.map (fun value -> float32 (value / float count))

    /// The errors of frames decoded from rolled capsules of frame 0, and those of guesses that know nothing of motion.
    let errors (settings: TvaeSettings) (model: TopographicVae) (scenes: TvaeScenes) : RollErrors =
        let config = settings.Model
        let frames, size = config.Frames, TopographicVae.inputs config
        let isSeen = seen config
        let numbers () = Array.zeroCreate<float> frames
        let rolled, rolledMean = numbers (), numbers ()
        let still, ofSeen, squares = numbers (), numbers (), numbers ()
        // Σx of each pixel at each place, from which the variance follows.
        let sums = Array.init frames (fun _ -> Array.zeroCreate<float> size)
        let nothing = Array.zeroCreate<float32> size
        let mean = ref (Tensor.zeros [| 0; size |])

        let addMean (input: Tensor) : unit =
            for at in 0 .. input.shape[0] - 1 do
                let t = at % frames
                rolledMean[t] <- rolledMean[t] + square (Rows.span at input) (Rows.span at mean.Value)

        let addDraw (input: Tensor) (guess: Tensor) : unit =
            for b in 0 .. input.shape[0] / frames - 1 do
                let mean = meanOfSeen isSeen input b

                for t in 0 .. frames - 1 do
                    let at = b * frames + t
                    let frame = Rows.span at input
                    rolled[t] <- rolled[t] + square frame (Rows.span at guess)
                    still[t] <- still[t] + square frame (Rows.span (b * frames) input)
                    ofSeen[t] <- ofSeen[t] + square frame (ReadOnlySpan mean)
                    squares[t] <- squares[t] + square frame (ReadOnlySpan nothing)
                    addTo sums[t] frame

        over settings model Draws scenes (fun draw input _ guess ->
            let share = guess * (1.0 / float Draws)
            mean.Value <- if draw = 0 then share else mean.Value + share

            if draw = 0 then
                addDraw input guess

            if draw = Draws - 1 then
                addMean input)

        let count = float (max 1 scenes.Chosen.Length)
        let average (errors: float[]) = errors |> Array.map (fun error -> error / count)
        let squareOfMean (sum: float[]) = sum |> Array.averageBy (fun value -> (value / count) ** 2.0)

        {
            Rolled = average rolled
            RolledMean = average rolledMean
            Still = average still
            MeanSeen = average ofSeen
            Mean = Array.map2 (-) (average squares) (sums |> Array.map squareOfMean)
            IsSeen = isSeen
        }
