module Scae.Tests.Randomness.GoodnessOfFitTests

open NUnit.Framework
open FsUnit
open Scae.Tensors
open Scae.Tests.Randomness.GoodnessOfFit

let private uniforms n =
    let values = Array.zeroCreate<float> n
    Key.OfSeed(11L).FillUniform values
    values

[<Test>]
let ``a slightly biased coin is rejected`` () =
    uniforms 100000
    |> Array.map (fun u -> if u < 0.51 then 0 else 1)
    |> fitsUniformLabels 2
    |> should equal false

[<Test>]
let ``counts that are exactly as expected are rejected as too good`` () =
    Array.init 10000 (fun i -> i % 100) |> fitsUniformLabels 100 |> should equal false

[<Test>]
let ``a remainder of too few bits is rejected`` () =
    // What an unthinking generator does: 3 doesn't divide 2^4.
    uniforms 100000
    |> Array.map (fun u -> int (u * 16.0) % 3)
    |> fitsUniformLabels 3
    |> should equal false

[<Test>]
let ``a slightly wrong range, mean or scale is rejected`` () =
    let u = uniforms 100000

    u
    |> Array.map (fun x -> 0.99 * x)
    |> fitsCumulative (uniformCumulative 0.0 1.0)
    |> should equal false

    let normals = Array.zeroCreate<float> 100000
    Key.OfSeed(12L).FillNormal(normals, 0.02, 1.0)
    normals |> fitsCumulative normalCumulative |> should equal false
    Key.OfSeed(12L).FillNormal(normals, 0.0, 1.03)
    normals |> fitsCumulative normalCumulative |> should equal false

[<Test>]
let ``the sum of two uniforms isn't normal`` () =
    uniforms 200000
    |> Array.chunkBySize 2
    |> Array.map (fun pair -> (Array.sum pair - 1.0) * sqrt 6.0)
    |> fitsCumulative normalCumulative
    |> should equal false

[<Test>]
let ``evenly spaced values are rejected as too good`` () =
    Array.init 1000 (fun i -> (float i + 0.5) / 1000.0)
    |> fitsCumulative (uniformCumulative 0.0 1.0)
    |> should equal false

[<Test>]
let ``a weak correlation is seen`` () =
    let u = uniforms 20000
    let x, y = u[..9999], u[10000..]
    areUncorrelated x y |> should equal true

    areUncorrelated x (Array.map2 (fun a b -> 0.1 * a + b) x y) |> should equal false

[<Test>]
let ``a shuffle that swaps with any place is rejected`` () =
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
    |> should equal false
