// Trains the constellation capsules for a few hundred steps and asks them where the templates are.
//
//     dotnet build -c Release
//     dotnet fsi examples/constellations.fsx

#r "../Scae.Cli/bin/Release/net10.0/Scae.Tensors.dll"
#r "../Scae.Cli/bin/Release/net10.0/Scae.Core.dll"
#r "../Scae.Cli/bin/Release/net10.0/System.Numerics.Tensors.dll"

open Scae.Core.Layers
open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Training
open Scae.Tensors

// A model is a record of tensors and functions over it; randomness comes from keys that are split by name.
let config = ConstellationCapsules.published
let root = Key.OfSeed 0L

let model = ConstellationCapsules.init config Dtype.Float32 (root.Named "init") |> Parameters.trainable

printfn $"{Parameters.count model} parameters"

// The loss of a batch, recorded once: each step fills the batch anew and replays the same operations.
let batch = Constellations.allocate Constellations.published 32

let step = Recording.Of(fun () -> Seq.singleton (ConstellationCapsules.loss config model batch.Points))

let parameters = Parameters.named model |> List.map snd
let memory = Optimizer.init Optimizer.adam parameters

for i in 0..399 do
    Constellations.fill Constellations.published ((root.Named "train").Fold i) batch
    step.Forward()
    step.Reverse()
    Optimizer.step memory 3e-3 (i + 1) parameters

    if i % 100 = 99 then
        printfn $"step {i + 1}: loss {step.Outputs[0].toScalar():F3}"

// Scenes that training has not seen.
let scenes = Constellations.sample Constellations.published 256 (root.Named "validation")

let drawn = ConstellationCapsules.reconstruct config model scenes.Points
let predicted = ConstellationCapsules.assign config.Templates drawn scenes.Points
let score = Recovery.evaluate 3 11 scenes.Labels predicted
printfn $"recovery {100.0 * score.Best:F1} %%: points that are grouped right, whatever the groups are called"
printfn $"raw recovery {100.0 * score.Raw:F1} %%: names right, too; this model stays at chance, 33 %%"

// Any function of tensors has a gradient.
let x = Tensor.``of``([| 1.0f; 2.0f; 3.0f |]).reverseDiff()
let y = (x * x).sum()
y.reverse ()
printfn $"{y} has the gradient {x.derivative}"
