module Scae.Tests.Models.TemplateCapsulesTests

open System
open Expecto
open Scae.Core.Data
open Scae.Core.Models
open Scae.Tensors
open Scae.Tests.Claims

let private scenes: PatternScenesConfig = { PatternScenes.paper with Noise = 0.1 }

let private template (points: struct (float * float)[]) : FittedTemplate =
    let centred = Template.create "" [ for struct (x, y) in points -> x, y ]
    let radius = centred.Points |> Array.averageBy (fun struct (x, y) -> x * x + y * y) |> sqrt

    SimilarityFit.prepare
        { centred with
            Points = centred.Points |> Array.map (fun struct (x, y) -> struct (x / radius, y / radius))
        }

let private objects: SearchedObjects =
    {
        Sizes = { Sizes = [| 4; 4; 3 |]; Presence = [| 0.5; 0.6; 0.4 |] }
        Templates = [| template PatternScenes.square; template PatternScenes.square; template PatternScenes.triangle |]
        Deviations = [| 0.07; 0.08; 0.09 |]
        LogScales = [| -1.7; -1.7; -1.8 |]
        Spreads = [| 0.4; 0.5; 0.4 |]
    }

/// The present points of a scene.
let private points (batch: PatternScenes) (scene: int) : float[] * float[] =
    let n = batch.Points.shape[1]
    let xy, presence = batch.Points.toArray<float32>(), batch.Presence.toArray<float32>()
    let kept = [| scene * n .. scene * n + n - 1 |] |> Array.filter (fun i -> presence[i] > 0.5f)
    kept |> Array.map (fun i -> float xy[2 * i]), kept |> Array.map (fun i -> float xy[2 * i + 1])

/// What an object is worth that has the points of a set, or none.
let private value (xs: float[], ys: float[]) (k: int) (set: int[]) : float =
    let presence = objects.Sizes.Presence[k]

    if set.Length = 0 then
        log (1.0 - presence)
    else
        let struct (residual, re, im, _, _) = SimilarityFit.fit objects.Templates[k] xs ys (ReadOnlySpan set)

        let evidence =
            TemplateSearch.evidence set.Length objects.Deviations[k] objects.LogScales[k] objects.Spreads[k]

        log presence + evidence (max 0.0 residual) (sqrt (re * re + im * im))

/// The value of the best explanation, by giving every point to every object.
let private byTrying (xs: float[], ys: float[]) : float =
    let mutable best = -infinity

    for code in 0 .. pown 3 xs.Length - 1 do
        let sets =
            Array.init 3 (fun k -> [| 0 .. xs.Length - 1 |] |> Array.filter (fun i -> code / pown 3 i % 3 = k))

        if Array.forall2 (fun (set: int[]) size -> set.Length = 0 || set.Length = size) sets objects.Sizes.Sizes then
            best <- max best (sets |> Array.mapi (value (xs, ys)) |> Array.sum)

    best

/// Capsules that are told the patterns and have counted the scenes, and a batch of these.
let private told (most: int) (batch: PatternScenes) : TemplateCapsules * TemplateCapsulesBatch =
    let capsules =
        TemplateCapsules.init TemplateCapsules.standard Dtype.Float32 (Key.OfSeed 3L)
        |> TemplateCapsules.told [| PatternScenes.square; PatternScenes.triangle; PatternScenes.square |]

    let counts = Array.zeroCreate<float32> 13

    for n in (batch.Presence.sum 1).toArray<float32>() do
        counts[int n] <- counts[int n] + 1.0f

    let room = TemplateCapsules.allocate 11 batch.Points.shape[0]
    batch.Points.CopyTo(room.Points.Elements<float32>())
    batch.Presence.CopyTo(room.Presence.Elements<float32>())
    room.Most.Elements<float32>()[0] <- float32 most
    { capsules with Counts = Tensor.``of`` (counts, [| 13 |]) }, room

