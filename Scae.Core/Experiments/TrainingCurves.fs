namespace Scae.Core.Experiments

open Scae.Core.Figures
open Scae.Core.Training

/// Curves over the epochs of a training.
[<RequireQualifiedAccess>]
module TrainingCurves =
    /// A metric of an evaluation, if it has it: not all versions measured the same. Where one of a history lacks it, it is NaN.
    let tryMetric (name: string) (evaluation: Evaluation) : float option =
        evaluation.Metrics
        |> List.tryFind (fun (other, value) -> other = name && not (System.Double.IsNaN value))
        |> Option.map snd

    /// A metric of an evaluation; NaN, which no curve shows, if it doesn't have it.
    let metric (name: string) (evaluation: Evaluation) : float = tryMetric name evaluation |> Option.defaultValue nan

    /// Whether any evaluation of a history has a metric.
    let has (name: string) (history: History) : bool =
        history.Evaluations |> List.exists (fun e -> (tryMetric name e).IsSome)

    /// A metric of an evaluation in percent; NaN if it doesn't have it.
    let percent (name: string) (evaluation: Evaluation) : float = 100.0 * metric name evaluation

    /// An empty panel over all epochs of a training.
    let panel (title: string) (y: string) (whole: History) : Panel =
        let last =
            match List.tryLast whole.Evaluations with
            | Some evaluation -> float evaluation.Epoch
            | None -> 1.0

        let epochs = Panel.create title |> Panel.axes "epoch" y |> Panel.xLimits 0.0 (max 1.0 last)

        { epochs with Panel.X = { epochs.X with Axis.Ticks = Ticks.Whole } }

    /// Adds the curve of a value of each evaluation.
    let curve (label: string) (colour: Colour) (history: History) (value: Evaluation -> float) (panel: Panel) : Panel =
        let evaluations = Array.ofList history.Evaluations
        Panel.line label colour (evaluations |> Array.map (fun e -> float e.Epoch)) (Array.map value evaluations) panel

    /// Curves of values of each evaluation until a moment, with labels and colours, on the axes of the whole training.
    let curves
        (title: string)
        (y: string)
        (curves: (string * Colour * (Evaluation -> float)) list)
        (whole: History)
        (until: History)
        : Panel =
        panel title y whole
        |> Panel.yRangeOf (curves |> List.collect (fun (_, _, value) -> List.map value whole.Evaluations))
        |> Panel.each curves (fun (label, colour, value) -> curve label colour until value)

    /// The training loss until a moment, on the axes of the whole training.
    let loss (title: string) (whole: History) (until: History) : Panel =
        curves title "loss" [ "", Palette.orange, _.TrainLoss ] whole until

    /// A frame for each snapshot, drawn from it and from what had been measured by then; None where there are none.
    let animation (perSecond: float) (frame: Snapshot -> History -> Figure) (history: History) : Animation option =
        let draw (snapshot: Snapshot) =
            frame
                snapshot
                { history with
                    Evaluations = history.Evaluations |> List.filter (fun e -> e.Step <= snapshot.Step)
                }

        match history.Snapshots with
        | [] -> None
        | snapshots -> Some(Animation.create "training" perSecond (snapshots |> List.map draw |> Array.ofList))
