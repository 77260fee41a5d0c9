module Scae.Tests.Models.AirTests

open System
open FsUnit
open NUnit.Framework
open FsCheck.NUnit
open Scae.Core
open Scae.Tensors
open Scae.Tests

let private golden = lazy (Golden.load "air")

let private goldenConfig =
    { Air.published with
        Hidden = 16
        Features = 12
        DecoderHidden = 10
        What = 5
        Patch = 12
    }

/// Heads [T, in, out] as one matrix [in, T·out].
let private beside (heads: Tensor) : Tensor = (heads.permute (1, 0, 2)).contiguous().flatten(1)

let private goldenModel (dtype: Dtype) : Air =
    let parameter name = (golden.Value.Parameter name).cast dtype
    let linear name = { Weight = parameter $"W_{name}"; Bias = parameter $"b_{name}" }

    let heads name =
        {
            Weight = beside (parameter $"W_{name}")
            Bias = (parameter $"b_{name}").flatten()
        }

    {
        Global =
            Some
                {
                    First = linear "e1"
                    Second = linear "e2"
                    Presence = heads "pres"
                    Where = heads "where"
                    WhereLogVariance = None
                    What = heads "mu"
                    WhatLogVariance = heads "lv"
                }
        Recurrent = None
        Decoder = Some { Hidden = linear "d1"; Output = linear "d2" }
        Convolutions = None
        Baseline = None
    }
    |> Parameters.trainable

let private goldenBatch (dtype: Dtype) : AirBatch =
    let input name = (golden.Value.Input name).cast dtype
    let u = input "u"

    {
        Images = (input "x").flatten 1
        PresenceNoise = (u.log () - (1.0 - u).log()).squeeze(2).transpose().contiguous()
        WhereNoise = Tensor.zeros ([| 3; 3; 3 |], dtype)
        WhatNoise = (input "eps").permute(1, 0, 2).contiguous()
        Temperature = (input "tau").squeeze()
        Warmth = (input "warm").squeeze()
        Prior = (Tensor.``of`` ([| 0.5; 0.4; 0.2 |], 3)).cast dtype
    }

let private goldenName =
    Map
        [
            "global.first", "e1"
            "global.second", "e2"
            "global.presence", "pres"
            "global.where", "where"
            "global.what", "mu"
            "global.whatLogVariance", "lv"
            "decoder.hidden", "d1"
            "decoder.output", "d2"
        ]

/// The gradient of heads as the golden file lists it, [T, in, out].
let private apart (name: string) (gradient: Tensor) : Tensor =
    match name with
    | "pres"
    | "where"
    | "mu"
    | "lv" when gradient.dim = 2 -> (gradient.unflatten (1, 3, -1)).permute(1, 0, 2).contiguous()
    | _ -> gradient

[<TestCase(true)>]
[<TestCase(false)>]
let ``loss and gradients are the golden ones`` (double: bool) =
    let dtype, ofLoss, ofGradient =
        if double then
            Dtype.Float64, 1e-9, 1e-8
        else
            Dtype.Float32, 1e-4, 1e-4

    let model = goldenModel dtype
    let loss = AirObjective.loss goldenConfig model (goldenBatch dtype)
    loss.reverse ()
    abs (loss.toScalar () - golden.Value.Loss) / golden.Value.Loss |> should be (lessThan ofLoss)

    for name, parameter in Parameters.named model do
        let dot = name.LastIndexOf '.'
        let layer = goldenName[name[.. dot - 1]]
        let prefix = if name[dot + 1 ..] = "weight" then "W" else "b"

        Golden.deviation (golden.Value.Gradient $"{prefix}_{layer}") (apart layer parameter.derivative)
        |> should be (lessThan ofGradient)
