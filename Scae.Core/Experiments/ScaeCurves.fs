namespace Scae.Core.Experiments

open Scae.Core.Figures
open Scae.Core.Training

/// Curves of the stacked capsule autoencoder's training.
[<RequireQualifiedAccess>]
module ScaeCurves =
    /// Titles and units of terms and metrics; others are called what they are.
    let private titles: Map<string, string * string> =
        Map.ofList
            [
                "reconstruction", ("log p(image)", "nats")
                "part_likelihood", ("log p(parts)", "nats")
                "dynamic_penalty", ("Dynamic penalty", "")
                "posterior_within", ("Sparsity of explained mass, in a digit", "")
                "posterior_between", ("Sparsity of explained mass, in a batch", "")
                "prior_within", ("Sparsity of presence, in a digit", "")
                "prior_between", ("Sparsity of presence, in a batch", "")
                "probes", ("Online probes' cross-entropy", "nats")
                "mse", ("Squared error of the mixture's mean", "a pixel")
                "parts", ("Parts present", "a digit")
                "objects", ("Capsules present", "a digit")
            ]

    let private title (name: string) : string * string =
        titles |> Map.tryFind name |> Option.defaultValue (name.Replace('_', ' '), "")

    let private find (name: string) (metrics: Metrics) : float option =
        metrics |> List.tryFind (fun (other, _) -> other = name) |> Option.map snd

    let private valueOf (name: string) (metrics: Metrics) : float = find name metrics |> Option.defaultValue nan

    let private draw
        (title: string, y: string)
        (curves: (string * Colour * (Evaluation -> float)) list)
        (whole: History)
        (until: History)
        : Panel =
        let values =
            [
                for _, _, value in curves do
                    for evaluation in whole.Evaluations -> value evaluation
            ]

        (TrainingCurves.panel title y whole |> Panel.yRangeOf values, curves)
        ||> List.fold (fun panel (label, colour, value) -> TrainingCurves.curve label colour until value panel)

    let private training = Palette.orange
    let private validation = Palette.blue

    /// Whether something was measured of validation digits as well as of batches.
    let private isMetric (name: string) (whole: History) : bool =
        match whole.Evaluations with
        | first :: _ -> (find name first.Metrics).IsSome
        | [] -> false

    /// A term of the loss over the epochs, on batches and, where it is measured, on validation digits.
    let term (name: string) (whole: History) (until: History) : Panel =
        let ofBatches (e: Evaluation) = valueOf name e.TrainTerms

        let curves =
            if isMetric name whole then
                [ "training", training, ofBatches; "validation", validation, (fun e -> valueOf name e.Metrics) ]
            else
                [ "", training, ofBatches ]

        draw (title name) curves whole until

    /// A metric of validation digits over the epochs.
    let private metric (name: string) (whole: History) (until: History) : Panel =
        draw (title name) [ "", validation, (fun e -> valueOf name e.Metrics) ] whole until

    /// The accuracy of both online probes.
    let probes (whole: History) (until: History) : Panel =
        draw
            ("LIN-PRED: online probes, validation", "accuracy")
            [
                "explained mass", Palette.blue, (fun e -> valueOf "posterior_probe" e.Metrics)
                "presence", Palette.green, (fun e -> valueOf "prior_probe" e.Metrics)
            ]
            whole
            until

    /// The loss, each of its terms, and what is measured beside them.
    let all (history: History) : Figure =
        let terms =
            match history.Evaluations with
            | first :: _ -> first.TrainTerms |> List.map fst
            | [] -> []

        let panels =
            [
                yield TrainingCurves.loss "Loss, training" history history
                yield! terms |> List.map (fun name -> term name history history)
                yield! [ "mse"; "parts"; "objects" ] |> List.map (fun name -> metric name history history)
                yield probes history history
            ]

        Figure.create "training-curves" "Training" (List.chunkBySize 3 panels)
        |> Figure.panelSize 340.0 250.0
        |> Figure.key "batches of training" training (Swatch.Line false)
        |> Figure.key "validation digits" validation (Swatch.Line false)
