/// The names of set transformers and capsule layers in golden files, beside ours.
module Scae.Tests.Models.CapsuleNames

open System.Text.RegularExpressions

let private linear = dict [ "weight", "w"; "bias", "b" ]

let private rules: (string * (string list -> string)) list =
    let weight part = linear[part]

    [
        @"^set\.embedding\.(weight|bias)$", (fun g -> $"set.in.{weight g[0]}")
        @"^set\.blocks\.(\d+)\.attention\.(q|k|v|o)\w+\.(weight|bias)$", (fun g -> $"set.{g[0]}.{g[1]}.{weight g[2]}")
        @"^set\.blocks\.(\d+)\.attentionNorm\.gain$", (fun g -> $"set.{g[0]}.ln1.gain")
        @"^set\.blocks\.(\d+)\.attentionNorm\.bias$", (fun g -> $"set.{g[0]}.ln1.shift")
        @"^set\.blocks\.(\d+)\.hidden\.(weight|bias)$", (fun g -> $"set.{g[0]}.f1.{weight g[1]}")
        @"^set\.blocks\.(\d+)\.back\.(weight|bias)$", (fun g -> $"set.{g[0]}.f2.{weight g[1]}")
        @"^set\.blocks\.(\d+)\.backNorm\.gain$", (fun g -> $"set.{g[0]}.ln2.gain")
        @"^set\.blocks\.(\d+)\.backNorm\.bias$", (fun g -> $"set.{g[0]}.ln2.shift")
        @"^set\.projection\.(weight|bias)$", (fun g -> $"set.out.{weight g[0]}")
        @"^set\.seeds$", (fun _ -> "set.seeds")
        @"^set\.pooling\.(q|k|v|o)\w+\.(weight|bias)$", (fun g -> $"set.pool.{g[0]}.{weight g[1]}")
        @"^capsules\.encode\.(weight|bias)$", (fun g -> $"caps.1.{weight g[0]}")
        @"^capsules\.code\.(weight|bias)$", (fun g -> $"caps.2.{weight g[0]}")
        @"^capsules\.decode\.(weight|bias)$", (fun g -> $"caps.3.{weight g[0]}")
        @"^capsules\.output\.weight$", (fun _ -> "caps.4.w")
        @"^capsules\.poseBias$", (fun _ -> "caps.ov.bias")
        @"^capsules\.presenceBias$", (fun _ -> "caps.presence.bias")
        @"^capsules\.voteBias$", (fun _ -> "caps.vote.bias")
        @"^capsules\.scaleBias$", (fun _ -> "caps.scale.bias")
        @"^capsules\.staticVotes$", (fun _ -> "caps.op")
    ]

/// The golden name of a parameter, or None where it isn't of these layers.
let golden (name: string) : string option =
    rules
    |> List.tryPick (fun (pattern, toName) ->
        let found = Regex.Match(name, pattern)

        if found.Success then
            Some(toName [ for g in Seq.skip 1 found.Groups -> g.Value ])
        else
            None)
