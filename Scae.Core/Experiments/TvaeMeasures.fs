namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Training

/// Measures of topographic autoencoders.
[<RequireQualifiedAccess>]
module TvaeMeasures =
    // How many sequences are made for a level, and of how many capsules are rolled.
    [<Literal>]
    let private LevelSequences = 2000

    [<Literal>]
    let private RolledSequences = 500

    /// The factors whose CapCorr is measured: none where a capsule has more or fewer entries than a sequence has frames, since it
    /// then comes round at another frame than the factor.
    let correlated (config: TopographicVaeConfig) (scenes: TvaeScenes) : (string * int) list =
        if config.Entries = config.Frames then
            TvaeScenes.factors scenes
        else
            []

    /// CapCorr of each factor, NaN where no sequence moves it.
    let private correlations
        (config: TopographicVaeConfig)
        (scenes: TvaeScenes)
        (ending: string)
        (offsets: CapsuleOffset[])
        : Metrics =
        [
            for name, factor in correlated config scenes ->
                $"capcorr_{name}{ending}", CapsuleCorrelation.ofFactor factor offsets |> Option.defaultValue nan
        ]

    /// The bound of log p(x_1:S)/S that fits the model. Where frames don't depend on each other, each has its own importance
    /// weights, which makes the bound tighter; else a draw of the whole sequence has one weight.
    let private likelihood (config: TopographicVaeConfig) (weights: float[][]) : float =
        if TopographicVae.framesAreIndependent config then
            ImportanceSampling.perFrame weights
        else
            ImportanceSampling.perSequence config.Frames weights

    /// −ELBO and its terms, in nats a frame; three importance-sampled likelihoods: that which fits the model, that of frames by
    /// themselves, and that as published, which is log R too high for R draws; and, for sequences, E_eq and CapCorr.
    let ofReading (settings: TvaeSettings) (reading: TvaeReading) : Metrics =
        let frames = settings.Model.Frames
        let average (values: float[]) = if values.Length = 0 then 0.0 else Array.average values
        let reconstruction, klZ, klU = average reading.Reconstruction, average reading.KlZ, average reading.KlU

        [
            "loss", reconstruction + klZ + klU
            "reconstruction", reconstruction
            "kl_z", klZ
            if reading.KlU.Length > 0 then
                "kl_u", klU
            "likelihood", likelihood settings.Model reading.Weights
            "likelihood_frame", ImportanceSampling.perFrame reading.Weights
            "likelihood_published", ImportanceSampling.asPublished reading.Weights
            // A single frame has no equivariance: its E_eq is 0 by construction.
            if frames > 1 then
                "equivariance", Array.average reading.Equivariance
        ]
        @ correlations settings.Model reading.Scenes "" reading.Offsets

    /// The annealed likelihood, nothing without temperatures. Few sequences are annealed, and sequences differ more than models do.
    /// So what annealing adds to the likelihood of draws of the same sequences, the gain, is added to that of all. The uncertainty is
    /// the gain's standard error. That the sequences themselves are a sample isn't in it; for models that are measured on the
    /// same ones it is the same.
    let annealed (settings: TvaeSettings) (model: TopographicVae) (reading: TvaeReading) : Metrics =
        let { Model = config; Annealing = temperatures; AnnealedSize = count } = settings

        if temperatures = 0 then
            []
        else
            let drawn (i: int) =
                reading.Weights
                |> Array.map (fun draw -> draw[i * config.Frames .. (i + 1) * config.Frames - 1])
                |> likelihood config

            let gains =
                TvaeAnnealing.estimates config model temperatures count reading.Scenes
                |> Array.mapi (fun i estimate -> estimate - drawn i)

            let mean = Array.average gains

            [
                "likelihood_annealed", likelihood config reading.Weights + mean

                // A single sequence doesn't tell how sequences differ.
                if gains.Length > 1 then
                    let variance =
                        Array.sumBy (fun gain -> (gain - mean) * (gain - mean)) gains / float (gains.Length - 1)

                    "likelihood_annealed_uncertainty", sqrt (variance / float gains.Length)
            ]

    let private normal (config: TopographicVaeConfig) (sequences: int) (key: Key) : Tensor =
        let t = Tensor.zeros [| sequences * config.Frames; TopographicVae.latents config |]
        key.FillNormal(t.Elements<float32>())
        t

    /// E_eq and CapCorr of T drawn from the prior, which is where training starts, and of independent normal entries, which
    /// is chance. The factors are those of the first scenes of a reading, which are enough.
    let levels (settings: TvaeSettings) (key: Key) (scenes: TvaeScenes) : Metrics =
        let config = settings.Model
        let few = TvaeScenes.first LevelSequences scenes

        let level (name: string) (make: int -> Key -> Tensor) =
            let error, offsets = TvaeReading.ofLevel config few (key.Named name) make
            ($"equivariance_{name}", error) :: correlations config scenes $"_{name}" offsets

        level "prior" (TopographicVae.sampleOfPrior config config.Mu) @ level "chance" (normal config)

    /// The mean over the frames ahead that satisfy a condition; NaN for none.
    let private ahead (isCounted: int -> bool) (errors: float[]) : float =
        match [ 1 .. errors.Length - 1 ] |> List.filter isCounted with
        | [] -> nan
        | places -> places |> List.averageBy (fun t -> errors[t])

    /// Squared errors a pixel of decoding rolled capsules, over all frames ahead and over those that T of frame 0 doesn't
    /// depend on: of one draw, of the mean of several, and of the best of three guesses, frame 0 itself, the mean of the frames
    /// seen, the mean of all sequences.
    let rolls (name: string) (errors: RollErrors) : Metrics =
        let best isCounted =
            [ errors.Still; errors.MeanSeen; errors.Mean ] |> List.map (ahead isCounted) |> List.min

        let isHidden t = not errors.IsSeen[t]

        [
            $"{name}", ahead (fun _ -> true) errors.Rolled
            $"{name}_of_mean", ahead (fun _ -> true) errors.RolledMean
            $"{name}_guess", best (fun _ -> true)
            if Array.contains false errors.IsSeen then
                $"{name}_hidden", ahead isHidden errors.Rolled
                $"{name}_hidden_of_mean", ahead isHidden errors.RolledMean
                $"{name}_hidden_guess", best isHidden
        ]

    /// The errors of decoding rolled capsules of frame 0, on the first sequences.
    let rollErrors (settings: TvaeSettings) (model: TopographicVae) (scenes: TvaeScenes) : RollErrors =
        TvaeRolling.errors settings model (TvaeScenes.first RolledSequences scenes)

    /// Metrics of what moves. No likelihood is reported of the scenes `Trained`, so one draw of them is enough.
    let private moving
        (settings: TvaeSettings)
        (data: TvaeData)
        (model: TopographicVae)
        (reading: TvaeReading)
        : Metrics =
        let trained = TvaeReading.ofScenes { settings with Draws = 1 } model data.Trained

        levels settings data.Levels reading.Scenes
        @ [
            "equivariance_trained", Array.average trained.Equivariance
            yield! correlations settings.Model data.Trained "_trained" trained.Offsets
            yield! rolls "roll_error" (rollErrors settings model reading.Scenes)
            match data.Unseen with
            | Some scenes -> yield! rolls "unseen_roll_error" (rollErrors settings model scenes)
            | None -> ()
        ]

    /// Metrics that take longer: the annealed likelihood and, of sequences, the levels of the prior and of chance, measures on
    /// images that were trained with (as all sprites are), and errors of rolled capsules. The last are also measured on rotation and colour together,
    /// where only one at a time was trained with.
    let probes (settings: TvaeSettings) (data: TvaeData) (model: TopographicVae) (reading: TvaeReading) : Metrics =
        [
            yield! annealed settings model reading
            if settings.Model.Frames > 1 then
                yield! moving settings data model reading
        ]
