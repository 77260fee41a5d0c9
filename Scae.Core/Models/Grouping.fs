namespace Scae.Core.Models

open Scae.Tensors

/// How latents share a scale: the family of W in Keller & Welling 2021.
[<RequireQualifiedAccess>]
type Grouping =
    /// Latents share no scale: a plain variational autoencoder.
    | Plain
    /// An entry shares its scale with the next entry of its capsule in the next frame: the topographic autoencoder.
    | Shifting
    /// An entry shares its scale with its neighbours in frames and capsule, with no shift from frame to frame: BubbleVAE,
    /// and L = 0 where the kernel is one frame.
    | Box
    /// Each frame's latents lie on a square map that wraps; an entry shares its scale with its neighbours on the map.
    | Torus

/// The 0/1 matrix W, as the offsets (δ, γ) at which it is 1: v[t, c] = Σ u²[t + δ, c + γ], where frames and entries both wrap
/// around. Even kernels reach one step further into the future than into the past.
[<RequireQualifiedAccess>]
module Grouping =
    // A kernel of k taps stands for the offsets h − τ, h = ⌊k/2⌋, τ from 0 to k − 1.
    let private reach (kernel: int) : int list = [ for tap in 0 .. kernel - 1 -> kernel / 2 - tap ]

    /// The offsets (δ, γ) in frames and entries. `kernel` is the kernel's edge in frames. `width` is K, the number of entries
    /// that share a scale within a frame. With Shifting it is a band of K = 2·n + 1 diagonals of a square kernel, cut off at the
    /// kernel's corners; with Box and Torus it is the kernel's other edge.
    let offsets (grouping: Grouping) (kernel: int) (width: int) : struct (int * int)[] =
        match grouping with
        | Grouping.Plain -> [||]
        | Grouping.Shifting ->
            [|
                for down in reach kernel do
                    for right in reach kernel do
                        if abs (down - right) <= (width - 1) / 2 then
                            struct (down, right)
            |]
        | Grouping.Box
        | Grouping.Torus ->
            [|
                for down in reach kernel do
                    for right in reach width do
                        struct (down, right)
            |]
