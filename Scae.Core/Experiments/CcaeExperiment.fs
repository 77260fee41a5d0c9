namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Models
open Scae.Core.Training

/// The paper's own constellations, explained by capsules without labels.
[<RequireQualifiedAccess>]
module CcaeExperiment =
    let private allocate (settings: CcaeSettings) (count: int) : CcaeBatch =
        let points = PatternScenes.pointCount (CcaeScenes.config settings.Scenes)
        Ccae.allocate settings.Model points count

    let private fill (settings: CcaeSettings) (data: CcaeData) (key: Key) (step: int) (batch: CcaeBatch) : unit =
        data.Train.Fill(step, batch.Points, batch.Presence)
        Ccae.fillNoise settings.Noise (key.Named "noise") batch

    let private loss (settings: CcaeSettings) (model: Ccae) (batch: CcaeBatch) : Loss =
        let loss = Ccae.loss settings.Model model batch
        { Total = loss.Total; Terms = loss.Terms; Next = [] }

    let private read (settings: CcaeSettings) (model: Ccae) : CcaeTestScenes -> CcaeReading =
        CcaeReading.ofScenes settings.Model (if settings.EvaluationNoise then settings.Noise else 0.0) model

    let private readSplit settings (data: CcaeData) model : Split -> CcaeReading =
        let read = read settings model
        fun split -> read (CcaeScenes.ofSplit data split)

    /// What makes the model an experiment. A copy with other functions or data is a model of one's own (`Variant.ofDefinition`).
    let definition: Definition<CcaeSettings, CcaeData, Ccae, CcaeBatch, CcaeReading> =
        {
            Defaults = CcaeSettings.paper
            Resolve = CcaeSettings.resolve
            Dependences = CcaeSettings.dependences
            Load = fun settings _ keys -> Ok(CcaeScenes.load settings.Scenes settings.Training keys)
            Init = fun settings -> Ccae.init settings.Model
            Allocate = allocate
            Fill = fill
            Loss = loss
            // In the batch that is checked, absent points are 0.
            Checked = fun settings key model -> settings, Definition.aside key model
            Read = readSplit
            Metrics = fun settings -> CcaeMeasures.ofReading (CcaeScenes.config settings.Scenes)
            Probes = fun settings data model _ -> CcaeMeasures.overNoise data.Config (read settings model) data.Noisy
            Baselines = CcaeBaselines.all |> List.map (fun (name, measure) -> name, (fun _ -> measure))
            Snapshot =
                fun settings data model ->
                    let read = read settings model
                    fun () -> CcaeFigures.snapshot (read data.Shown)
            Figures =
                fun settings data model reading history ->
                    CcaeFigures.all data (read settings model) (reading Test) history
            Animation = fun _ -> CcaeFigures.animation
        }

    /// The autoencoder with its network.
    let private network: Variant = Variant.ofDefinition definition

    /// The experiment.
    let experiment: Experiment =
        Experiment.ofVariants "ccae" [ "network", network; "templates", CcaeTemplatesExperiment.variant ]
