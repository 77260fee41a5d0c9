namespace Scae.Examples.StrokeVae

open Scae.Tensors
open Scae.Core.Configuration
open Scae.Core.Data
open Scae.Core.Experiments
open Scae.Core.Figures
open Scae.Core.Layers
open Scae.Core.Training

/// Every hyperparameter; fields with a Setting are options of the command line.
type VaeSettings =
    {
        Training: TrainingSettings
        [<Setting("Z, numbers in a code", Min = 1.0, Max = 256.0)>]
        Code: int
        [<Setting("units of the hidden layers", Min = 1.0, Max = 4096.0)>]
        Hidden: int
    }

/// The parameters: hidden units and (μ, l) of q(z | x) = N(μ, e^l), hidden units and logits of p(x | z).
type Vae = { Encoder: Linear; Posterior: Linear; Decoder: Linear; Logits: Linear }

/// Digits [b, 784] in [0, 1], and the normal noise [b, Z] that draws their codes.
type VaeBatch = { Images: Tensor; Noise: Tensor }

/// Digits to train with, and those to measure, [n, 784].
type VaeData = { Train: TrainingSet; Measured: Split -> Tensor }

/// A variational autoencoder (Kingma & Welling 2014), the model first, then the experiment.
module StrokeVae =
    /// Parameters, drawn from a key.
    let init (settings: VaeSettings) (dtype: Dtype) (key: Key) : Vae =
        let layer inputs outputs (name: string) = Linear.init 1.0 inputs outputs dtype (key.Named name)

        {
            Encoder = layer Digits.Pixels settings.Hidden "encoder"
            Posterior = layer settings.Hidden (2 * settings.Code) "posterior"
            Decoder = layer settings.Code settings.Hidden "decoder"
            Logits = layer settings.Hidden Digits.Pixels "logits"
        }

    /// The mean and the log-variance of the code, [b, Z] each.
    let private encode (model: Vae) (images: Tensor) : Tensor * Tensor =
        let both = images |> Linear.activated Activation.Relu model.Encoder |> Linear.forward model.Posterior
        let z = both.shape[1] / 2
        both.slice (1, 0, z), both.slice (1, z, 2 * z)

    let private decode (model: Vae) (code: Tensor) : Tensor =
        code |> Linear.activated Activation.Relu model.Decoder |> Linear.forward model.Logits

    /// −E log p(x | z) + KL(q(z | x) ‖ N(0, 1)) with one draw of z, averaged over digits (eq. 10).
    let loss (model: Vae) (batch: VaeBatch) : Loss =
        let mean, logVariance = encode model batch.Images
        let logits = decode model (mean + (0.5 * logVariance).exp() * batch.Noise)
        let reconstruction = (logits.softplus () - batch.Images * logits).sum(1).mean()
        let divergence = 0.5 * (mean * mean + logVariance.exp () - logVariance - 1.0).sum(1).mean()

        {
            Total = reconstruction + divergence
            Terms = [ "reconstruction", reconstruction; "divergence", divergence ]
            Next = []
        }

    let private load (settings: VaeSettings) (_: Resources) (keys: Keys) : Result<VaeData, string> =
        let sample count key =
            let pixels = (StrokeDigits.sample count key).Pixels |> Array.map (fun b -> float32 b / 255.0f)
            (Tensor.``of`` pixels).view(count, Digits.Pixels)

        let validation = sample settings.Training.ValidationSize keys.Validation
        let test = lazy (sample settings.Training.TestSize keys.Test)

        Ok
            {
                Train = TrainingSet.Of((StrokeDigits.sets ()).Train.Pixels, Digits.Pixels, keys.Train)
                Measured = fun split -> if split = Validation then validation else test.Value
            }

    let private allocate (settings: VaeSettings) (count: int) : VaeBatch =
        {
            Images = Tensor.zeros [| count; Digits.Pixels |]
            Noise = Tensor.zeros [| count; settings.Code |]
        }

    let private fill _ (data: VaeData) (key: Key) (step: int) (batch: VaeBatch) =
        data.Train.Fill(step, batch.Images)
        (key.Named "code").FillNormal(batch.Noise.Elements<float32>())

    /// The digits of a split, and what is drawn from the means of their codes.
    let private read _ (data: VaeData) (model: Vae) : Split -> Tensor * Tensor =
        let draw = Inference.ofRows 100 (fun images -> (decode model (fst (encode model images))).sigmoid())
        fun split -> data.Measured split, draw (data.Measured split)

    let private metrics _ (images: Tensor, drawn: Tensor) : Metrics =
        [ "mse", ((drawn - images) * (drawn - images)).mean().toScalar() ]

    let private figures _ _ _ (read: Split -> Tensor * Tensor) (history: History) : Figure list =
        let picture (rows: Tensor) i =
            let pixels = (rows.select (0, i)).toArray<float32>()
            let at y x = float pixels[y * Digits.Side + x]
            Panel.create "" |> Panel.grey (0.0, 1.0) (Array2D.init Digits.Side Digits.Side at)

        let row (rows: Tensor) = [ for i in 0 .. min 10 rows.shape[0] - 1 -> picture rows i ]
        let images, drawn = read Validation

        [
            Figure.create "digits" "Digits above, reconstructions below" [ row images; row drawn ]
            Figure.single "loss" (TrainingCurves.loss "Loss, training" history history)
        ]

    let private defaults: VaeSettings =
        {
            Training =
                {
                    Epochs = 5
                    StepsPerEpoch = 100
                    BatchSize = 64
                    LearningRate = 1e-3
                    ValidationSize = 500
                    TestSize = 2000
                    SnapshotEvery = 0
                }
            Code = 2
            Hidden = 128
        }

    let private resolve (settings: VaeSettings) =
        Ok(settings, TrainingSettings.plan { Metric = "mse"; Larger = false } settings.Training)

    /// The model without its types; with a specification, Experiment.ofSpecification makes an experiment of it.
    let variant: Variant =
        Variant.ofDefinition
            {
                Defaults = defaults
                Resolve = resolve
                Dependences = Definition.independent
                Load = load
                Init = init
                Allocate = allocate
                Fill = fill
                Loss = fun _ -> loss
                Checked = Definition.checkedAsItIs
                Read = read
                Metrics = metrics
                Probes = Definition.noProbes
                Baselines = []
                Snapshot = Definition.noSnapshot
                Figures = figures
                Animation = Definition.noAnimation
            }
