namespace Scae.Core.Experiments

open Scae.Core.Figures

/// What a trained model has on test sequences, beside what it had before.
type TvaeStanding =
    {
        Name: string
        /// log p(x) a frame, nats.
        LogLikelihood: float
        /// E_eq of what is inferred.
        Equivariance: float
        /// E_eq of T drawn from the prior: where it starts.
        PriorEquivariance: float
    }

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
    /// Likelihood against equivariance error of several models: points, an arrow's tail at each model's prior level, and
    /// chance as a line.
    let likelihoodAgainstEquivariance (chance: float) (models: TvaeStanding list) : Figure =
        let draw (panel: Panel) (i: int, model: TvaeStanding) =
            let colour = Palette.category i
            let x, y = [| model.PriorEquivariance; model.Equivariance |], Array.create 2 model.LogLikelihood

            panel
            |> Panel.line "" (Colour.withOpacity 0.5 colour) x y
            |> Panel.points "" Marker.Circle 5.0 (Colour.withOpacity 0.5 colour) x[..0] y[..0]
            |> Panel.points model.Name Marker.Circle 10.0 colour x[1..] y[1..]

        let panel =
            Panel.create "Likelihood and equivariance, test sequences"
            |> Panel.axes "equivariance error E_eq" "log p(x) a frame, nats"
            |> Panel.vertical "chance" Colour.grey chance

        { Figure.single "likelihood-equivariance" (List.fold draw panel (List.indexed models)) with
            Note =
                "Large: trained. Small: T drawn from the prior, which is where E_eq starts. A small error alone proves nothing."
        }
        |> Figure.panelSize 640.0 460.0

    /// CapCorr of each factor beside chance and where it starts.
    let capsuleCorrelation (factors: FactorCorrelation list) : Figure =
        let line (name: string) colour (value: float) (i: int) =
            Panel.line (if i = 0 then name else "") colour [| float i - 0.35; float i + 0.35 |] (Array.create 2 value)

        let level (panel: Panel) (i: int, factor: FactorCorrelation) =
            panel |> line "chance" Colour.black factor.Chance i |> line "prior" Palette.orange factor.Prior i

        let bars =
            Panel.create "Rolls of capsules and true factors"
            |> Panel.axes "" "CapCorr"
            |> Panel.yLimits -0.2 1.05
            |> Panel.bars
                ""
                Palette.blue
                (factors |> List.map _.Factor)
                (factors |> List.map (fun it -> max 0.0 it.Correlation) |> Array.ofList)

        Figure.single "capsule-correlation" (List.fold level bars (List.indexed factors))

    /// What the decoder draws of frames that it hasn't seen, beside trivial guesses: squared error a pixel by how many frames
    /// the capsules were rolled.
    let generalization (guesses: (string * float[]) list) : Figure =
        let draw (panel: Panel) (i: int, (name: string, errors: float[])) =
            Panel.line name (Palette.category i) (Array.init errors.Length float) errors panel

        let panel =
            Panel.create "Rotation and colour together, never seen in training"
            |> Panel.axes "frames ahead" "squared error a pixel"

        Figure.single "generalization" (List.fold draw panel (List.indexed guesses))
        |> Figure.panelSize 560.0 380.0
