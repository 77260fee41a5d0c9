/// A stacked capsule autoencoder that has learned nothing, with some stroke digits.
module Scae.Tests.Experiments.SmallScae

open Scae.Core.Data
open Scae.Core.Experiments
open Scae.Core.Models
open Scae.Core.Layers
open Scae.Core.Training
open Scae.Tensors

let private config: ScaeConfig =
    { ScaeConfig.paper with
        Canvas = 30
        Channels = 6
        Parts = 5
        Objects = 4
        Features = 3
        TemplateSide = 6
        Colour = 3
        Mask = SetMask.Log
        SetWidth = 4
        SetLayers = 1
        SetOutputs = 6
        CapsuleHidden = 6
        CapsuleCode = 4
    }

let private digits = lazy (StrokeDigits.sets ())

/// Settings, data and model. The argument says whether measuring adds noise.
let small (evaluationNoise: bool) : ScaeSettings * ScaeData * Scae =
    let settings =
        { ScaeSettings.paper with
            Model = config
            EvaluationNoise = evaluationNoise
            Training = { ScaeSettings.paper.Training with TestSize = 70 }
        }

    let digits = digits.Value

    let take count (digits: Digits) =
        {
            Pixels = Array.sub digits.Pixels 0 (count * Digits.Pixels)
            Labels = Array.sub digits.Labels 0 count
        }

    let key = Key.OfSeed 3L

    let scenes (name: string) (digits: Digits) : ScaeScenes =
        {
            Canvases = CanvasDigits.shifted config.Canvas digits (key.Named name)
            Noise = (key.Named name).Named "noise"
        }

    let train = take 90 digits.Train
    let test = take 70 digits.Test

    settings,
    {
        Train = train
        Order = Passes(90, key.Named "order")
        Neighbours = lazy [||]
        Validation = scenes "validation" (take 20 digits.Train)
        Test = scenes "test" test
        Probe = lazy (scenes "probe" train)
        Viewpoints =
            lazy
                {
                    Canvases = AffineDigits.sample AffineDigits.published config.Canvas test (key.Named "views")
                    Noise = key.Named "noise of views"
                }
        Clusters = key.Named "clusters"
    },
    Scae.init config Dtype.Float32 (key.Named "model")
