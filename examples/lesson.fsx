// An hour's class: what a network without labels can find, and what one equation changes.
//
//     dotnet build -c Release
//     dotnet fsi examples/lesson.fsx                 writes lesson.png; --use:examples/lesson.fsx goes on at the prompt
//
// In a notebook (Polyglot, Jupyter with .NET) each part below is a cell, and the picture is shown from its file.

#r "../Scae.Cli/bin/Release/net10.0/Scae.Tensors.dll"
#r "../Scae.Cli/bin/Release/net10.0/Scae.Core.dll"
#r "../Scae.Cli/bin/Release/net10.0/System.Numerics.Tensors.dll"
#r "../Scae.Cli/bin/Release/net10.0/SkiaSharp.dll"
#r "../Scae.Cli/bin/Release/net10.0/ScottPlot.dll"

open System.IO
open ScottPlot
open Scae.Core.Layers
open Scae.Core.Training
open Scae.Tensors

// 1. DATA. Three objects, each a cloud of points. A tenth of the points belongs to none. Nobody tells which is which.

let objects, count = 3, 240
let root = Key.OfSeed 0L

let points =
    let noise = Array.zeroCreate<float32>(2 * count)
    (root.Named "noise").FillNormal(noise, 0.0f, 0.35f)
    let stray = Array.zeroCreate<float32>(2 * count)
    (root.Named "stray").FillUniform(stray, -6.0f, 6.0f)

    Array.init (2 * count) (fun i ->
        let point, axis = i / 2, i % 2
        let angle = 2.0 * System.Math.PI * float (point % objects) / float objects
        let centre = if axis = 0 then cos angle else sin angle

        if point % 10 = 9 then
            stray[i]
        else
            2.0f * float32 centre + noise[i])

let x = Tensor.``of`` (points, count, 1, 2)

// 2. MODEL. Capsule k is a place μ_k. The nearer it is to a point x, the better it explains x; all capsules explain x together.

type Model = { Centres: Tensor }

let init (key: Key) : Model =
    let drawn = Array.zeroCreate<float32>(2 * objects)
    key.FillNormal(drawn, 0.0f, 0.3f)
    Parameters.trainable { Centres = Tensor.``of`` (drawn, objects, 2) }

/// |x - μ_k|², [points, objects].
let squaredDistances (model: Model) : Tensor =
    let difference = x - model.Centres
    (difference * difference).sum 2

/// THE EQUATION. log p(x|k) = -|x - μ_k|² / 2: a Gaussian. [points, objects]
let gaussian (model: Model) : Tensor = squaredDistances model * -0.5

/// ANOTHER. log p(x|k) = -√(1 + |x - μ_k|²): far points count for less. What will the strays do now?
let robust (model: Model) : Tensor = -(squaredDistances model + 1.0).sqrt()

/// -log Σ_k p(x|k), the mean over points; log K, a constant, is left out.
let loss (equation: Model -> Tensor) (model: Model) : Tensor = -(equation(model).logsumexp 1).mean()

// 3. TRAINING. The loss is recorded once; a step replays it, and its gradients backwards.

let train (equation: Model -> Tensor) : Model * float[] =
    let model = init (root.Named "init")
    let step = Recording.Of(fun () -> Seq.singleton (loss equation model))
    let parameters = Parameters.named model |> List.map snd
    let memory = Optimizer.init Optimizer.adam parameters

    let losses =
        [|
            for i in 1..200 do
                step.Forward()
                step.Reverse()
                Optimizer.step memory 0.05 i parameters
                step.Outputs[0].toScalar()
        |]

    model, losses

// 4. LOOK. In the console a line of blocks; in the file both equations side by side.

let blocks (values: float[]) : string =
    let low, high = Array.min values, Array.max values

    values
    |> Array.chunkBySize (values.Length / 40)
    |> Array.map (fun some -> "▁▂▃▄▅▆▇█"[int (7.0 * (Array.average some - low) / max 1e-9 (high - low))])
    |> System.String

/// How far the centres are from where the objects are, on average.
let miss (model: Model) : float =
    let centres = model.Centres.toArray<float32>()

    [
        for k in 0 .. objects - 1 ->
            let angle = 2.0 * System.Math.PI * float k / float objects

            List.min
                [
                    for j in 0 .. objects - 1 ->
                        sqrt (
                            (float centres[2 * j] - 2.0 * cos angle) ** 2.0
                            + (float centres[2 * j + 1] - 2.0 * sin angle) ** 2.0
                        )
                ]
    ]
    |> List.average

let equations = [ "Gaussian", gaussian; "robust", robust ]

let pictures = new Multiplot()
pictures.AddPlots equations.Length
pictures.Layout <- MultiplotLayouts.Columns()

equations
|> List.iteri (fun i (name, equation) ->
    let model, losses = train equation
    printfn $"{name}: {blocks losses} loss {losses[0]:F3} to {Array.last losses:F3}, centres off by {miss model:F3}"
    let plot = pictures.GetPlot i
    plot.Title $"{name}: off by {miss model:F2}"
    // Each point in the colour of the capsule that explains it best.
    let best = equation(model).toArray<float32>() |> Array.chunkBySize objects

    for k in 0 .. objects - 1 do
        let mine =
            [|
                for p in 0 .. count - 1 do
                    if Array.max best[p] = best[p][k] then
                        Coordinates(float points[2 * p], float points[2 * p + 1])
            |]

        if mine.Length > 0 then
            plot.Add.Markers(mine, size = 5.0f) |> ignore

    let centres = model.Centres.toArray<float32>() |> Array.chunkBySize 2

    plot.Add.Markers(
        [| for c in centres -> Coordinates(float c[0], float c[1]) |],
        MarkerShape.Cross,
        16.0f,
        Colors.Black
    )
    |> ignore)

let png = Path.GetFullPath "lesson.png"
pictures.SavePng(png, 450 * equations.Length, 450) |> ignore
printfn $"picture: {png}"

// 5. YOURS. Write an equation of your own, such as |x - μ_k| without the square, and add it to the equations above.
