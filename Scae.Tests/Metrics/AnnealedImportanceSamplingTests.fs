module Scae.Tests.Metrics.AnnealedImportanceSamplingTests

open System
open Scae.Tests.Claims
open Expecto
open Scae.Core.Metrics
open Scae.Tensors

[<Literal>]
let private Rows = 200

let private key = Key.OfSeed 3L

/// ln w = −½ a Σ (ε − m)², of rows with two numbers in each of two tensors.
let private gaussian (rows: int) (a: float) (m: float) : AnnealedWeights =
    let noise = [ for _ in 1..2 -> (Tensor.zeros [| Rows; 2 |]).reverseDiff() ]

    AnnealedImportanceSampling.record rows noise (fun () ->
        let of' (e: Tensor) = ((e - m) * (e - m)).sum(1) * (-0.5 * a)
        of' noise[0] + of' noise[1])

/// ln E w of a unit, since E exp(−½ a (ε − m)²) = (1 + a)^−½ exp(−½ a m²/(1 + a)).
let private exact (rows: int) (a: float) (m: float) : float =
    -0.5 * float (4 * rows) * (log (1.0 + a) + a * m * m / (1.0 + a))

let private estimates (temperatures: int) (weights: AnnealedWeights) : float[] =
    let sizes = AnnealedImportanceSampling.stepSizes temperatures (key.Named "pilot") weights
    AnnealedImportanceSampling.run sizes key weights

