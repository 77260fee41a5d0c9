namespace Scae.Core.Experiments

open Scae.Core.Figures

/// CapCorr of a factor with its levels.
type FactorCorrelation =
    {
        Factor: string
        Correlation: float
        /// Of independent capsules.
        Chance: float
        /// Of T drawn from the prior: where it starts.
        Prior: float
    }

/// Plots of what topographic autoencoders measure.
[<RequireQualifiedAccess>]
module TvaeFigures =
    /// CapCorr of each factor beside chance and where it starts.
    let capsuleCorrelation (factors: FactorCorrelation list) : Figure =
        let line (name: string) colour (value: float) (i: int) =
            Panel.line (if i = 0 then name else "") colour [| float i - 0.35; float i + 0.35 |] (Array.create 2 value)

        Panel.create "Rolls of capsules and true factors"
        |> Panel.axes "" "CapCorr"
        |> Panel.yLimits -0.2 1.05
        |> Panel.bars "" Palette.blue (factors |> List.map _.Factor) [| for factor in factors -> factor.Correlation |]
        |> Panel.each (List.indexed factors) (fun (i, factor) ->
            line "chance" Colour.black factor.Chance i >> line "prior" Palette.orange factor.Prior i)
        |> Figure.single "capsule-correlation"

    /// What the decoder draws of frames that it hasn't seen, beside trivial guesses: squared error a pixel by how many frames
    /// the capsules were rolled.
    let generalization (guesses: (string * float[]) list) : Figure =
        Panel.create "Rotation and colour together, never seen in training"
        |> Panel.axes "frames ahead" "squared error a pixel"
        |> Panel.each (List.indexed guesses) (fun (i, (name, errors)) ->
            Panel.line name (Palette.category i) (Array.init errors.Length float) errors)
        |> Figure.single "generalization"
        |> Figure.panelSize 560.0 380.0
