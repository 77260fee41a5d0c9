namespace Scae.Core.Models

open System
open System.Numerics
open Scae.Tensors
open Scae.Core.Configuration
open Scae.Core.Layers
open Scae.Core.Data

/// What tells the network where points belong while it trains.
type RoutingTeacher =
    /// The division of least squared residual that a search from the network's own proposals finds. No truth.
    | Residual
    /// The truth of scenes dreamed by the decoder. The decoder here is the true generator, so this is supervised learning,
    /// an upper bound.
    | Dreams

/// Whose residual says how far a found division is trusted.
type RoutingCredit =
    /// The whole scene's: nothing is learned from a division that explains only a part of the scene.
    | Scene
    /// Each template's own: a template that fits its points teaches, whatever the others do.
    | Template

/// Sizes of the encoder that routes points to capsules, and the search that verifies it.
type RoutingCapsulesConfig =
    {
        [<Setting("D, width of a point's embedding", Min = 1.0, Max = 4096.0)>]
        Width: int
        [<Setting("F, width of the feed-forward layers", Min = 1.0, Max = 65536.0)>]
        Hidden: int
        [<Setting("attention heads; must divide the width", Min = 1.0)>]
        Heads: int
        [<Setting("attention blocks", Min = 0.0, Max = 64.0)>]
        Blocks: int
        [<Setting("whether blocks and routing have layer norms")>]
        LayerNorm: bool
        [<Setting("width of the layers that see pairs of points, 0 for none", Min = 0.0, Max = 4096.0)>]
        Pairs: int
        [<Setting("weights have deviation gain·√(2 / inputs)", Min = 0.0)>]
        Gain: float
        [<Setting("what teaches the routing: the division of least residual, or the truth of dreamed scenes")>]
        Teacher: RoutingTeacher
        /// What improves the network's proposals, in training and at the end.
        Search: DivisionSearchConfig
        [<Setting("τ, squared residual at which what was found weighs 1/e in training", Min = 1e-6)>]
        Trust: float
        [<Setting("whose residual that is: the whole scene's, or each template's own")>]
        Credit: RoutingCredit
        /// Whether the network sees scenes scaled to radius 1: see SceneFrame.
        Normalised: bool
    }

    /// The templates that capsules recognise are those of the search.
    member this.Templates: Template list = this.Search.Templates

/// What a point sees of each other point, before any attention.
type PairLayers = { First: Linear; Second: Linear; Out: Linear }

/// The parameters.
type RoutingCapsules =
    {
        Embedding: Linear
        Pairs: PairLayers option
        Blocks: TransformerBlock array
        Norm: LayerNorm option
        Routing: Linear
    }

/// Scenes, the noise that samples proposals [b, starts − 1, n, K], and the standard deviation of the noise on each scene's
/// points [b].
type RoutingBatch = { Scenes: Constellations; Noise: Tensor; Deviations: Tensor }

