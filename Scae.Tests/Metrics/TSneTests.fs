module Scae.Tests.Metrics.TSneTests

open System
open Expecto
open Scae.Tests.Turns
open Scae.Core.Metrics
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Threads

let private clouds (classes: int) (d: int) (count: int) (spread: float) =
    let centres = Array.zeroCreate<float>(classes * d)
    (Key.OfSeed 7L).FillNormal(Span centres)
    let noise = Array.zeroCreate<float>(count * d)
    (Key.OfSeed 8L).FillNormal(Span noise)
    let labels = Array.init count (fun i -> i % classes)

    labels
    |> Array.mapi (fun i label -> Array.init d (fun j -> centres[label * d + j] + spread * noise[i * d + j])),
    labels

let private quick = { TSne.published with Perplexity = 20.0; Rounds = 400; ExaggeratedRounds = 150 }

[<Tests>]
let tests =
    testList
        "Metrics.TSne"
        [
            testCase "clouds of ten dimensions stay apart in the plane, and neighbours stay neighbours"
            <| fun () ->
                let points, labels = clouds 6 10 480 0.25
                let places = TSne.embed quick (Key.OfSeed 1L) points
                let even = [| 0..479 |] |> Array.filter (fun i -> i / 6 % 2 = 0)
                let odd = [| 0..479 |] |> Array.filter (fun i -> i / 6 % 2 = 1)
                let pick (xs: 'a[]) = Array.map (fun (i: int) -> xs[i])

                NearestNeighbours.accuracy (pick places even, pick labels even) (pick places odd, pick labels odd)
                |> shouldBeGreaterThan 0.97

                let kept = NearestNeighbours.preservation 20 points places
                let shuffled = Array.copy places
                (Key.OfSeed 2L).Shuffle(Span shuffled)
                kept |> shouldBeGreaterThan 0.4
                NearestNeighbours.preservation 20 points shuffled |> shouldBeLessThan 0.15

            testCase "a sheet rolled up in three dimensions is unrolled: most neighbours are kept"
            <| fun () ->
                let points =
                    [|
                        for i in 0..29 do
                            for j in 0..14 -> [| cos (0.1 * float i); sin (0.1 * float i); 0.1 * float j |]
                    |]

                NearestNeighbours.preservation 10 points (TSne.embed quick (Key.OfSeed 1L) points)
                |> shouldBeGreaterThan 0.6

            testAlone "the same key gives the same places on any number of threads, another key others"
            <| fun () ->
                let points, _ = clouds 3 5 300 0.5
                let config = { quick with Rounds = 30 }
                let embed seed = TSne.embed config (Key.OfSeed seed) points
                shouldBeSameOnAnyThreads (fun () -> embed 1L)
                embed 2L |> shouldDiffer (embed 1L)

            testCase "Barnes–Hut sums are the exact ones for θ = 0 and near them for θ = 0.5"
            <| fun () ->
                let n = 400
                let noise = Array.zeroCreate<float>(2 * n)
                (Key.OfSeed 3L).FillNormal(Span noise)
                // Two equal points among them.
                let xs = Array.init n (fun i -> if i = 1 then noise[0] else noise[2 * i])
                let ys = Array.init n (fun i -> if i = 1 then noise[1] else noise[2 * i + 1])
                let tree = QuadTree.allocate n
                QuadTree.build xs ys tree
                let stack = Array.zeroCreate QuadTree.StackSize

                for i in 0..17 .. n - 1 do
                    let mutable total = 0.0
                    let mutable fx = 0.0
                    let mutable fy = 0.0

                    for j in 0 .. n - 1 do
                        if j <> i then
                            let dx, dy = xs[i] - xs[j], ys[i] - ys[j]
                            let q = 1.0 / (1.0 + dx * dx + dy * dy)
                            total <- total + q
                            fx <- fx + q * q * dx
                            fy <- fy + q * q * dy

                    let struct (exact, exactX, exactY) = QuadTree.repulsion 0.0 tree stack xs[i] ys[i]
                    exact |> shouldBeNear 1e-9 total
                    exactX |> shouldBeNear 1e-9 fx
                    exactY |> shouldBeNear 1e-9 fy
                    let struct (near, nearX, _) = QuadTree.repulsion 0.5 tree stack xs[i] ys[i]
                    near |> shouldBeNear (0.01 * total) total
                    nearX |> shouldBeNear (0.02 * total) fx

            testCase "many points on one place, few points and none are laid out all the same"
            <| fun () ->
                let finite (places: float[][]) =
                    places |> Array.forall (Array.forall Double.IsFinite) |> shouldEqual true

                let config = { quick with Rounds = 60; ExaggeratedRounds = 20 }
                finite (TSne.embed config (Key.OfSeed 1L) (Array.init 200 (fun _ -> [| 1.0; 2.0; 3.0 |])))
                finite (TSne.embed config (Key.OfSeed 1L) (Array.init 200 (fun i -> [| float (i / 100) |])))

                for n in 0..5 do
                    let places = TSne.embed config (Key.OfSeed 1L) (Array.init n (fun i -> [| float i; 1.0 |]))
                    places |> shouldHaveLength n
                    finite places

            testCase "points at no finite distance are refused, and are nobody's neighbours"
            <| fun () ->
                let embed points = TSne.embed TSne.published (Key.OfSeed 0L) points |> ignore

                for points in
                    [
                        Array.init 30 (fun i -> [| (if i = 3 then nan else float i); 1.0 |])
                        Array.init 30 (fun i -> [| 1e200 * float i |])
                    ] do
                    messageOf<ArgumentException>(fun () -> embed points)
                    |> shouldStartWith "t-SNE: the distance of point "

                let unknown = Array.replicate 10 [| nan |]
                NearestNeighbours.preservation 3 unknown unknown |> shouldEqual 0.0

            testCase "a Theta at which a point's own square may count as far is refused"
            <| fun () ->
                for theta in [ -0.1; 0.71; nan ] do
                    let config = { TSne.published with Theta = theta }

                    messageOf<ArgumentException>(fun () -> TSne.embed config (Key.OfSeed 0L) [||] |> ignore)
                    |> shouldStartWith $"Theta is {theta}; it must be from 0 to 0.7"

            testCase "the perplexity is at most a third of the others"
            <| fun () ->
                [ 2; 100; 151; 10_000 ]
                |> List.map (TSne.perplexity TSne.published)
                |> shouldEqual [ 1.0; 33.0; 50.0; 50.0 ]

            testCase "principal components are those of a stretched cloud, largest first"
            <| fun () ->
                let noise = Array.zeroCreate<float> 3000
                (Key.OfSeed 3L).FillNormal(Span noise)

                let points =
                    Array.init 1000 (fun i -> [| 0.1 * noise[i]; 5.0 * noise[1000 + i]; 2.0 * noise[2000 + i] |])

                let projected = PrincipalComponents.project 2 points
                let deviation a = sqrt (projected |> Array.averageBy (fun (p: float[]) -> p[a] * p[a]))
                deviation 0 |> shouldBeNear 0.4 5.0
                deviation 1 |> shouldBeNear 0.2 2.0
                projected[10][0] |> shouldBeNear 0.3 (5.0 * noise[1010])

            testCase "directions don't depend on how large the data is"
            <| fun () ->
                for scale in [ 1e-9; 1.0; 1e9 ] do
                    let projected = PrincipalComponents.project 2 [| for x in [ 0.0; 1.0 ] -> [| scale * x; 0.0 |] |]

                    projected[0][0] / scale |> shouldBeNear 1e-12 -0.5
                    projected[1][0] / scale |> shouldBeNear 1e-12 0.5
                    projected |> Array.iter (fun point -> point[1] / scale |> shouldBeNear 1e-12 0.0)

            testCase "points that floats can't square have neighbours too; what is no number has none"
            <| fun () ->
                let points = [| [| 0.0 |]; [| 1e20 |]; [| nan |] |]

                (NearestNeighbours.find 1 [| [| 1e20 |]; [| 3.0 |]; [| nan |] |] points).Indices
                |> shouldEqual [| [| 1 |]; [| 0 |]; [| -1 |] |]

                NearestNeighbours.accuracy (points, [| 7; 8; 9 |]) ([| [| 1e20 |]; [| nan |] |], [| 8; 7 |])
                |> shouldEqual 0.5
        ]
