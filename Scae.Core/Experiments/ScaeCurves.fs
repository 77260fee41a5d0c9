namespace Scae.Core.Experiments

open Scae.Core.Figures
open Scae.Core.Training

/// Curves of the stacked capsule autoencoder's training.
[<RequireQualifiedAccess>]
module ScaeCurves =
    /// Titles and units of terms and metrics. Others have their own name as the title.
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

    let private training = Palette.orange
    let private validation = Palette.blue

    /// A term of the loss over the epochs, on training batches and, if it is measured there, on validation digits.
    let term (name: string) (whole: History) (until: History) : Panel =
        let ofBatches (e: Evaluation) = e.TrainTerms |> Map.ofList |> Map.tryFind name |> Option.defaultValue nan

        let curves =
            if TrainingCurves.has name whole then
                [ "training", training, ofBatches; "validation", validation, TrainingCurves.metric name ]
            else
                [ "", training, ofBatches ]

        let title, y = title name
        TrainingCurves.curves title y curves whole until

    /// A metric of validation digits over the epochs.
    let private metric (name: string) : History -> History -> Panel =
        let title, y = title name
        TrainingCurves.curves title y [ "", validation, TrainingCurves.metric name ]

    /// A metric of explained mass and of presence, on validation digits.
    let private ofBoth (title: string) (y: string) (metric: string) : History -> History -> Panel =
        TrainingCurves.curves
            title
            y
            [
                "explained mass", Palette.purple, TrainingCurves.metric $"posterior_{metric}"
                "presence", Palette.green, TrainingCurves.metric $"prior_{metric}"
            ]

    /// The accuracy of both online probes.
    let probes (whole: History) (until: History) : Panel =
        ofBoth "LIN-PRED: online probes, validation" "accuracy" "probe" whole until |> Panel.yWithin 0.0 1.0

    /// The accuracy of clusters that are both fitted to validation digits and matched with their classes.
    let private matches (whole: History) (until: History) : Panel =
        ofBoth "LIN-MATCH: refitted, validation" "accuracy" "match_refitted" whole until
        |> Panel.yWithin 0.0 1.0

    /// The entropy of the capsules' shares, within a digit and over all digits.
    let private entropies: (History -> History -> Panel) list =
        [
            ofBoth "Entropy of shares in a digit, validation" "nats" "entropy_within"
            ofBoth "Entropy of mean shares, validation" "nats" "entropy_between"
        ]

    /// The loss, each of its terms, and the metrics beside them.
    let all (history: History) : Figure =
        let terms =
            match history.Evaluations with
            | first :: _ -> first.TrainTerms |> List.map fst
            | [] -> []

        let panels =
            [
                TrainingCurves.loss "Loss, training"
                yield! terms |> List.map term
                yield! [ "mse"; "parts"; "objects" ] |> List.map metric
                yield! entropies
                probes
                matches
            ]
            |> List.map (fun panel -> panel history history)

        Figure.create "training-curves" "Training" (List.chunkBySize 3 panels)
        |> Figure.panelSize 340.0 250.0
        |> Figure.key "batches of training" training (Swatch.Line false)
        |> Figure.key "validation digits" validation (Swatch.Line false)
