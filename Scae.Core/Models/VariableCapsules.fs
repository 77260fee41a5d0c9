namespace Scae.Core.Models

open System
open Scae.Tensors
open Scae.Core.Layers
open Scae.Core.Data

/// The parameters of capsules that may be absent.
type VariableCapsules =
    {
        Capsules: RoutingCapsules
        /// [D], the embedding of a row without a point.
        Padding: Tensor
        /// From the mean of a scene's encoded points to a logit of presence for each capsule.
        Presence: Linear
    }

/// Scenes and the noise that samples proposals [b, starts − 1, N, K].
type VariableBatch = { Scenes: VariableConstellations; Noise: Tensor }

/// Routing capsules for scenes in which templates may be absent. DivisionSearch searches each set of templates that has as
/// many points as the scene, beginning with the most probable one by predicted presence. The set and the division of least
/// residual teach routing and presence. No truth is used.
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
        let mean = (h * mask).sum(1) / (RoutingCapsules.pointCount mask).squeeze 1

        (Linear.forward model.Capsules.Routing h).logsoftmax 2, Linear.forward model.Presence mean

    /// Searches many scenes, and is made once for a set of templates. What it finds stays until the next scene.
    type private Searcher(config: RoutingCapsulesConfig) =
        let search, templates = config.Search, config.Templates
        let k = templates.Length
        let explanations = Explanations.subsets templates |> Array.ofList
        let scenes = explanations |> Array.map (fun explanation -> Partitions.create explanation.Templates)
        let ofCount = Explanations.byCount templates explanations

        let rooms =
            explanations
            |> Array.map (fun explanation ->
                explanation.Templates |> List.map _.Points.Length |> Array.ofList |> DivisionSearch.roomFor)

        let own = rooms |> Array.map (fun room -> Array.zeroCreate<float32> room.Disturbed.Length)

        let disturbances =
            own |> Array.map (fun own -> Array.zeroCreate<float32>((search.Starts - 1) * own.Length))

        let orders = ofCount |> Array.map Array.copy
        let implausibilities = ofCount |> Array.map (fun order -> Array.zeroCreate<float32> order.Length)

        // A single proposal that isn't refined is the network's own answer, so only the most probable set is tried.
        let most =
            if search.Refine || search.Starts > 1 then
                Int32.MaxValue
            else
                1

        let mutable scores = ReadOnlyMemory<float32>()
        let mutable noise = ReadOnlyMemory<float32>()

        /// Copies noise [starts − 1, N, K] for an explanation: a scene's rows and the explanation's columns.
        let disturb (explanation: int) =
            let into = disturbances[explanation]
            let perStart = own[explanation].Length
            let rows = scores.Length

            for start in 0 .. search.Starts - 2 do
                Explanations.writeColumns
                    k
                    explanations[explanation]
                    (noise.Span.Slice(start * (noise.Length / (search.Starts - 1)), rows))
                    (Span(into, start * perStart, perStart))

        let divide (explanation: int) (scene: Partitions) =
            Explanations.writeColumns k explanations[explanation] scores.Span (Span own[explanation])
            disturb explanation
            let room = rooms[explanation]

            DivisionSearch.bestIn
                search
                room
                scene
                (ReadOnlySpan own[explanation])
                (ReadOnlySpan disturbances[explanation])
            |> ignore

            room.Found

        // Made once, since making a delegate at each call would allocate.
        let division = Func<int, Partitions, int[]>(divide)

        /// Whether any set of templates has n points.
        member _.Explains(n: int) : bool = n < ofCount.Length && ofCount[n].Length > 0

        member val Explanation = explanations[0] with get, set
        member val Scene = scenes[0] with get, set
        member val Sets: int[] = [||] with get, set
        member val Cost = 0.0 with get, set

        /// Explains one scene: its points [n, 2], log-probabilities [n, K], logits [K], noise [starts − 1, N, K].
        member this.Explain
            (points: ReadOnlyMemory<float32>)
            (routing: ReadOnlyMemory<float32>)
            (presence: ReadOnlyMemory<float32>)
            (proposals: ReadOnlyMemory<float32>)
            : unit =
            let n = points.Length / 2
            let order, implausibility = orders[n], implausibilities[n]
            Array.blit ofCount[n] 0 order 0 order.Length

            for i in 0 .. order.Length - 1 do
                let mutable sum = 0.0f

                for capsule in explanations[order[i]].Capsules do
                    sum <- sum + presence.Span[capsule]

                implausibility[i] <- -sum

            Array.Sort(implausibility, order)
            scores <- routing
            noise <- proposals

            let struct (best, sets, cost) = Explanations.cheapest search.Solved order most scenes points division
            this.Explanation <- explanations[best]
            this.Scene <- scenes[best]
            this.Sets <- sets
            this.Cost <- cost

    /// Makes a search of many scenes, shared among as many threads as tensors may use; it keeps its arrays. Its inputs are points
    /// [b, N, 2], mask [b, N, 1], log-probabilities [b, N, K], logits [b, K] and noise [b, starts − 1, N, K].
    /// `write scene searcher` is called once a scene. A scene is passed over if no set of templates has its number of points,
    /// for example if it has none.
    let private forEach
        (config: RoutingCapsulesConfig)
        : ReadOnlyMemory<float32>[] -> (int -> Searcher -> unit) -> unit =
        let k, starts = config.Templates.Length, config.Search.Starts
        let rows = Template.pointCount config.Templates
        let workers = SceneWorkers(fun () -> Searcher config)

        fun inputs write ->
            workers.Each(
                inputs[3].Length / k,
                fun searcher i ->
                    let n = Explanations.rowCount (inputs[1].Span.Slice(rows * i, rows))

                    if searcher.Explains n then
                        searcher.Explain
                            (inputs[0].Slice(2 * rows * i, 2 * n))
                            (inputs[2].Slice(rows * k * i, n * k))
                            (inputs[3].Slice(k * i, k))
                            (inputs[4].Slice((starts - 1) * i * rows * k, (starts - 1) * rows * k))

                        write i searcher
            )

    /// Writes the true targets of a scene, [n + 2, k], over zeros.
    let private writeTruth (scenes: VariableConstellations) n k (scene: int) (weights: Span<float32>) : unit =
        for row in 0 .. n - 1 do
            let label = scenes.Labels[scene * n + row]

            if label >= 0 then
                weights[row * k + label] <- 1.0f

        for capsule in 0 .. k - 1 do
            weights[n * k + capsule] <- (if scenes.Presence[scene * k + capsule] then 1.0f else 0.0f)

        weights.Slice((n + 1) * k, k).Fill 1.0f

    /// Writes the targets of a scene, [n + 2, k], from what a search has found, over zeros.
    let private writeFound
        (config: RoutingCapsulesConfig)
        (wholeScene: RoutingCapsulesConfig)
        (n: int)
        (k: int)
        (found: Searcher)
        (weights: Span<float32>)
        : unit =
        let capsules = found.Explanation.Capsules
        let whole = RoutingCapsules.trust wholeScene 0.0 found.Cost

        for part in 0 .. capsules.Length - 1 do
            let capsule, set = capsules[part], found.Sets[part]
            let credit = RoutingCapsules.trust config (Partitions.residual found.Scene part set) found.Cost
            RoutingCapsules.writeWeight k capsule set credit (weights.Slice(0, n * k))
            weights[n * k + capsule] <- whole

        weights.Slice((n + 1) * k, k).Fill whole

    /// The targets of routing and presence, [b, N + 2, K]: a row of weights for each point, then a row with each present
    /// capsule's weight, and a row with each capsule's weight in the loss of presence. Carries no gradient. Under the teacher
    /// Dreams the targets are the truth, with weights of 1.
    let targets (config: RoutingCapsulesConfig) (batch: VariableBatch) (routing: Tensor) (presence: Tensor) : Tensor =
        let b, n, k = routing.shape[0], routing.shape[1], routing.shape[2]
        let scenes = batch.Scenes
        let perScene = (n + 2) * k
        let search = forEach config
        let wholeScene = { config with Credit = RoutingCredit.Scene }

        Tensor.computed (
            [| b; n + 2; k |],
            [| scenes.Points; scenes.Mask; routing; presence; batch.Noise |],
            fun inputs output ->
                output.Span.Clear()

                match config.Teacher with
                | Dreams ->
                    for scene in 0 .. b - 1 do
                        writeTruth scenes n k scene (output.Span.Slice(perScene * scene, perScene))
                | Residual ->
                    search inputs (fun scene found ->
                        writeFound config wholeScene n k found (output.Span.Slice(perScene * scene, perScene)))
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

    /// A search that keeps its arrays. It explains scenes with points [b, N, 2] and mask [b, N, 1], from a network's beliefs if
    /// there are any: log-probabilities [b, N, K] and logits [b, K]. The key draws the proposals after the first.
    let explain
        (config: RoutingCapsulesConfig)
        (key: Key)
        : Tensor -> Tensor -> (Tensor * Tensor) voption -> Explained[] =
        let k = config.Templates.Length
        let search = forEach config
        let copies = Array.init 5 (fun _ -> Copies())

        fun points mask beliefs ->
            let count = points.shape[0]
            let entries = mask.nelement * k
            let noise = copies[4].Room((config.Search.Starts - 1) * entries)
            key.FillGumbel noise.Span

            let struct (routing, presence) =
                match beliefs with
                | ValueSome(routing, presence) -> struct (copies[2].Of routing, copies[3].Of presence)
                | ValueNone -> struct (copies[2].Zeros entries, copies[3].Zeros(count * k))

            let found = Array.create count (Explanations.nothing k)

            search
                [| copies[0].Of points; copies[1].Of mask; routing; presence; Memory.op_Implicit noise |]
                (fun i searcher ->
                    found[i] <-
                        Explanations.explained k searcher.Explanation searcher.Scene searcher.Sets searcher.Cost)

            found