/// Capsules that recognise their template. Capsule k draws template k and claims points by routing probabilities; its pose
/// is the least-squares fit to the points that it gets. Training knows no truth: the network proposes divisions of the
/// points among the capsules, a search improves them and keeps that of least residual, and the network learns to propose
/// it (expert iteration, Anthony et al. 2017). The residual is the reconstruction error of a capsule autoencoder whose
/// decoder is given.
[<RequireQualifiedAccess>]
module RoutingCapsules =
    /// The network and the search that recognise the published templates.
    let standard: RoutingCapsulesConfig =
        {
            Width = 64
            Hidden = 128
            Heads = 4
            Blocks = 3
            LayerNorm = true
            Pairs = 48
            Gain = 0.7
            Teacher = RoutingTeacher.Residual
            Search =
                {
                    Templates = Template.published
                    Starts = 4
                    Refine = true
                    Solved = DivisionSearch.NoResidual
                    Distractors = 0
                }
            Trust = 0.02
            Credit = RoutingCredit.Template
            Normalised = false
        }

    /// How many of many scenes are routed at once. With more, the pairs of points wouldn't fit into the cache, and in the end
    /// not into memory.
    [<Literal>]
    let ScenesAtOnce = 250

    /// Parameters drawn from a key.
    let init (config: RoutingCapsulesConfig) (dtype: Dtype) (key: Key) : RoutingCapsules =
        let d, p, gain = config.Width, config.Pairs, config.Gain

        {
            Embedding = Linear.init gain 3 d dtype (key.Named "embedding")
            Pairs =
                if p = 0 then
                    None
                else
                    Some
                        {
                            First = Linear.init gain 4 p dtype (key.Named "first")
                            Second = Linear.init gain p p dtype (key.Named "second")
                            Out = Linear.init gain p d dtype (key.Named "out")
                        }
            Blocks =
                Array.init config.Blocks (fun i ->
                    TransformerBlock.init config.LayerNorm gain d config.Hidden dtype (key.Named $"block {i}"))
            Norm =
                if config.LayerNorm then
                    Some(LayerNorm.init d dtype)
                else
                    None
            Routing = Linear.init gain d config.Search.Sets dtype (key.Named "routing")
        }

    /// Σ_j relu(relu(e_ij·W_1 + b_1)·W_2 + b_2)·W_o / n with e_ij = (x_j − x_i, |x_j − x_i|², |x_j − x_i|): distances identify
    /// a template up to its scale. points [b, n, 2] and, if not all are there, a mask [b, n, 1] of those that are → [b, n, D].
    let private seePairs (layers: PairLayers) (mask: Tensor option) (points: Tensor) : Tensor =
        let difference = points.unsqueeze 1 - points.unsqueeze 2
        let square = (difference * difference).sum(3, true)
        // The shift keeps the gradient of √ finite on the diagonal; it is 10⁻³ in distance.
        let pairs = Tensor.cat ([| difference; square; (square + 1e-6).sqrt() |], 3)

        let seen =
            pairs
            |> Linear.activated Activation.Relu layers.First
            |> Linear.activated Activation.Relu layers.Second

        match mask with
        | None -> seen
        | Some mask -> seen * mask.unsqueeze 1
        |> _.mean(2)
        |> Linear.forward layers.Out

    /// How many rows of masks [b, N, 1] are points, [b, 1, 1]; 1 for an empty scene, whose sums are 0.
    let internal pointCount (mask: Tensor) : Tensor = mask.sum(1, true).clamp(1.0, infinity)

    /// A point's embedding before any attention: see encode.
    let private embed
        (config: RoutingCapsulesConfig)
        (model: RoutingCapsules)
        (padding: (Tensor * Tensor) option)
        (points: Tensor)
        : Tensor =
        let centred =
            match padding with
            | None -> points - points.mean (1, true)
            | Some(mask, _) -> (points - (points * mask).sum(1, true) / pointCount mask) * mask

        let scaled =
            if config.Normalised then
                let square = (centred * centred).sum(2, true)

                let radius =
                    match padding with
                    | None -> square.mean (1, true)
                    | Some(mask, _) -> square.sum (1, true) / pointCount mask

                // The shift leaves a scene of coincident points where it is.
                centred / (radius + 1e-12).sqrt()
            else
                centred

        let square = (scaled * scaled).sum(2, true)
        let h = Linear.forward model.Embedding (Tensor.cat ([| scaled; square |], 2))

        let h =
            match model.Pairs with
            | Some layers -> h + seePairs layers (Option.map fst padding) scaled
            | None -> h

        match padding with
        | None -> h
        | Some(mask, vector) -> h * mask + (1.0 - mask) * vector

    let private through (config: RoutingCapsulesConfig) (blocks: TransformerBlock array) (h: Tensor) : Tensor =
        (h, blocks) ||> Array.fold (fun h block -> TransformerBlock.forward config.Heads block h)

    /// What each point knows of the scene, [b, n, 2] → [b, n, D]; equivariant to the order of the points, invariant to their
    /// common translation. `padding` is a mask [b, n, 1] of the rows that are points, and the vector [D] that stands for a row
    /// without a point; coordinates of such rows don't matter.
    let encode
        (config: RoutingCapsulesConfig)
        (model: RoutingCapsules)
        (padding: (Tensor * Tensor) option)
        (points: Tensor)
        : Tensor =
        embed config model padding points |> through config model.Blocks |> LayerNorm.forwardIf model.Norm

    /// log-probabilities that each point belongs to each capsule, points [b, n, 2] → [b, n, K]; equivariant to the order of
    /// the points, invariant to their common translation. A network trained with distractors has one more column for them.
    let route (config: RoutingCapsulesConfig) (model: RoutingCapsules) (points: Tensor) : Tensor =
        (encode config model None points |> Linear.forward model.Routing).logsoftmax 2

    /// Routing [b, n, K + 1] without the column for distractors, [b, n, K]; routing [b, n, K] as it is.
    let ofTemplates (config: RoutingCapsulesConfig) (routing: Tensor) : Tensor =
        if routing.shape[2] = config.Templates.Length then
            routing
        else
            routing.slice (2, 0, config.Templates.Length)

    /// Where the points of each capsule look in the last block, [b, n, 2] → [b, K, n]: the attention of each point, averaged
    /// over heads and over points by how much the capsule claims them. Rows sum to 1. None without a block.
    let attention (config: RoutingCapsulesConfig) (model: RoutingCapsules) (points: Tensor) : Tensor option =
        Array.tryLast model.Blocks
        |> Option.map (fun last ->
            let before =
                embed config model None points |> through config (Array.truncate (config.Blocks - 1) model.Blocks)

            let weights = (TransformerBlock.attention config.Heads last before).mean 1
            let claims = (ofTemplates config (route config model points)).exp().transpose(1, 2)
            (claims / claims.sum (2, true)).matmul weights)

    /// How much a template's part of a division counts as a teacher: e^{−c/τ}, where c is the squared residual of the part
    /// (`own`) or of the whole division, as the configuration's credit says.
    let internal trust (config: RoutingCapsulesConfig) (own: float) (whole: float) : float32 =
        let residual =
            match config.Credit with
            | RoutingCredit.Scene -> whole
            | RoutingCredit.Template -> own

        float32 (exp (-residual / config.Trust))

    /// The same where points have noise of standard deviation σ. The true division then leaves about σ² for each degree of
    /// freedom, of which a template of m points has 2·m − 4. Only the residual beyond that counts, in units of τ + 2σ².
    let internal trustUnder (config: RoutingCapsulesConfig) (deviation: float) (m: int) (own: float) (whole: float) =
        if deviation = 0.0 then
            trust config own whole
        else
            let struct (residual, freedom) =
                match config.Credit with
                | RoutingCredit.Scene ->
                    struct (whole, 2 * Template.pointCount config.Templates - 4 * config.Templates.Length)
                | RoutingCredit.Template -> struct (own, 2 * m - 4)

            let variance = deviation * deviation
            float32 (exp (-(max 0.0 (residual - float freedom * variance)) / (config.Trust + 2.0 * variance)))

    /// Writes a weight into one column of rows [n, k], for the points of a set.
    let internal writeWeight (k: int) (column: int) (set: int) (weight: float32) (rows: Span<float32>) : unit =
        for row in 0 .. rows.Length / k - 1 do
            if set &&& (1 <<< row) <> 0 then
                rows[k * row + column] <- weight

    /// How much set number `part` of a division counts as a teacher. The set of distractors has no residual of its own, so it is
    /// judged by that of the whole scene; `wholeScene` is the configuration that does so.
    let private trustOf
        (config: RoutingCapsulesConfig)
        (wholeScene: RoutingCapsulesConfig)
        (deviation: float)
        (scene: Partitions)
        (sets: int[])
        (cost: float)
        (part: int)
        : float32 =
        if part < config.Templates.Length then
            let m = BitOperations.PopCount(uint sets[part])
            trustUnder config deviation m (Partitions.residual scene part sets[part]) cost
        else
            trustUnder wholeScene deviation 0 cost cost

    let private improved (config: RoutingCapsulesConfig) (batch: RoutingBatch) (routing: Tensor) : Tensor =
        let k = config.Search.Sets
        let perScene = k * (Template.pointCount config.Templates + config.Search.Distractors)
        let search = DivisionSearch.forEach config.Search
        let wholeScene = { config with Credit = RoutingCredit.Scene }

        Tensor.computed (
            routing.shape,
            [| batch.Scenes.Points; routing; batch.Noise; batch.Deviations |],
            fun inputs output ->
                output.Span.Clear()

                search inputs[0] inputs[1] inputs[2] (fun scene i sets cost ->
                    let weights = output.Span.Slice(perScene * i, perScene)
                    let deviation = float inputs[3].Span[i]

                    for part in 0 .. k - 1 do
                        let weight = trustOf config wholeScene deviation scene sets cost part
                        writeWeight k part sets[part] weight weights)
        )

    let private truth (config: RoutingCapsulesConfig) (batch: RoutingBatch) (routing: Tensor) : Tensor =
        let k = config.Search.Sets

        Tensor.computed (
            routing.shape,
            [| batch.Scenes.Points |],
            fun _ output ->
                output.Span.Clear()
                batch.Scenes.Labels |> Array.iteri (fun i label -> output.Span[k * i + label] <- 1.0f)
        )

    /// The target of routing [b, n, K], as weights [b, n, K]: e^{−c/τ} where the improved division puts a point, else 0;
    /// under the teacher Dreams, 1 where it truly belongs. Carries no gradient.
    let targets (config: RoutingCapsulesConfig) (batch: RoutingBatch) (routing: Tensor) : Tensor =
        match config.Teacher with
        | Residual -> improved config batch routing
        | Dreams -> truth config batch routing

    /// The cross-entropy of routing probabilities against the targets, averaged over points; a scalar.
    let loss (config: RoutingCapsulesConfig) (model: RoutingCapsules) (batch: RoutingBatch) : Tensor =
        let routing = route config model batch.Scenes.Points
        let points = routing.shape[0] * routing.shape[1]
        ((targets config batch routing).cast routing.dtype * routing).sum() * (-1.0 / float points)

    /// Draws a batch anew, in place; a pure function of the key.
    let fill (data: ConstellationsConfig) (key: Key) (batch: RoutingBatch) : unit =
        Constellations.fill data (key.Named "scenes") batch.Scenes
        (key.Named "proposals").FillGumbel(batch.Noise.Elements<float32>())

    /// Draws a batch anew, with Gaussian noise on every coordinate; each scene's deviation is drawn from U(0, most).
    let fillNoisy (data: ConstellationsConfig) (most: float) (key: Key) (batch: RoutingBatch) : unit =
        fill data key batch
        let points = batch.Scenes.Points.Elements<float32>()
        let deviations = batch.Deviations.Elements<float32>()
        let strengths = (key.Named "deviations").Stream()
        let noise = Array.zeroCreate<float32> points.Length
        (key.Named "noise").FillNormal(Span noise, 0.0f, 1.0f)
        let perScene = points.Length / max 1 deviations.Length

        for i in 0 .. deviations.Length - 1 do
            deviations[i] <- float32 most * strengths.NextFloat()

        for i in 0 .. points.Length - 1 do
            points[i] <- points[i] + deviations[i / perScene] * noise[i]

    /// Room for a batch of scenes.
    let allocate (config: RoutingCapsulesConfig) (data: ConstellationsConfig) (count: int) : RoutingBatch =
        let n, k = Constellations.pointCount data, config.Search.Sets

        {
            Scenes = Constellations.allocate data count
            Noise = Tensor.zeros [| count; config.Search.Starts - 1; n; k |]
            Deviations = Tensor.zeros [| count |]
        }

    /// Poses [b, K, 4] of scenes [b, n, 2] that have lost some of the templates' points, from routing [b, n, K]. Which
    /// capsule lost which points is searched too. The key draws the proposals after the first.
    let posesOfRemnants (config: RoutingCapsulesConfig) (key: Key) (points: Tensor) (routing: Tensor) : Tensor =
        let k = config.Templates.Length
        let perScene = points.shape[1] * k
        let scores = ReadOnlyMemory(routing.toArray<float32>())
        let noise = Array.zeroCreate<float32>((config.Search.Starts - 1) * perScene)

        Explanations.solve
            config.Templates
            (fun explanation ->
                let sizes = explanation.Templates |> List.map _.Points.Length |> Array.ofList
                let room = DivisionSearch.roomFor sizes
                let own = Array.zeroCreate<float32> room.Disturbed.Length
                let disturbance = Array.zeroCreate<float32>((config.Search.Starts - 1) * own.Length)

                fun i scene ->
                    (key.Fold(int64 i)).FillGumbel(Span noise)
                    Explanations.writeColumns k explanation (scores.Span.Slice(perScene * i, perScene)) (Span own)
                    Explanations.writeColumns k explanation (ReadOnlySpan noise) (Span disturbance)

                    DivisionSearch.bestIn config.Search room scene (ReadOnlySpan own) (ReadOnlySpan disturbance)
                    |> ignore

                    room.Found)
            points

    /// Poses [b, K, 4] of scenes [b, n, 2] with more points than the templates have, from routing [b, n, K], or [b, n, K + 1]
    /// of a network that was trained with distractors. Which points are distractors is searched too.
    let posesAmong (config: RoutingCapsulesConfig) (key: Key) (points: Tensor) (routing: Tensor) : Tensor =
        let k = config.Templates.Length
        let width = routing.shape[2]
        let perScene = points.shape[1] * width
        let scores = routing.toArray<float32>()
        let own = Array.zeroCreate<float32>(points.shape[1] * (k + 1))
        let noise = Array.zeroCreate<float32>((config.Search.Starts - 1) * own.Length)

        points
        |> Distractors.solve config.Templates (fun distractors ->
            let room = DivisionSearch.roomFor (Distractors.sizes distractors config.Templates)

            fun i scene ->
                (key.Fold(int64 i)).FillGumbel(Span noise)
                let ofScene = ReadOnlySpan(scores, perScene * i, perScene)

                if width = k then
                    Distractors.writeScores k ofScene (Span own)
                else
                    ofScene.CopyTo(Span own)

                DivisionSearch.bestIn config.Search room scene (ReadOnlySpan own) (ReadOnlySpan noise) |> ignore
                room.Found)

    /// A search that keeps its arrays. From points [b, n, 2] and, if there is one, routing [b, n, K] it finds the poses
    /// [b, K, 4] of the best divisions, and the mean number of fits a scene took. The key draws the proposals after the first.
    let poses (config: RoutingCapsulesConfig) (key: Key) : Tensor -> Tensor voption -> Tensor * float =
        let k = config.Templates.Length
        let search = DivisionSearch.forEach config.Search
        let source, scores, noise = Copies(), Copies(), Copies()

        fun points routing ->
            let count = points.shape[0]
            let entries = points.nelement / 2 * config.Search.Sets
            let poses = Tensor.zeros [| count; k; 4 |]
            let fits = Array.zeroCreate<int> count
            let disturbance = noise.Room((config.Search.Starts - 1) * entries)
            key.FillGumbel disturbance.Span

            let beliefs =
                match routing with
                | ValueSome routing -> scores.Of routing
                | ValueNone -> scores.Zeros entries

            search (source.Of points) beliefs (Memory.op_Implicit disturbance) (fun scene i sets _ ->
                fits[i] <- scene.Fits
                Partitions.writePoses scene sets (poses.Elements<float32>().Slice(4 * k * i, 4 * k)))

            poses, float (Array.sum fits) / float (max 1 count)