[<Tests>]
let tests =
    testList
        "Models.TemplateCapsules"
        [
            testCase "the search finds what trying all divisions finds"
            <| fun () ->
                let batch = PatternScenes.sample scenes 60 (Key.OfSeed 1L)
                let explain = TemplateSearch.explain objects 3

                // 3⁸ ways each; those of 11 points would take a minute.
                let few = [ 0..59 ] |> List.map (points batch) |> List.filter (fun (xs, _) -> xs.Length <= 8)

                few.Length |> shouldBeAtLeast 10

                for xs, ys in few do
                    match explain xs ys with
                    | None -> failtest $"a scene of {xs.Length} points isn't explained"
                    | Some found -> found.Value |> shouldBeNear 1e-9 (byTrying (xs, ys))

            testCase "the evidence is the integral over poses"
            <| fun () ->
                let sigma, mu, tau = 0.02, -1.7, 0.4
                let triangle = objects.Templates[2]
                let at i = Numerics.Complex(triangle.X[i], triangle.Y[i])
                let shifts = [| 0.003, -0.002; -0.001, 0.001; 0.002, 0.002 |]

                let places =
                    Array.init 3 (fun i ->
                        Numerics.Complex.FromPolarCoordinates(0.2, 0.3) * at i
                        + Numerics.Complex(fst shifts[i], snd shifts[i]))

                let xs, ys = places |> Array.map _.Real, places |> Array.map _.Imaginary
                let struct (residual, re, im, tx, ty) = SimilarityFit.fit triangle xs ys (ReadOnlySpan [| 0; 1; 2 |])
                let order = Array.zeroCreate<int> 3
                SimilarityFit.correspond triangle xs ys (ReadOnlySpan [| 0; 1; 2 |]) (Span order)
                let best = Numerics.Complex(re, im)
                // s in the density is the fit's, as the formula has it.
                let width = sigma * best.Magnitude
                let cell = width / 4.0

                let misfit (z: Numerics.Complex) =
                    Seq.sum
                        [ for i in 0..2 -> (places[order[i]] - Numerics.Complex(tx, ty) - z * at i).Magnitude ** 2.0 ]

                let overPoses =
                    Seq.sum
                        [
                            for i in -24 .. 24 do
                                for j in -24 .. 24 do
                                    let z = best + Numerics.Complex(float i * cell, float j * cell)
                                    exp (-misfit z / (2.0 * width * width)) * cell * cell
                        ]

                // Over places it is a Gaussian's, 2πσ²s²/m.
                let overPlaces = 2.0 * Math.PI * width * width / 3.0
                let s = best.Magnitude
                let ofScale = exp (-0.5 * ((log s - mu) / tau) ** 2.0) / (tau * sqrt (2.0 * Math.PI))
                let prior = ofScale / (s * s) / (2.0 * Math.PI) / 4.0

                TemplateSearch.evidence 3 sigma mu tau residual s
                |> shouldBeNear 1e-6 (log ((2.0 * Math.PI * width * width) ** -3.0 * overPlaces * overPoses * prior))

            testCase "empty scenes have no object; one point, NaN and points in one place are no NaN"
            <| fun () ->
                let explain = TemplateSearch.explain objects 3

                match explain [||] [||] with
                | Some found ->
                    found.Sets |> shouldEqual [| 0; 0; 0 |]
                    found.Value |> shouldBeNear 1e-12 (log 0.5 + log 0.4 + log 0.6)
                | None -> failtest "the empty scene isn't explained"

                explain [| 0.1 |] [| 0.2 |] |> shouldEqual None
                explain [| nan; 0.0; 1.0 |] [| 0.0; 1.0; 0.0 |] |> shouldEqual None

                match explain (Array.create 3 0.5) (Array.create 3 0.5) with
                | Some found -> Double.IsFinite found.Value |> shouldEqual true
                | None -> failtest "three points are a triangle, however small"

            testCase "the loss is minus the explanations' value, up to what no parameter changes"
            <| fun () ->
                let batch = PatternScenes.sample scenes 40 (Key.OfSeed 2L)
                let capsules, room = told 3 batch
                let config = TemplateCapsules.standard
                let loss, counts = TemplateCapsules.loss config capsules room
                // They are counted once more.
                counts.toArray<float32>()
                |> shouldEqual (capsules.Counts.toArray<float32>() |> Array.map ((*) 2.0f))

                let found = TemplateCapsules.explain config capsules batch
                let { Presence = presence; Sizes = sizes } = (TemplateCapsules.objects config capsules).Sizes

                let constant =
                    found.Presence
                    |> Array.mapi (fun i there ->
                        let k = i % 3

                        if there > 0.5 then
                            log presence[k] - 2.0 * log (float sizes[k]) - log 4.0 - 1.5 * log (2.0 * Math.PI)
                        else
                            log (1.0 - presence[k]))
                    |> Array.sum

                -40.0 * loss.toScalar () + constant |> shouldBeNear 0.01 (Array.sum found.LogLikelihood)

            testCase "scenes of more objects than are learned from have no part in the loss"
            <| fun () ->
                let batch = PatternScenes.sample scenes 40 (Key.OfSeed 4L)
                let capsules, room = told 1 batch

                let loss () =
                    (fst (TemplateCapsules.loss TemplateCapsules.standard capsules room)).toScalar()

                let before = loss ()

                let shift scene =
                    for i in 22 * scene .. 22 * scene + 21 do
                        let points = room.Points.Elements<float32>()
                        points[i] <- points[i] + float32 (i % 7) * 0.01f

                let count scene = PatternScenes.patternCount scenes scene batch
                [ 0..39 ] |> List.filter (fun scene -> count scene > 1) |> List.iter shift
                loss () |> shouldEqual before
                [ 0..39 ] |> List.filter (fun scene -> count scene = 1) |> List.iter shift
                loss () |> shouldDiffer before
        ]
