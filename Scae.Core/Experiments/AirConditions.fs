namespace Scae.Core.Experiments

open Scae.Tensors
open Scae.Core.Data

/// A condition under which test scenes are counted.
type AirCondition =
    {
        /// The condition as a part of metrics' names.
        Name: string
        Title: string
        /// Draws the given number of scenes, always the same ones.
        Sample: int -> Scenes
    }

/// Conditions that each have one hardship, on the experiment's own canvas: light, contrast, size, or other handwriting.
[<RequireQualifiedAccess>]
module AirConditions =
    /// Lit scenes; a pure function of the key.
    let sample
        (scenes: MultiMnistConfig)
        (conditions: SceneConditions)
        (digits: Digits)
        (count: int)
        (key: Key)
        : Scenes =
        let drawn = MultiMnist.sample scenes digits count (key.Named "scenes")
        SceneConditions.light conditions scenes.Canvas (key.Named "light") drawn.Images
        drawn

    /// Digits of another kind than those of training, where they can be had: MNIST for a model that learned from stroke digits,
    /// stroke digits for any other.
    let private others (settings: AirSettings) (resources: Resources) : (string * string * Lazy<Digits>) option =
        let onStrokes =
            settings.Digits = DigitSource.Strokes
            || settings.Digits = DigitSource.Auto && (resources.MnistMissing()).IsSome

        if onStrokes then
            match DigitSource.load DigitSource.Mnist resources with
            | Ok sets -> Some("mnist", "MNIST's digits", lazy sets.Test)
            | Error _ -> None
        else
            Some("strokes", "stroke digits", lazy (StrokeDigits.sets ()).Test)

    /// Every condition, for scenes of the given digits. Conditions of the same size and handwriting have the same scenes.
    let all (settings: AirSettings) (resources: Resources) (digits: Digits) (key: Key) : AirCondition list =
        let key = key.Named "conditions"
        let plain, scenes = SceneConditions.plain, { settings.Scenes with Zoom = [ 1.0 ] }

        let condition name title scenes lit (digits: Lazy<Digits>) =
            {
                Name = name
                Title = title
                Sample = fun count -> sample scenes lit digits.Value count key
            }

        let own = lazy digits

        let lit name title background strength =
            condition
                $"%s{name}_%.2f{strength}"
                $"%s{title} %.1f{strength}"
                scenes
                { plain with Background = background; BackgroundStrength = [ strength ] }
                own

        let dimmed contrast =
            condition
                $"contrast_%.2f{contrast}"
                $"contrast %.2f{contrast}"
                scenes
                { plain with Contrast = [ contrast ] }
                own

        let sized zoom =
            condition $"size_%.2f{zoom}" $"size %.1f{zoom}" { scenes with Zoom = [ zoom ] } plain own

        [
            condition "plain" "plain" scenes plain own
            for deviation in [ 0.1; 0.2; 0.3; 0.4 ] do
                lit "noise" "noise" Background.Noise deviation
            for strength in [ 0.2; 0.4 ] do
                lit "stripes" "stripes" Background.Stripes strength
            for strength in [ 0.2; 0.4 ] do
                lit "clouds" "clouds" Background.Clouds strength
            dimmed 0.5
            dimmed (1.0 / 3.0)
            for zoom in [ 0.7; 1.3 ] do
                // On small canvases large digits have no room.
                if MultiMnist.largestSide { scenes with Zoom = [ zoom ] } <= scenes.Canvas then
                    sized zoom

            match others settings resources with
            | Some(name, title, digits) -> condition name title scenes plain digits
            | None -> ()
        ]
