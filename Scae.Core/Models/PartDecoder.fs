namespace Scae.Core.Models

open Scae.Tensors
open Scae.Core.Layers

/// From a part's features to the colour by which its template is multiplied.
type TemplateColour = { Hidden: Linear; Output: Linear }

/// What parts look like.
type PartDecoder =
    {
        /// [M, side, side], before they become pixel values.
        Templates: Tensor
        Colour: TemplateColour option
        /// A map of mixing logits for each template, [M, side, side]; only for PixelMixing.Alpha.
        Alpha: Tensor option
        /// [1], the background's value before the sigmoid.
        Background: Tensor
        /// [1], the background's mixing logit before softplus; only for PixelMixing.Alpha.
        BackgroundLogit: Tensor option
        /// [1], before softplus; only for PixelMixing.Coupled.
        Temperature: Tensor option
    }

/// Parts and background as drawn, M + 1 components a pixel, the background last.
type Drawing =
    {
        /// [b, M + 1, canvas, canvas] in [0, 1].
        Values: Tensor
        /// Logarithms of mixing weights, which sum to 1 over components; the same shape.
        Mixing: Tensor
    }

/// Templates, their rendering, and the mixture of pixels (Kosiorek et al. 2019, eq. 3–6; the details are the released
/// program's).
[<RequireQualifiedAccess>]
module PartDecoder =
    /// Rows of an orthogonal matrix. One factor and one shift bring them all to [0, 1].
    let private templates (config: ScaeConfig) (dtype: Dtype) (key: Key) : Tensor =
        let side = config.TemplateSide
        let pixels = side * side
        let q = Initialization.orthogonal pixels key

        let rows =
            Array.init (config.Parts * pixels) (fun i ->
                // More parts than pixels begin alike; their poses differ.
                q[i / pixels % pixels, i % pixels])

        let low, high = Array.min rows, Array.max rows

        (Tensor.``of`` (rows |> Array.map (fun x -> (x - low) / (high - low)), config.Parts, side, side)).cast dtype

    /// Parameters drawn from a key.
    let init (config: ScaeConfig) (dtype: Dtype) (key: Key) : PartDecoder =
        let zero () = Tensor.zeros ([| 1 |], dtype)
        let alpha = config.Mixing = PixelMixing.Alpha
        let optional present (make: unit -> Tensor) = if present then Some(make ()) else None

        {
            Templates = templates config dtype (key.Named "templates")
            Colour =
                if config.Colour > 0 then
                    Some
                        {
                            Hidden = Linear.truncated config.Features config.Colour dtype (key.Named "hidden")
                            Output = Linear.truncated config.Colour 1 dtype (key.Named "colour")
                        }
                else
                    None
            Alpha =
                optional alpha (fun () ->
                    Tensor.zeros ([| config.Parts; config.TemplateSide; config.TemplateSide |], dtype))
            Background = Initialization.glorot 2 dtype [ 1 ] (key.Named "background")
            BackgroundLogit = optional alpha zero
            Temperature = optional (not alpha) zero
        }

    let private toValues (config: ScaeConfig) (offset: float) (x: Tensor) : Tensor =
        match config.Values with
        | PixelValues.Sigmoid -> x.sigmoid ()
        | PixelValues.Clipped -> (x + offset).clamp(0.0, 1.0)

    /// The templates as pixel values, [M, side, side].
    let values (config: ScaeConfig) (model: PartDecoder) : Tensor = toValues config 0.0 model.Templates

    /// The colour by which each part's template is multiplied, [b, M, 1], from features [b, M, features]; None without colours.
    let private colour (config: ScaeConfig) (model: PartDecoder) (features: Tensor) : Tensor option =
        model.Colour
        |> Option.map (fun layers ->
            features
            |> Linear.activated Activation.Relu layers.Hidden
            |> Linear.forward layers.Output
            |> toValues config 0.99)

    /// Each image's templates in their colours, [b, M, side, side].
    let coloured (config: ScaeConfig) (model: PartDecoder) (features: Tensor) : Tensor =
        let b, side = features.shape[0], config.TemplateSide

        match colour config model features with
        | Some colour -> values config model * colour.unsqueeze 3
        | None -> (values config model).expand(b, config.Parts, side, side)

    /// Sheets [b·M, n, h, w] put on a canvas by poses [b, M, 6]: [b·M, n, canvas, canvas], 0 outside a sheet. A pose maps places
    /// of the sheet to places of the canvas, both with the centres of the outermost pixels at ±1, x to the right, y down.
    let place (canvas: int) (poses: Tensor) (sheets: Tensor) : Tensor =
        let inverse = (Pose.inverse poses).view(-1, 6, 1, 1)
        let entry i = inverse.select (1, i)
        let line = Tensor.linspace (-1.0, 1.0, canvas, poses.dtype)
        let u, v = line.view (1, 1, canvas), line.view (1, canvas, 1)
        let coordinate i = entry i * u + entry (i + 1) * v + entry (i + 2)
        sheets.gridSample (Tensor.stack ([| coordinate 0; coordinate 3 |], 3))

    /// softplus(r + ½) + 10⁻⁴.
    let private temperature (raw: Tensor) = (raw + 0.5).softplus() + 1e-4

    /// What parts and background draw. Where a template doesn't reach, its part has value 0 and the logit of its presence alone,
    /// so parts are a black background as well.
    let draw (config: ScaeConfig) (model: PartDecoder) (parts: Parts) : Drawing =
        let b, m, side, canvas = parts.Poses.shape[0], config.Parts, config.TemplateSide, config.Canvas
        let templates = (coloured config model parts.Features).contiguous().view(b * m, 1, side, side)
        let everywhere (x: Tensor) = x.view(1, 1, 1, 1).expand(b, 1, canvas, canvas)
        let background = everywhere (model.Background.sigmoid ())

        let values, logits, backgroundLogit =
            match model.Alpha, model.BackgroundLogit, model.Temperature with
            | Some alpha, Some logit, _ ->
                let alpha = alpha.expand(b, m, side, side).contiguous().view(b * m, 1, side, side)

                let drawn =
                    (place canvas parts.Poses (Tensor.cat ([| templates; alpha |], 1))).view(b, m, 2, canvas, canvas)

                drawn.select (2, 0), drawn.select (2, 1), everywhere (logit.softplus ())
            | _, _, Some raw ->
                let drawn = (place canvas parts.Poses templates).view(b, m, canvas, canvas)
                let warmth = (temperature raw).view(1, 1, 1, 1)
                drawn, drawn / warmth, background / warmth
            | _ -> invalidOp "a decoder has either mixing logits or a temperature"

        let present = logits + (Logarithm.safe parts.Presence).view(b, m, 1, 1)

        {
            Values = Tensor.cat ([| values; background |], 1)
            Mixing = Tensor.cat([| present; backgroundLogit |], 1).logsoftmax 1
        }

    /// The log-likelihood of images [b, 1, canvas, canvas], [b]: Σ_pixels ln Σ_m π_m N(y; T_m, 1). The standard deviation is
    /// 1, so that a perfect drawing has −½ ln 2π a pixel. The mixture is that of `draw`, computed in one operation.
    let logLikelihood (config: ScaeConfig) (model: PartDecoder) (parts: Parts) (images: Tensor) : Tensor =
        let mixing =
            match model.Alpha, model.BackgroundLogit, model.Temperature with
            | Some alpha, Some logit, _ -> PartMixing.Alpha(alpha, logit.softplus ())
            | _, _, Some raw -> PartMixing.Coupled(temperature raw)
            | _ -> invalidOp "a decoder has either mixing logits or a temperature"

        let scene =
            PartScene(
                (values config model).unsqueeze 1,
                parts.Poses,
                Logarithm.safe parts.Presence,
                model.Background.sigmoid (),
                mixing,
                Colour = Option.toObj (colour config model parts.Features)
            )

        images.partMixture scene

    /// The mean of the mixture, [b, canvas, canvas].
    let mean (drawing: Drawing) : Tensor = (drawing.Mixing.exp () * drawing.Values).sum 1