[<Tests>]
let tests =
    testList
        "Metrics.AnnealedImportanceSampling"
        [
            testCase "the expectation of a Gaussian is found, without bias"
            <| fun () ->
                for rows in [ 1; 4 ] do
                    let a, m = 1.0, 1.0
                    let errors = estimates 200 (gaussian rows a m) |> Array.map (fun x -> x - exact rows a m)
                    let ratios = errors |> Array.map exp
                    let mean = Array.average ratios

                    let deviation =
                        sqrt (Array.averageBy (fun r -> (r - mean) * (r - mean)) ratios / float ratios.Length)

                    // Four deviations of the mean, which is itself small.
                    deviation |> shouldBeLessThan 0.1
                    abs (mean - 1.0) |> shouldBeLessThan (4.0 * deviation)
                    Array.average errors |> shouldBeIn (-0.2, 0.1)

            testCase "few temperatures and long steps, some of them refused, are without bias too"
            <| fun () ->
                // Two tensors that depend on each other: their difference has variance 2, so E exp(−½ a d²) = (1 + 2a)^−½.
                let a, units = 2.0, 4000
                let one = (Tensor.zeros [| units; 2 |]).reverseDiff()
                let two = (Tensor.zeros [| units; 2 |]).reverseDiff()

                let weights =
                    AnnealedImportanceSampling.record 1 [ one; two ] (fun () ->
                        ((one - two) * (one - two)).sum(1) * (-0.5 * a))

                let ratios =
                    AnnealedImportanceSampling.run [| 0.9; 0.9 |] key weights
                    |> Array.map (fun x -> exp (x + log (1.0 + 2.0 * a)))

                let mean = Array.average ratios
                let variance = Array.averageBy (fun r -> (r - mean) * (r - mean)) ratios
                let deviation = sqrt (variance / float units)
                deviation |> shouldBeLessThan 0.03
                abs (mean - 1.0) |> shouldBeLessThan (4.0 * deviation)

            testCase "with more temperatures the bound comes closer"
            <| fun () ->
                let a, m = 6.0, 1.5

                let errors =
                    [ 1; 4; 20; 200 ]
                    |> List.map (fun temperatures ->
                        Array.average (estimates temperatures (gaussian 1 a m)) - exact 1 a m)

                errors |> List.pairwise |> List.iter (fun (fewer, more) -> fewer |> shouldBeLessThan more)
                List.last errors |> shouldBeIn (-0.5, 0.1)

            testCase "one temperature is a draw of importance sampling"
            <| fun () ->
                let noise = (Tensor.zeros [| Rows; 3 |]).reverseDiff()
                let weights = AnnealedImportanceSampling.record 2 [ noise ] (fun () -> noise.sum 1)
                AnnealedImportanceSampling.stepSizes 1 key weights |> shouldEqual [||]
                let found = AnnealedImportanceSampling.run [||] key weights
                let drawn = noise.toArray<float32>() |> Array.chunkBySize 6 |> Array.map (Array.sumBy float)
                (found, drawn) ||> Array.iter2 (fun a b -> a |> shouldBeNear 1e-5 b)
                found |> Array.distinct |> shouldHaveLength (Rows / 2)

            testCase "a constant weight is its own expectation"
            <| fun () ->
                let noise = (Tensor.zeros [| 6; 2 |]).reverseDiff()

                let weights = AnnealedImportanceSampling.record 3 [ noise ] (fun () -> (noise * 0.0).sum(1) - 7.0)

                for found in estimates 20 weights do
                    found |> shouldBeNear 1e-9 -21.0

            testCase "a trajectory that leaves the numbers is refused"
            <| fun () ->
                // √ is NaN below 0, where ε > 4: seldom at first, but the weights pull there.
                let noise = (Tensor.zeros [| Rows; 1 |]).reverseDiff()

                let weights =
                    AnnealedImportanceSampling.record 1 [ noise ] (fun () -> -8.0 * (4.0 - noise).sqrt().sum(1))

                let found = AnnealedImportanceSampling.run (Array.create 40 0.8) key weights
                found |> Array.forall Double.IsFinite |> shouldEqual true

                noise.toArray<float32>() |> Array.max |> shouldBeLessThan 4.0f
                noise.toArray<float32>() |> Array.average |> float |> shouldBeIn (1.0, 4.0)

            testCase "step sizes fit the weights: the narrower they are, the smaller"
            <| fun () ->
                let last (a: float) =
                    let sizes = AnnealedImportanceSampling.stepSizes 60 key (gaussian 1 a 0.0)
                    sizes |> shouldHaveLength 59
                    Array.last sizes

                last 400.0 |> shouldBeLessThan (0.5 * last 4.0)

            testCase "the same key gives the same bits, another key others"
            <| fun () ->
                let weights = gaussian 1 3.0 1.0
                let first = AnnealedImportanceSampling.run [| 0.2; 0.3 |] key weights
                AnnealedImportanceSampling.run [| 0.2; 0.3 |] (Key.OfSeed 4L) weights |> shouldDiffer first
                AnnealedImportanceSampling.run [| 0.2; 0.3 |] key weights |> shouldEqual first

            testCase "what doesn't fit is refused"
            <| fun () ->
                let refusal (action: unit -> AnnealedWeights) = messageOf<ArgumentException>(action >> ignore)
                let noise (rows: int) = (Tensor.zeros [| rows; 2 |]).reverseDiff()
                let four = noise 4
                let weights () = four.sum 1

                refusal (fun () -> AnnealedImportanceSampling.record 3 [ four ] weights)
                |> shouldStartWith "annealed importance sampling: 4 rows aren't units of 3"

                for others in [ []; [ four; noise 5 ] ] do
                    refusal (fun () -> AnnealedImportanceSampling.record 1 others weights)
                    |> shouldStartWith "annealed importance sampling: needs tensors with equally many rows"

                refusal (fun () -> AnnealedImportanceSampling.record 1 [ four ] (fun () -> four.sum ()))
                |> shouldStartWith "annealed importance sampling: log-weights are [||], not one for each of 4 rows"

                messageOf<ArgumentException>(fun () ->
                    AnnealedImportanceSampling.record 1 [ four ] weights
                    |> AnnealedImportanceSampling.stepSizes 0 key
                    |> ignore)
                |> shouldStartWith "annealed importance sampling: 0 temperatures; must be at least 1"
        ]
