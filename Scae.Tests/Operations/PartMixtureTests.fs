/// The part mixture against its twin, composed of ordinary operations that hold [b, m, H, W] whole.
module Scae.Tests.Operations.PartMixtureTests

open Expecto
open Scae.Tests.Turns
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Threads
open Scae.Tests.Values
open Scae.Tests.Differentiation

/// Templates [b, m, n, h, w] through poses [b, m, 6] onto a canvas: [b, m, n, height, width].
let private draw (templates: Tensor) (poses: Tensor) height width =
    let s = templates.shape
    let b, m, n, h, w = s[0], s[1], s[2], s[3], s[4]
    let entry i = (poses.select(2, i).contiguous()).view(b * m, 1, 1)
    let a, q, tx, c, d, ty = entry 0, entry 1, entry 2, entry 3, entry 4, entry 5
    let det = a * d - q * c
    let u = Tensor.linspace(-1.0, 1.0, width, poses.dtype).view(1, 1, width) - tx
    let v = Tensor.linspace(-1.0, 1.0, height, poses.dtype).view(1, height, 1) - ty
    let grid = Tensor.stack ([ (d * u - q * v) / det; (a * v - c * u) / det ], -1)
    (templates.contiguous().view(b * m, n, h, w).gridSample grid).view(b, m, n, height, width)

/// An axis for the batch in front, when there is none, stretched to its size.
let private perImage b rank (x: Tensor) =
    if x.dim = rank then
        x
    else
        x.expand (Array.append [| b |] x.shape)

let private twin (x: Tensor) (scene: PartScene) =
    let b, c, height, width = x.size 0, x.size 1, x.size 2, x.size 3
    let m = scene.Poses.size 1
    let all = [| b; 1; c; height; width |]
    let drawn = draw (perImage b 5 scene.Templates) scene.Poses height width

    let value =
        match scene.Colour with
        | null -> drawn
        | colour -> drawn * colour.view (b, m, c, 1, 1)

    let ground = (perImage b 2 scene.Background).contiguous().view(b, 1, c, 1, 1).expand all

    let logits, groundLogits =
        match scene.Mixing.AlphaLogits, scene.Mixing.BackgroundLogit, scene.Mixing.Temperature with
        | Null, Null, NonNull temperature ->
            let temperature = temperature.view (1, 1, 1, 1)
            value.mean 2 / temperature, ground.mean 2 / temperature
        | NonNull alpha, NonNull logit, Null ->
            (draw ((perImage b 4 alpha).unsqueeze 2) scene.Poses height width).squeeze 2,
            logit.view(1, 1, 1, 1).expand(b, 1, height, width)
        | _ -> failtest "either logits of their own or a temperature"

    let mix =
        Tensor.cat([ logits + scene.LogPresence.contiguous().view(b, m, 1, 1); groundLogits ], 1).logsoftmax 1

    let values, x = Tensor.cat ([ value; ground ], 1), x.view (b, 1, c, height, width)

    let pixel =
        match scene.Scale with
        | null -> x.gaussianLogLikelihood (values, 1.0)
        | scale -> x.gaussianLogLikelihood (values, scale.view (1, 1, 1, 1, 1))

    (mix + pixel.sum 2).logsumexp(1).sum(2).sum(1)

/// Affine poses with scales around a half and shears, turned a little, from free numbers in (−2, 2).
let private affine (x: Tensor) =
    let entry i = x.slice (2, i, i + 1)
    let scale i = entry i * 0.15 + 0.5
    let shear i = entry i * 0.1
    Tensor.cat ([ scale 0; shear 1; entry 2 * 0.4; shear 3; scale 4; entry 5 * 0.4 ], 2)

/// Values and gradients of the fused operation and its twin agree.
let private agreeing (scene: Tensor list -> Tensor * PartScene) inputs =
    let fused xs = let x, s = scene xs in x.partMixture s
    let plain xs = scene xs ||> twin
    fused inputs |> shouldAgree 1e-10 (plain inputs)

    for a, b in List.zip (GradientCheck.reverse fused inputs) (GradientCheck.reverse plain inputs) do
        a |> shouldAgree 1e-10 b

let private common b m c = [ real 1 [ b; m; 6 ]; real 2 [ b; m ]; real 3 [ c ] ]

/// Canvases and templates of every kind of width: (b, m, c, h, w, H, W).
let private sizes =
    [
        2, 3, 1, 5, 4, 12, 17
        1, 1, 1, 1, 1, 1, 1
        3, 2, 2, 3, 1, 8, 16
        1, 4, 3, 1, 6, 9, 7
        2, 0, 1, 2, 2, 3, 3
        0, 2, 1, 2, 2, 3, 3
        1, 5, 1, 11, 11, 40, 40
    ]

