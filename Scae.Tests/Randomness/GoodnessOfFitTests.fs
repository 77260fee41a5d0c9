module Scae.Tests.Randomness.GoodnessOfFitTests

open Expecto
open Scae.Tests.Claims
open Scae.Tensors
open Scae.Tests.Randomness.GoodnessOfFit

let private uniforms n =
    let values = Array.zeroCreate<float> n
    Key.OfSeed(11L).FillUniform values
    values

[<Tests>]
let tests =
    testList
        "Randomness.GoodnessOfFit"
        [
            testCase "a slightly biased coin is rejected"
            <| fun () ->
                uniforms 100000
                |> Array.map (fun u -> if u < 0.51 then 0 else 1)
                |> fitsUniformLabels 2
                |> shouldEqual false

            testCase "counts that are exactly as expected are rejected as too good"
            <| fun () -> Array.init 10000 (fun i -> i % 100) |> fitsUniformLabels 100 |> shouldEqual false

            testCase "a remainder of too few bits is rejected"
            <| fun () ->
                // What an unthinking generator does: 3 doesn't divide 2^4.
                uniforms 100000
                |> Array.map (fun u -> int (u * 16.0) % 3)
                |> fitsUniformLabels 3
                |> shouldEqual false

            testCase "a slightly wrong range, mean or scale is rejected"
            <| fun () ->
                let u = uniforms 100000

                u
                |> Array.map (fun x -> 0.99 * x)
                |> fitsCumulative (uniformCumulative 0.0 1.0)
                |> shouldEqual false

                let normals = Array.zeroCreate<float> 100000
                Key.OfSeed(12L).FillNormal(normals, 0.02, 1.0)
                normals |> fitsCumulative normalCumulative |> shouldEqual false
                Key.OfSeed(12L).FillNormal(normals, 0.0, 1.03)
                normals |> fitsCumulative normalCumulative |> shouldEqual false

            testCase "the sum of two uniforms isn't normal"
            <| fun () ->
                uniforms 200000
                |> Array.chunkBySize 2
                |> Array.map (fun pair -> (Array.sum pair - 1.0) * sqrt 6.0)
                |> fitsCumulative normalCumulative
                |> shouldEqual false

            testCase "evenly spaced values are rejected as too good"
            <| fun () ->
                Array.init 1000 (fun i -> (float i + 0.5) / 1000.0)
                |> fitsCumulative (uniformCumulative 0.0 1.0)
                |> shouldEqual false

            testCase "a weak correlation is seen"
            <| fun () ->
                let u = uniforms 20000
                let x, y = u[..9999], u[10000..]
                areUncorrelated x y |> shouldEqual true

                areUncorrelated x (Array.map2 (fun a b -> 0.1 * a + b) x y) |> shouldEqual false

            testCase "a shuffle that swaps with any place is rejected"
            <| fun () ->
                // The common mistake: every place is exchanged with one of all n places, 4^4 ways for 24 orders.
                let u = uniforms (4 * 24000)

                Array.init 24000 (fun trial ->
                    let order = [| 0..3 |]

                    for i in 0..3 do
                        let j = int (u[4 * trial + i] * 4.0)
                        let held = order[i]
                        order[i] <- order[j]
                        order[j] <- held

                    order)
                |> Array.map (Array.fold (fun code digit -> 4 * code + digit) 0)
                |> Array.countBy id
                |> Array.map snd
                |> fitsCounts (Array.create 24 1000.0)
                |> shouldEqual false
        ]
