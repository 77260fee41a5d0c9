namespace Scae.Core.Experiments

open Scae.Core.Configuration
open Scae.Core.Layers
open Scae.Tensors
open Scae.Core.Figures
open Scae.Core.Training

/// What the author of an experiment writes: data, model, loss, measures and pictures as functions of the settings. Functions
/// such as Read get settings, data and model once, and the function that they return is called often. So allocate arrays and record inference before you return it: the model's tensors stay the same, only their values change.
/// Only Loss gets a model with derivatives.
type Definition<'settings, 'data, 'model, 'batch, 'reading> =
    {
        /// The hyperparameters, a record whose fields carry a Setting, with their defaults.
        Defaults: 'settings
        /// The settings that all other functions get, in which what follows from hyperparameters is filled in, and the plan of the
        /// training. The error says in one line which hyperparameters don't fit together; those that don't fit the data are refused
        /// by Load.
        Resolve: 'settings -> Result<'settings * Plan, string>
        /// Hyperparameters that are read only under conditions, and whether these hold.
        Dependences: 'settings -> Dependence list
        /// Data that is made or loaded once: training sets, validation and test scenes.
        Load: 'settings -> Resources -> Keys -> Result<'data, string>
        Init: 'settings -> Dtype -> Key -> 'model
        /// Room for a batch of the given size, a record whose tensors are float32.
        Allocate: 'settings -> int -> 'batch
        /// Fills a batch from the key of its step, which is counted from 0.
        Fill: 'settings -> 'data -> Key -> int -> 'batch -> unit
        /// The loss of a batch. It must not depend on values read while it runs: see Recording.
        Loss: 'settings -> 'model -> 'batch -> Loss
        /// The settings and the float64 model on which gradients are checked. They are changed where the loss has no
        /// derivative, or where its gradient is right only on average.
        Checked: 'settings -> Key -> 'model -> 'settings * 'model
        /// What the model infers from the scenes of a split (see Inference). The scenes are part of the reading.
        Read: 'settings -> 'data -> 'model -> Split -> 'reading
        /// The metrics of a reading, after every epoch.
        Metrics: 'settings -> 'reading -> Metrics
        /// Metrics that take longer, of a reading of test scenes, at the end of a run and in `scae eval`.
        Probes: 'settings -> 'data -> 'model -> 'reading -> Metrics
        /// Methods that learn nothing, by name, measured on the same scenes: `scae eval RUN --baseline NAME`. The error, of scenes
        /// that a method can't take, is one line.
        Baselines: (string * ('settings -> 'data -> Split -> Result<Metrics, string>)) list
        /// What the animation shows of a moment.
        Snapshot: 'settings -> 'data -> 'model -> unit -> (string * Tensor) list
        /// The pictures. A reading that the metrics needed too is made only once.
        Figures: 'settings -> 'data -> 'model -> (Split -> 'reading) -> History -> Figure list
        Animation: 'settings -> 'data -> History -> Animation option
    }

/// Parts of definitions that need none of their own.
[<RequireQualifiedAccess>]
module Definition =
    /// Every hyperparameter is always read.
    let independent (_: 'settings) : Dependence list = []

    /// Gradients can be checked on the model as it is.
    let checkedAsItIs (settings: 'settings) (_: Key) (model: 'model) : 'settings * 'model = settings, model

    /// The model with every parameter moved a little at random. Otherwise, where biases are 0, inputs of 0 leave each relu at its
    /// kink, which has no derivative.
    let aside (key: Key) (model: 'model) : 'model =
        model
        |> Parameters.mapi (fun name tensor ->
            tensor + Initialization.normal 0.05 tensor.dtype (List.ofArray tensor.shape) (key.Named name))

    /// No metrics but those of every epoch.
    let noProbes (_: 'settings) (_: 'data) (_: 'model) (_: 'reading) : Metrics = []

    /// Nothing to animate.
    let noSnapshot (_: 'settings) (_: 'data) (_: 'model) () : (string * Tensor) list = []

    /// No animation.
    let noAnimation (_: 'settings) (_: 'data) (_: History) : Animation option = None