/// The scene of section 3 in float32 and float64, with as many images as threads can share.
let private many dtype =
    let of' seed shape = tensorOf dtype seed (Array.ofList shape)
    let b, m = 37, 6

    of' 1 [ b; 1; 20; 20 ] * 0.2 + 0.5,
    [
        of' 2 [ m; 1; 7; 7 ]
        affine (of' 3 [ b; m; 6 ])
        of' 4 [ b; m ]
        of' 5 [ 1 ]
        of' 6 [ m; 7; 7 ]
        of' 7 []
        of' 8 [ b; m; 1 ]
    ]

let private coloured (x: Tensor) (xs: Tensor list) =
    x.partMixture (PartScene(xs[0], xs[1], xs[2], xs[3], PartMixing.Alpha(xs[4], xs[5]), Colour = xs[6]))

let private gradients (x: Tensor) xs =
    let leaves = xs |> List.map (fun (x: Tensor) -> x.reverseDiff ())
    let y = coloured x leaves
    y.sum().reverse()
    y :: List.map (fun (x: Tensor) -> x.derivative) leaves

let private scene ts poses presence ground mixing = PartScene(ts, poses, presence, ground, mixing)

[<Tests>]
let tests =
    testList
        "Operations.PartMixture"
        [
            testCase "with logits of its own it agrees with its twin, values and gradients"
            <| fun () ->
                for b, m, c, h, w, height, width in sizes do
                    let x = real 9 [ b; c; height; width ] * 0.5

                    agreeing
                        (fun xs -> x, scene xs[3] (affine xs[0]) xs[1] xs[2] (PartMixing.Alpha(xs[4], xs[5])))
                        (common b m c @ [ real 4 [ m; c; h; w ]; real 5 [ m; h; w ]; real 6 [] ])

            testCase "with templates, logits and backgrounds of each image it agrees with its twin"
            <| fun () ->
                for b, m, c, h, w, height, width in sizes do
                    let x = real 9 [ b; c; height; width ] * 0.5

                    agreeing
                        (fun xs -> x, scene xs[3] (affine xs[0]) xs[1] xs[6] (PartMixing.Alpha(xs[4], xs[5])))
                        (common b m c
                         @ [ real 4 [ b; m; c; h; w ]; real 5 [ b; m; h; w ]; real 6 [ 1 ]; real 7 [ b; c ] ])

            testCase "with logits tied to coloured values and a scale it agrees with its twin"
            <| fun () ->
                for b, m, c, h, w, height, width in sizes do
                    let x = real 9 [ b; c; height; width ] * 0.5

                    agreeing
                        (fun xs ->
                            let mixing = PartMixing.Coupled(xs[5] * 0.1 + 0.6)
                            let scale = xs[6] * 0.1 + 0.7
                            x, PartScene(xs[3], affine xs[0], xs[1], xs[2], mixing, Colour = xs[4], Scale = scale))
                        (common b m c @ [ real 4 [ m; c; h; w ]; real 5 [ b; m; c ]; real 6 []; real 7 [] ])

            testCase "the identity pose on a canvas of the template's size explains the template itself"
            <| fun () ->
                let template = real 1 [ 1; 1; 11; 11 ]
                let identity = ofList [ 1.0; 0.0; 0.0; 0.0; 1.0; 0.0 ] [ 1; 1; 6 ]
                let alone = PartMixing.Alpha(Tensor.zeros ([| 1; 11; 11 |], Dtype.Float64), ofList [ -60.0 ] [])

                let scene = scene template identity (ofList [ 0.0 ] [ 1; 1 ]) (ofList [ 0.0 ] [ 1 ]) alone

                template.partMixture scene |> shouldBe [ -121.0 * 0.5 * log (2.0 * System.Math.PI) ]

            testCase "a canvas of one pixel shows the middle of a template, as where images are sampled"
            <| fun () ->
                let template = ofList [ 1.0 .. 9.0 ] [ 1; 1; 3; 3 ]
                let identity = ofList [ 1.0; 0.0; 0.0; 0.0; 1.0; 0.0 ] [ 1; 1; 6 ]
                let alone = PartMixing.Alpha(Tensor.zeros ([| 1; 3; 3 |], Dtype.Float64), ofList [ -60.0 ] [])
                let scene = scene template identity (ofList [ 0.0 ] [ 1; 1 ]) (ofList [ 0.0 ] [ 1 ]) alone

                (ofList [ 5.0 ] [ 1; 1; 1; 1 ]).partMixture scene |> shouldBe [ -0.5 * log (2.0 * System.Math.PI) ]

            testCase "all parts absent leave the background alone, and a perfect background is the best there is"
            <| fun () ->
                let x = Tensor.full ([| 1; 1; 40; 40 |], 0.25, Dtype.Float64)

                let scene =
                    scene
                        (real 1 [ 3; 1; 11; 11 ])
                        (affine (real 2 [ 1; 3; 6 ]))
                        (Tensor.full ([| 1; 3 |], -1e8, Dtype.Float64))
                        (ofList [ 0.25 ] [ 1 ])
                        (PartMixing.Alpha(real 3 [ 3; 11; 11 ], ofList [ 0.7 ] []))

                // Section 10 of the paper's checks: −1470.30 on 40 × 40 pixels.
                x.partMixture scene |> shouldBe [ -1600.0 * 0.5 * log (2.0 * System.Math.PI) ]

            testCase "a singular or undefined pose makes its own image's likelihood NaN, and no other's"
            <| fun () ->
                let poses =
                    ofList
                        [ 1.0; 1.0; 0.0; 1.0; 1.0; 0.0; 0.5; 0.0; 0.0; 0.0; 0.5; nan; 0.5; 0.0; 0.0; 0.0; 0.5; 0.0 ]
                        [ 3; 1; 6 ]

                let scene =
                    scene
                        (real 1 [ 1; 1; 3; 3 ])
                        (poses.reverseDiff ())
                        (real 2 [ 3; 1 ])
                        (real 3 [ 1 ])
                        (PartMixing.Alpha(real 4 [ 1; 3; 3 ], real 5 []))

                let y = (real 6 [ 3; 1; 5; 5 ]).partMixture scene
                y.sum().reverse()
                read y |> Array.map System.Double.IsFinite |> shouldEqual [| false; false; true |]

                read scene.Poses.derivative
                |> Array.chunkBySize 6
                |> Array.map (Array.forall System.Double.IsFinite)
                |> shouldEqual [| false; false; true |]

            testCase "a part far away, or tiny, is absent everywhere rather than an error"
            <| fun () ->
                let poses = ofList [ 0.5; 0.0; 1e6; 0.0; 0.5; 0.0; 1e-9; 0.0; 0.3; 0.0; 1e-9; 0.3 ] [ 1; 2; 6 ]

                let x = real 6 [ 1; 1; 5; 5 ]

                let scene =
                    scene
                        (real 1 [ 2; 1; 3; 3 ])
                        poses
                        (real 2 [ 1; 2 ])
                        (real 3 [ 1 ])
                        (PartMixing.Alpha(real 4 [ 2; 3; 3 ], real 5 []))

                x.partMixture scene |> shouldAgree 1e-12 (twin x scene)

            testCase "far logits and a small scale neither overflow nor vanish in float32"
            <| fun () ->
                let x, xs = many Dtype.Float32

                for logits in [ 300.0; -300.0 ] do
                    let far = List.updateAt 4 (xs[4] * 0.0 + logits) xs
                    let mixing = PartMixing.Alpha(far[4], far[5])

                    let y =
                        x.partMixture (
                            PartScene(far[0], far[1], far[2], far[3], mixing, Scale = Tensor.full ([||], 0.01))
                        )

                    read y |> Array.forall System.Double.IsFinite |> shouldEqual true

            testAlone "the number of threads changes no bit of values and gradients"
            <| fun () ->
                for dtype in [ Dtype.Float32; Dtype.Float64 ] do
                    let x, xs = many dtype
                    shouldBeSameOnAnyThreads (fun () -> gradients x xs |> List.map read)

            testCase "slopes made forwards, in a replay, are those made backwards"
            <| fun () ->
                for dtype in [ Dtype.Float32; Dtype.Float64 ] do
                    let x, xs = many dtype
                    let expected = gradients x xs |> List.map read
                    let leaves = xs |> List.map (fun (x: Tensor) -> x.reverseDiff ())
                    let recording = Recording.Of(fun () -> let y = coloured x leaves in [ y.sum (); y ])

                    let run forwards =
                        for _ in 1..forwards do
                            recording.Forward()

                        recording.Reverse()

                        recording.Outputs[1] :: List.map (fun (x: Tensor) -> x.derivative) leaves
                        |> List.map read
                        |> shouldEqual expected

                    // The second run makes them forwards, the third and the last don't.
                    List.iter run [ 0; 1; 2; 1; 3 ]

            testCase "float32 comes near float64"
            <| fun () ->
                let x, xs = many Dtype.Float64
                let narrow = xs |> List.map _.cast(Dtype.Float32)

                for wide, near in List.zip (gradients x xs) (gradients (x.cast Dtype.Float32) narrow) do
                    near.cast (Dtype.Float64) |> shouldAgree 3e-4 wide

            testCase "errors name what doesn't fit"
            <| fun () ->
                let x = real 1 [ 2; 1; 5; 5 ]
                let mixing = PartMixing.Alpha(real 2 [ 3; 4; 4 ], real 3 [])

                shouldSay
                    "partMixture: templates [3, 2, 4, 4] for images [2, 1, 5, 5] and poses [2, 3, 6]; needs [3, 1, 4, 4] or [2, 3, 1, 4, 4]"
                    (fun () ->
                        x.partMixture (
                            scene (real 4 [ 3; 2; 4; 4 ]) (real 5 [ 2; 3; 6 ]) (real 6 [ 2; 3 ]) (real 7 [ 1 ]) mixing
                        ))

                shouldSay
                    "partMixture: images [2, 1, 5, 5] with poses [2, 3, 3]; needs [b, c, H, W] with at least one pixel and [b, m, 6]"
                    (fun () ->
                        x.partMixture (
                            scene (real 4 [ 3; 1; 4; 4 ]) (real 5 [ 2; 3; 3 ]) (real 6 [ 2; 3 ]) (real 7 [ 1 ]) mixing
                        ))
        ]
