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
                "views", ("Disagreement of views", "nats")
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

    /// A metric of explained mass and of presence, on validation digits.
    let private ofBoth (title: string, y: string) (metric: string) (whole: History) (until: History) : Panel =
        let curve (what: string) (e: Evaluation) = valueOf $"{what}_{metric}" e.Metrics

        draw
            (title, y)
            [ "explained mass", Palette.blue, curve "posterior"; "presence", Palette.green, curve "prior" ]
            whole
            until

    /// The accuracy of both online probes.
    let probes: History -> History -> Panel =
        ofBoth ("LIN-PRED: online probes, validation", "accuracy") "probe"

    /// The accuracy of clusters that are fitted to and matched with validation digits.
    let private matches: History -> History -> Panel =
        ofBoth ("LIN-MATCH: refitted, validation", "accuracy") "match_refitted"

    /// How many capsules, in nats, share a digit, and all digits.
    let private entropies: (History -> History -> Panel) list =
        [
            ofBoth ("Entropy of shares in a digit, validation", "nats") "entropy_within"
            ofBoth ("Entropy of mean shares, validation", "nats") "entropy_between"
        ]

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
                yield! entropies |> List.map (fun panel -> panel history history)
                yield probes history history
                yield matches history history
            ]

        Figure.create "training-curves" "Training" (List.chunkBySize 3 panels)
        |> Figure.panelSize 340.0 250.0
        |> Figure.key "batches of training" training (Swatch.Line false)
        |> Figure.key "validation digits" validation (Swatch.Line false)
