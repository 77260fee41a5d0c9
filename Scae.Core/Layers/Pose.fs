namespace Scae.Core.Layers

open System
open Scae.Tensors

/// The kind of maps of the plane that six free numbers describe.
[<RequireQualifiedAccess>]
type PoseKind =
    /// Two scales, a shear, an angle and a shift.
    | Affine
    /// One scale, an angle and a shift; the second scale and the shear are unused.
    | Similarity

/// Maps of the plane x ↦ (a·x + b·y + t_x, c·x + d·y + t_y), as numbers (a, b, t_x, c, d, t_y) along the last axis.
[<RequireQualifiedAccess>]
module Pose =
    let private entry (i: int) (x: Tensor) = x.slice (-1, i, i + 1)

    // The least scale, so that every map has an inverse.
    [<Literal>]
    let private LeastScale = 0.01

    // How steeply shear and shift saturate. With weights scaled by fan-in they may saturate from the start, as in the
    // released program.
    [<Literal>]
    let private Steepness = 5.0

    /// The map for free numbers (p_x, p_y, θ, q, u_x, u_y) [.., 6] → [.., 6] (the released program of Kosiorek et al.
    /// 2019): scales σ(p) + 0.01, angle 2πθ, shear tanh 5q, shift tanh 5u. The linear part is Shear·Scale·Rotation,
    /// whose determinant is the product of the scales.
    let ofRaw (kind: PoseKind) (raw: Tensor) : Tensor =
        let scale i = (entry i raw).sigmoid() + LeastScale
        let angle = entry 2 raw * (2.0 * Math.PI)
        let shift i = (entry i raw * Steepness).tanh()
        let c, n, sx, tx, ty = angle.cos (), angle.sin (), scale 0, shift 4, shift 5

        match kind with
        | PoseKind.Similarity ->
            let sc, sn = sx * c, sx * n
            Tensor.cat ([| sc; -sn; tx; sn; sc; ty |], -1)
        | PoseKind.Affine ->
            let h, sy = (entry 3 raw * Steepness).tanh(), scale 1
            let sn, sc = sy * n, sy * c
            Tensor.cat ([| sx * c + h * sn; h * sc - sx * n; tx; sn; sc; ty |], -1)

    /// left ∘ right, [.., 6] each; the other axes broadcast.
    let compose (left: Tensor) (right: Tensor) : Tensor =
        let row i shift =
            let a, b = entry i left, entry (i + 1) left
            let through j = a * entry j right + b * entry (j + 3) right
            [| through 0; through 1; through 2 + entry shift left |]

        Tensor.cat (Array.append (row 0 2) (row 3 5), -1)

    /// a·d − b·c, [.., 6] → [.., 1].
    let determinant (pose: Tensor) : Tensor = entry 0 pose * entry 4 pose - entry 1 pose * entry 3 pose

    /// The inverse map, [.., 6] → [.., 6]. A singular map has none, and gives infinities or NaN.
    let inverse (pose: Tensor) : Tensor =
        let a, b, tx = entry 0 pose, entry 1 pose, entry 2 pose
        let c, d, ty = entry 3 pose, entry 4 pose, entry 5 pose
        Tensor.cat ([| d; -b; b * ty - d * tx; -c; a; c * tx - a * ty |], -1) / determinant pose

    /// Only the shift: [.., 6] → [.., 2], the image of the origin.
    let origin (pose: Tensor) : Tensor = Tensor.cat ([| entry 2 pose; entry 5 pose |], -1)
