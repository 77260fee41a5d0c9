/// Fused mixture operations beside what they are made of.
module Scae.Tests.Operations.MixtureTests

open Scae.Tests.Claims
open Expecto
open Scae.Tensors

// Around every width of a vector, and more than one of them.
let private lengths = [ 0; 1; 7; 8; 9; 15; 16; 17; 33 ]

let private draw (seed: int) (slots: int) (pixels: int) (dtype: Dtype) =
    let random (name: string) (shape: int[]) =
        let values = Array.zeroCreate<float>(Array.fold (*) 1 shape)
        ((Key.OfSeed(int64 seed)).Named name).FillUniform(System.Span values, 0.001, 0.999)
        (Tensor.``of`` (values, shape)).cast dtype

    let means = random "means" [| 3; slots; pixels |]
    let gamma = random "gamma" [| 3; slots; pixels |]
    let image = (random "image" [| 3; pixels |]).gt 0.5
    means, gamma, image

let private probability (means: Tensor) (image: Tensor) =
    let x = image.unsqueeze 1
    (means * x + (1.0 - means) * (1.0 - x)).clamp(1e-6, 1.0 - 1e-6)

let private close (a: Tensor) (b: Tensor) =
    a.shape = b.shape
    && Seq.forall2 (fun (p: float) q -> abs (p - q) <= 1e-12 * (1.0 + abs q)) (a.toArray<float>()) (b.toArray<float>())

let private agrees
    (fused: Tensor -> Tensor -> Tensor -> Tensor)
    (twin: Tensor -> Tensor -> Tensor -> Tensor)
    (seed: int)
    =
    lengths
    |> List.forall (fun pixels ->
        let means, gamma, image = draw seed (1 + abs (seed % 4)) pixels Dtype.Float64
        close (fused means gamma image) (twin means gamma image))

