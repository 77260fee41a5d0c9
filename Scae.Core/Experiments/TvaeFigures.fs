namespace Scae.Core.Experiments

open Scae.Core.Figures

/// CapCorr of a factor, with two levels to compare it with.
type FactorCorrelation =
    {
        Factor: string
        Correlation: float
        /// CapCorr of independent capsules.
        Chance: float
        /// CapCorr of T drawn from the prior, which is where training starts.
        Prior: float
    }

/// Plots of measures of topographic autoencoders.
[<RequireQualifiedAccess>]
module TvaeFigures =
    /// CapCorr of each factor beside the levels of chance and of the prior.
    let capsuleCorrelation (factors: FactorCorrelation list) : Figure =
        let line (name: string) colour (value: float) (i: int) =
            Panel.line (if i = 0 then name else "") colour [| float i - 0.35; float i + 0.35 |] (Array.create 2 value)

        Panel.create "Rolls of capsules and true factors"
        |> Panel.axes "" "CapCorr"
        |> Panel.yLimits -0.2 1.05
        |> Panel.bars Palette.blue (factors |> List.map _.Factor) [| for factor in factors -> factor.Correlation |]
        |> Panel.each (List.indexed factors) (fun (i, factor) ->
            line "chance" Colour.black factor.Chance i >> line "prior" Palette.orange factor.Prior i)
        |> Figure.single "capsule-correlation"

    /// Squared errors a pixel of frames decoded from rolled capsules, and of trivial guesses, by how many frames the capsules were
    /// rolled.
    let generalization (guesses: (string * float[]) list) : Figure =
        Panel.create "Rotation and colour together, never seen in training"
        |> Panel.axes "frames ahead" "squared error a pixel"
        |> Panel.each (List.indexed guesses) (fun (i, (name, errors)) ->
            Panel.line name (Palette.category i) (Array.init errors.Length float) errors)
        |> Figure.single "generalization"
        |> Figure.panelSize 560.0 380.0
