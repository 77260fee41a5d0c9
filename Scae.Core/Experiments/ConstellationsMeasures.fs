namespace Scae.Core

open System
open Scae.Tensors

/// What is measured of any method that draws templates onto scenes.
[<RequireQualifiedAccess>]
module ConstellationsMeasures =
    /// chamfer, recovery and raw_recovery of drawn points [b, M, 2]: a point belongs to the template that drew the point
    /// nearest to it.
    let ofDrawn (templates: Template list) (scenes: Constellations) (drawn: Tensor) : Metrics =
        let predicted = ConstellationCapsules.assign templates drawn scenes.Points

        let score = Recovery.evaluate templates.Length (Template.pointCount templates) scenes.Labels predicted

        [
            "chamfer", (drawn.chamfer scenes.Points).mean().toScalar()
            "recovery", score.Best
            "raw_recovery", score.Raw
        ]

    /// The same of poses [b, K, 4].
    let ofPoses (templates: Template list) (scenes: Constellations) (poses: Tensor) : Metrics =
        poses |> ConstellationCapsules.decode templates |> ofDrawn templates scenes

    /// The geometric baseline on scenes, with the number of fits that a scene takes.
    let exact (templates: Template list) (scenes: Constellations) : Metrics =
        let poses, fits = ExactConstellations.solve templates scenes.Points
        ofPoses templates scenes poses @ [ "fits_per_scene", fits ]

    /// Standard deviations of noise at which recovery is measured, in units in which templates have sides of 0.5 to 1.5.
    let NoiseLevels: float list = [ 0.02; 0.05; 0.1; 0.15; 0.2; 0.25 ]

    /// "noise_0.05_raw_recovery".
    let noiseName (deviation: float) : string = FormattableString.Invariant $"noise_{deviation:F2}_raw_recovery"

    /// The first `count` scenes with Gaussian noise on every coordinate; a pure function of the key.
    let noisy (count: int) (deviation: float) (key: Key) (scenes: Constellations) : Constellations =
        let count = min count scenes.Points.shape[0]
        let points = (scenes.Points.slice (0, 0, count)).clone()
        let perScene = points.shape[1]
        let noise = Array.zeroCreate<float32> points.nelement
        (key.Named "noise").FillNormal(Span noise, 0.0f, float32 deviation)

        {
            Points = points + Tensor.``of`` (noise, points.shape)
            Labels = Array.truncate (count * perScene) scenes.Labels
            Poses = (scenes.Poses.slice (0, 0, count)).clone()
        }

    /// The geometric baseline, also on the first `count` scenes with noise.
    let exactWithNoise (count: int) (templates: Template list) (key: Key) (scenes: Constellations) : Metrics =
        exact templates scenes
        @ [
            if count > 0 then
                for deviation in NoiseLevels do
                    let metrics = exact templates (noisy count deviation key scenes) |> Map.ofList
                    noiseName deviation, metrics["raw_recovery"]
        ]
