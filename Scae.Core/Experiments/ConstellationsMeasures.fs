namespace Scae.Core

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
