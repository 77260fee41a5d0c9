namespace Scae.Core.Models

open System
open System.Threading.Tasks
open Scae.Tensors
open Scae.Core.Layers
open Scae.Core.Data

/// The parameters of capsules that may be absent.
type VariableCapsules =
    {
        Capsules: RoutingCapsules
        /// [D], the embedding of a row without a point.
        Padding: Tensor
        /// From the mean of a scene's points to a logit a capsule.
        Presence: Linear
    }

/// Scenes and the noise that samples proposals [b, starts − 1, N, K].
type VariableBatch = { Scenes: VariableConstellations; Noise: Tensor }

/// Routing capsules for scenes in which templates may be absent. Of the sets of templates that have as many points as the
/// scene, each is searched by DivisionSearch, the most probable one by predicted presence first. The set and the division of
/// least residual teach routing and presence. No truth is used.
[<RequireQualifiedAccess>]
module VariableCapsules =
    /// Parameters drawn from a key.
    let init (config: RoutingCapsulesConfig) (dtype: Dtype) (key: Key) : VariableCapsules =
        {
            Capsules = RoutingCapsules.init config dtype key
            Padding = Tensor.zeros ([| config.Width |], dtype)
            Presence = Linear.init config.Gain config.Width config.Templates.Length dtype (key.Named "presence")
        }

    /// log-probabilities that each point belongs to each capsule [b, N, K] and logits of the capsules' presence [b, K], from
    /// points [b, N, 2] and a mask [b, N, 1] of which rows are points. Presence is invariant to the order of the points.
    let believe
        (config: RoutingCapsulesConfig)
        (model: VariableCapsules)
        (points: Tensor)
        (mask: Tensor)
        : Tensor * Tensor =
        let h = RoutingCapsules.encode config model.Capsules (Some(mask, model.Padding)) points
        let mean = (h * mask).sum(1) / mask.sum (1)

        (Linear.forward model.Capsules.Routing h).logsoftmax 2, Linear.forward model.Presence mean

    /// The search of many scenes, made once for a set of templates.
    type private Searcher(config: RoutingCapsulesConfig) =
        let explanations = Explanations.subsets config.Templates |> Array.ofList

        let scenes = explanations |> Array.map (fun explanation -> Partitions.create explanation.Templates)

        let ofCount = Explanations.byCount config.Templates explanations

        /// Whether any set of templates has so many points.
        member _.Explains(n: int) : bool = n < ofCount.Length && ofCount[n].Length > 0

        /// One scene: its points [n, 2], log-probabilities [n, K], logits [K], noise [starts − 1, n, K].
        member _.Explain
            (points: ReadOnlyMemory<float32>)
            (scores: ReadOnlyMemory<float32>)
            (presence: ReadOnlyMemory<float32>)
            (noise: ReadOnlyMemory<float32>)
            =
            let k = config.Templates.Length
            let n = points.Length / 2
            let order = Array.copy ofCount[n]

            let implausibility =
                order |> Array.map (fun i -> -(explanations[i].Capsules |> Array.sumBy (fun c -> presence.Span[c])))

            Array.Sort(implausibility, order)

            // A single proposal that isn't refined is the network's own answer: of the most probable set alone.
            let order =
                if config.Search.Refine || config.Search.Starts > 1 then
                    order
                else
                    Array.truncate 1 order

            let struct (best, sets, cost) =
                Explanations.cheapest config.Search.Solved order scenes points (fun explanation scene ->
                    let own = Explanations.columns k explanations[explanation] scores.Span
                    let disturbance = Explanations.columns k explanations[explanation] noise.Span

                    let struct (sets, _) =
                        DivisionSearch.best config.Search scene (ReadOnlySpan own) (ReadOnlySpan disturbance)

                    sets)

            let explanation = explanations[best]

            Explanations.explained k explanation scenes[best] sets cost,
            [|
                for i in 0 .. sets.Length - 1 -> explanation.Capsules[i], Partitions.residual scenes[best] i sets[i]
            |]

    /// Searches scene after scene, shared among as many threads as tensors may use. From the configuration follows a search
    /// whose room is kept. inputs: points [b, N, 2], mask [b, N, 1], log-probabilities [b, N, K], logits [b, K], noise
    /// [b, starts − 1, N, K]. `write scene explained residuals` is called once a scene; residuals are by capsule. A scene that
    /// no set of templates has as many points as, such as one without points, is passed over.
    let private forEach
        (config: RoutingCapsulesConfig)
        : ReadOnlyMemory<float32>[] -> (int -> Explained -> (int * float)[] -> unit) -> unit =
        let k, starts = config.Templates.Length, config.Search.Starts
        let rows = Template.pointCount config.Templates
        let searchers = ResizeArray<Searcher>()

        fun inputs write ->
            let count = inputs[3].Length / k
            let threads = max 1 (min Parallelism.Threads count)

            while searchers.Count < threads do
                searchers.Add(Searcher config)

            let part number =
                let searcher = searchers[number]

                for i in count * number / threads .. count * (number + 1) / threads - 1 do
                    let n = Explanations.rowCount (inputs[1].Span.Slice(rows * i, rows))

                    if searcher.Explains n then
                        let noise = Array.zeroCreate<float32>((starts - 1) * n * k)

                        for start in 0 .. starts - 2 do
                            inputs[4]
                                .Slice(((starts - 1) * i + start) * rows * k, n * k)
                                .Span.CopyTo(Span(noise, start * n * k, n * k))

                        let explained, residuals =
                            searcher.Explain
                                (inputs[0].Slice(2 * rows * i, 2 * n))
                                (inputs[2].Slice(rows * k * i, n * k))
                                (inputs[3].Slice(k * i, k))
                                (ReadOnlyMemory noise)

                        write i explained residuals

            if threads = 1 then
                part 0
            else
                Parallel.For(0, threads, part) |> ignore

    /// The targets of routing and presence, [b, N + 2, K]: a row of weights for each point, then a row that says which
    /// capsules are present, and a row with each capsule's weight in the loss of presence. Carries no gradient. Under the
    /// teacher Dreams it is the truth.
    let targets (config: RoutingCapsulesConfig) (batch: VariableBatch) (routing: Tensor) (presence: Tensor) : Tensor =
        let b, n, k = routing.shape[0], routing.shape[1], routing.shape[2]
        let scenes = batch.Scenes
        let perScene = (n + 2) * k
        let search = forEach config

        Tensor.computed (
            [| b; n + 2; k |],
            [| scenes.Points; scenes.Mask; routing; presence; batch.Noise |],
            fun inputs output ->
                output.Span.Clear()

                match config.Teacher with
                | Dreams ->
                    for i in 0 .. b - 1 do
                        let weights = output.Span.Slice(perScene * i, perScene)

                        for row in 0 .. n - 1 do
                            if scenes.Labels[i * n + row] >= 0 then
                                weights[row * k + scenes.Labels[i * n + row]] <- 1.0f

                        for capsule in 0 .. k - 1 do
                            weights[n * k + capsule] <- (if scenes.Presence[i * k + capsule] then 1.0f else 0.0f)
                            weights[(n + 1) * k + capsule] <- 1.0f
                | Residual ->
                    search inputs (fun i explained residuals ->
                        let weights = output.Span.Slice(perScene * i, perScene)

                        let whole =
                            RoutingCapsules.trust { config with Credit = RoutingCredit.Scene } 0.0 explained.Cost

                        let credit = Array.zeroCreate<float32> k

                        for capsule, residual in residuals do
                            credit[capsule] <- RoutingCapsules.trust config residual explained.Cost

                        for row in 0 .. explained.Labels.Length - 1 do
                            let label = explained.Labels[row]
                            weights[row * k + label] <- credit[label]

                        for capsule in 0 .. k - 1 do
                            weights[n * k + capsule] <- (if explained.Presence[capsule] then whole else 0.0f)
                            weights[(n + 1) * k + capsule] <- whole)
        )

    /// The cross-entropy of routing against the found division, averaged over rows, and of presence against the found set of
    /// templates, averaged over capsules; a scalar.
    let loss (config: RoutingCapsulesConfig) (model: VariableCapsules) (batch: VariableBatch) : Tensor =
        let routing, presence = believe config model batch.Scenes.Points batch.Scenes.Mask
        let b, n = routing.shape[0], routing.shape[1]
        let targets = (targets config batch routing presence).cast routing.dtype
        let present, weight = targets.select (1, n), targets.select (1, n + 1)

        (targets.slice (1, 0, n) * routing).sum() * (-1.0 / float (b * n))
        + (weight * presence.softplus () - present * presence).sum()
          * (1.0 / float (b * config.Templates.Length))

    /// Room for a batch of scenes.
    let allocate (config: RoutingCapsulesConfig) (data: ConstellationsConfig) (count: int) : VariableBatch =
        let n, k = Template.pointCount config.Templates, config.Templates.Length

        {
            Scenes = VariableConstellations.allocate data count
            Noise = Tensor.zeros [| count; config.Search.Starts - 1; n; k |]
        }

    /// Draws a batch anew, in place; a pure function of the key.
    let fill (data: ConstellationsConfig) (key: Key) (batch: VariableBatch) : unit =
        VariableConstellations.fill data (key.Named "scenes") batch.Scenes
        (key.Named "proposals").FillGumbel(batch.Noise.Elements<float32>())

    /// What is found for many scenes [b], given what is believed of them. The key draws the proposals after the first.
    let explain
        (config: RoutingCapsulesConfig)
        (key: Key)
        (points: Tensor)
        (mask: Tensor)
        (routing: Tensor, presence: Tensor)
        : Explained[] =
        let noise = Array.zeroCreate<float32>((config.Search.Starts - 1) * routing.nelement)
        key.FillGumbel(Span noise)
        let found = Array.zeroCreate<Explained>(points.shape[0])
        let memory (x: Tensor) = ReadOnlyMemory(x.toArray<float32>())

        forEach
            config
            [| memory points; memory mask; memory routing; memory presence; ReadOnlyMemory noise |]
            (fun i explained _ -> found[i] <- explained)

        found
