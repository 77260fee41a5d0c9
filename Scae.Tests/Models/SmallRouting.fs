/// Capsules that recognise the published templates, small enough for tests.
module Scae.Tests.Models.SmallRouting

open Scae.Core.Data
open Scae.Core.Models

let config: RoutingCapsulesConfig =
    {
        Width = 16
        Hidden = 24
        Heads = 2
        Blocks = 2
        LayerNorm = true
        Pairs = 8
        Gain = 0.7
        Teacher = RoutingTeacher.Residual
        Trust = 0.02
        Credit = RoutingCredit.Scene
        Normalised = false
        Search =
            {
                Templates = Template.published
                Starts = 3
                Refine = true
                Solved = 1e-6
                Distractors = 0
            }
    }
