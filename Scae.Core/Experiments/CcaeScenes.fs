namespace Scae.Core.Experiments

open System.Collections.Generic
open Scae.Tensors
open Scae.Core.Configuration
open Scae.Core.Data
open Scae.Core.Training

/// A pattern of the released program.
[<RequireQualifiedAccess>]
type ScenePattern =
    | Square
    | Triangle
    | Pentagon
    | Corner

/// What scenes of the paper's constellations are like.
type CcaeScenesSettings =
    {
        [<Setting("patterns of a scene; one that occurs twice has two names")>]
        Patterns: ScenePattern list
        [<Setting("probability that a pattern is left out, for each by itself", Min = 0.0, Max = 1.0)>]
        Drop: float
        [<Setting("deviation of points from their pattern, in pattern units: a square has side 2", Min = 0.0, Max = 10.0)>]
        PointNoise: float
        [<Setting("which limits go to −1 and 1: those of 3,200 scenes together, fixed ones, or none")>]
        Normalised: SceneScale
    }

/// Scenes for measuring, and the key of the noise on a network's logits.
type CcaeTestScenes = { Scenes: PatternScenes; Noise: Key }

/// The scenes of training steps, which are a pure function of the run's key and the step.
[<Sealed>]
type SceneSource(config: PatternScenesConfig, key: Key) =
    // The scenes of a chunk of steps are drawn together. Those of the present chunk are kept, by batch size.
    let chunks = Dictionary<int, PatternScenes>()
    let mutable present = -1

    // With batches of 32, as in the released program, a chunk is the 3,200 scenes that are normalised together.
    static let stepsOfChunk = 100

    let chunk (count: int) (number: int) : PatternScenes =
        if number <> present then
            chunks.Clear()
            present <- number

        match chunks.TryGetValue count with
        | true, scenes -> scenes
        | _ ->
            let scenes = PatternScenes.sample config (count * stepsOfChunk) (key.Fold(int64 number))
            chunks[count] <- scenes
            scenes

    /// Writes the scenes of a step, counted from 0, into points [b, n, 2] and presence [b, n].
    member _.Fill(step: int, points: Tensor, presence: Tensor) : unit =
        let count = points.shape[0]
        let scenes = chunk count (step / stepsOfChunk)
        let first = count * (step % stepsOfChunk)
        Rows.load scenes.Points first points
        Rows.load scenes.Presence first presence

/// What training, evaluation and pictures of the paper's constellations share.
type CcaeData =
    {
        Config: PatternScenesConfig
        Train: SceneSource
        Validation: CcaeTestScenes
        Test: CcaeTestScenes
        /// Some scenes with points, for pictures.
        Shown: CcaeTestScenes
        /// The test scenes with each deviation of noise, and otherwise the same.
        Noisy: (float * Lazy<CcaeTestScenes>) list
        /// The randomness of baselines.
        Baselines: Key
    }

/// Scenes of the paper's constellations.
[<RequireQualifiedAccess>]
module CcaeScenes =
    /// Scenes as the released program draws them.
    let paper: CcaeScenesSettings =
        {
            Patterns = [ ScenePattern.Square; ScenePattern.Triangle; ScenePattern.Square ]
            Drop = 0.5
            PointNoise = 0.0
            Normalised = SceneScale.Chunk
        }

    /// The deviations of noise at which methods are compared, since there are published figures for them.
    let noises: float list = [ 0.0; 0.1; 0.25 ]

    let private points (pattern: ScenePattern) : struct (float * float)[] =
        match pattern with
        | ScenePattern.Square -> PatternScenes.square
        | ScenePattern.Triangle -> PatternScenes.triangle
        | ScenePattern.Pentagon -> PatternScenes.pentagon
        | ScenePattern.Corner -> PatternScenes.corner

    /// The settings as the generator's configuration.
    let config (settings: CcaeScenesSettings) : PatternScenesConfig =
        { PatternScenes.paper with
            Patterns = settings.Patterns |> List.map points |> Array.ofList
            Drop = settings.Drop
            Noise = settings.PointNoise
            Normalised = settings.Normalised
        }

    // How many scenes pictures show, and from how many candidates they are taken, since some are empty.
    [<Literal>]
    let private Shown = 6

    [<Literal>]
    let private Candidates = 32

    /// The first scenes with points, and empty ones if there are too few.
    let private shown (config: PatternScenesConfig) (key: Key) : CcaeTestScenes =
        let scenes = PatternScenes.sample config Candidates (key.Named "scenes")

        let full, empty =
            [| 0 .. Candidates - 1 |]
            |> Array.partition (fun scene -> PatternScenes.patternCount config scene scenes > 0)

        let chosen = Array.append full empty |> Array.truncate Shown

        { Scenes = PatternScenes.pick chosen scenes; Noise = key.Named "noise" }

    /// The scenes of a run, for training and for measuring.
    let load (settings: CcaeScenesSettings) (training: TrainingSettings) (keys: Keys) : CcaeData =
        let config = config settings

        let scenes (config: PatternScenesConfig) (count: int) (key: Key) : CcaeTestScenes =
            {
                Scenes = PatternScenes.sample config count (key.Named "scenes")
                Noise = key.Named "noise"
            }

        {
            Config = config
            Train = SceneSource(config, keys.Train.Named "scenes")
            Validation = scenes config training.ValidationSize keys.Validation
            Test = scenes config training.TestSize keys.Test
            Shown = shown config (keys.Validation.Named "shown")
            Noisy =
                [
                    for noise in noises ->
                        noise, lazy (scenes { config with Noise = noise } training.TestSize keys.Test)
                ]
            Baselines = keys.Test.Named "baselines"
        }

    /// The scenes of a split.
    let ofSplit (data: CcaeData) : Split -> CcaeTestScenes = Split.choose data.Validation data.Test