[<Tests>]
let tests =
    testList
        "Operations.Mixture"
        [
            testPropertyWithConfig (samples 10) "responsibilities are probabilities over their sum"
            <| fun (seed: int) ->
                agrees
                    (fun means _ image -> means.bernoulliResponsibilities (image, 1e-6, 0.01))
                    (fun means _ image ->
                        let p = probability means image + 0.01
                        p / p.sum (1, true))
                    seed

            testPropertyWithConfig (samples 10) "responsibilities are the softmax of log-likelihoods"
            <| fun (seed: int) ->
                agrees
                    (fun means _ image -> means.bernoulliResponsibilities image)
                    (fun means _ image -> (probability means image).log().softmax 1)
                    seed

            testPropertyWithConfig (samples 10) "the mixture's log-likelihood is that of the mean probability"
            <| fun (seed: int) ->
                agrees
                    (fun means _ image -> means.bernoulliMixture image)
                    (fun means _ image -> (probability means image).mean(1).log())
                    seed

            testPropertyWithConfig (samples 10) "residuals of the E-step are those of its responsibilities"
            <| fun (seed: int) ->
                agrees
                    (fun means gamma image -> means.bernoulliResidual (image, gamma.select (1, 0), 1e-6, 0.01))
                    (fun means gamma image ->
                        means.bernoulliResponsibilities (image, 1e-6, 0.01) * (gamma.select(1, 0).unsqueeze 1 - means))
                    seed

            for through in [ true; false ] do
                testCase $"gradients of the E-step's residuals are those of its parts ({through})"
                <| fun () ->
                    for pixels in lengths |> List.filter ((<) 0) do
                        let means, gamma, image = draw 3 3 pixels Dtype.Float64
                        let input = gamma.select (1, 0)

                        let gradient (residual: Tensor -> Tensor) =
                            let means = means.reverseDiff ()
                            (residual means * gamma).sum().reverse()
                            means.derivative

                        let fused =
                            gradient (fun means ->
                                means.bernoulliResidual (image, input, 1e-6, 0.01, throughResponsibilities = through))

                        let twin =
                            gradient (fun means ->
                                let gamma = means.bernoulliResponsibilities (image, 1e-6, 0.01)
                                (if through then gamma else gamma.noDiff ()) * (input.unsqueeze 1 - means))

                        close fused twin |> shouldEqual true

            testPropertyWithConfig (samples 10) "a slot pays for its pixels and for light elsewhere"
            <| fun (seed: int) ->
                agrees
                    (fun means gamma image -> means.bernoulliSlotLoss (gamma, image, 0.5))
                    (fun means gamma image ->
                        let own = gamma * (probability means image).log()
                        let other = (1.0 - gamma) * (1.0 - means).log()
                        (-own - other * 0.5).sum [| 1; 2 |])
                    seed

            testCase "float32 agrees with float64"
            <| fun () ->
                for pixels in lengths do
                    let means, gamma, image = draw 5 3 pixels Dtype.Float64
                    let single (x: Tensor) = x.cast Dtype.Float32

                    let pairs =
                        [
                            means.bernoulliResponsibilities image,
                            (single means).bernoulliResponsibilities(single image)
                            means.bernoulliMixture image, (single means).bernoulliMixture(single image)
                            means.bernoulliSlotLoss (gamma, image),
                            (single means).bernoulliSlotLoss(single gamma, single image)
                        ]

                    for wide, narrow in pairs do
                        for p, q in Seq.zip (wide.toArray<float>()) (narrow.toArray<float32>()) do
                            abs (p - float q) / (1.0 + abs p) |> shouldBeLessThan 1e-5

            testCase "a mean of exactly 0 or 1 stays finite"
            <| fun () ->
                let means = Tensor.``of`` ([| 0.0f; 1.0f; 0.0f; 1.0f |], 1, 2, 2)
                let image = Tensor.``of`` ([| 1.0f; 0.0f |], 1, 2)
                let finite (x: Tensor) = x.toArray<float32>() |> Array.forall System.Single.IsFinite
                finite (means.bernoulliResponsibilities image) |> shouldEqual true
                finite (means.bernoulliMixture image) |> shouldEqual true
                finite (means.bernoulliSlotLoss (means.bernoulliResponsibilities image, image)) |> shouldEqual true

            testCase "limits that leave no probability are refused"
            <| fun () ->
                let means, gamma, image = draw 1 2 3 Dtype.Float64

                for clip in [ 0.5; 0.6; -0.1; nan ] do
                    for action in
                        [
                            fun () -> means.bernoulliResponsibilities (image, clip)
                            fun () -> means.bernoulliMixture (image, clip)
                            fun () -> means.bernoulliResidual (image, image, clip)
                            fun () -> means.bernoulliSlotLoss (gamma, image, clip = clip)
                        ] do
                        messageOf<System.ArgumentException>(action >> ignore)
                        |> shouldEndWith "must be at least 0 and below 0.5"

            testCase "no gradient passes where a probability is limited"
            <| fun () ->
                let gradient (loss: Tensor -> Tensor) =
                    let means = (Tensor.``of`` ([| 0.01; 0.5; 0.7; 0.99 |], 1, 2, 2)).reverseDiff()
                    (loss means).reverse()
                    means.derivative.toArray<float>() |> Array.map (fun g -> g <> 0.0)

                let image = Tensor.``of`` ([| 1.0; 0.0 |], 1, 2)
                // Pixel 0 is lit: p is (0.01, 0.7); pixel 1 is dark: p is (0.5, 0.01).
                let expected = [| false; true; true; false |]
                gradient (fun means -> (means.bernoulliMixture (image, 0.1)).sum()) |> shouldEqual expected

                gradient (fun means ->
                    let weights = Tensor.``of`` ([| 1.0; 2.0; 3.0; 5.0 |], 1, 2, 2)
                    (means.bernoulliResponsibilities (image, 0.1) * weights).sum())
                |> shouldEqual expected
        ]
