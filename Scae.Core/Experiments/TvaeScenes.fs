namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Training

/// The single images of which sequences are made, as bytes.
[<RequireQualifiedAccess>]
type TvaeImages =
    | Digits of Digits
    | Sprites of Sprites

/// Sequences for measuring. They aren't kept but drawn anew each time that they are read, always the same.
type TvaeScenes =
    {
        Images: TvaeImages
        /// What moves, where the images are digits.
        Motion: DigitMotion
        /// The image of each sequence.
        Chosen: int[]
        Key: Key
    }

/// What training, evaluation and pictures of topographic autoencoders share.
type TvaeData =
    {
        /// The images that are trained with.
        Train: TvaeImages
        Order: Passes
        /// Sequences of digits that are never trained with. Sprites are all trained with.
        Validation: TvaeScenes
        Test: TvaeScenes
        /// Sequences of images that are trained with, which move as in training.
        Trained: TvaeScenes
        /// Test sequences with rotation and colour together, if training moves only one at a time.
        Unseen: TvaeScenes option
        /// The randomness of the levels with which measures are compared.
        Levels: Key
    }

/// Sequences that topographic autoencoders see.
[<RequireQualifiedAccess>]
module TvaeScenes =
    /// How many images there are.
    let count (images: TvaeImages) : int =
        match images with
        | TvaeImages.Digits digits -> Digits.count digits
        | TvaeImages.Sprites _ -> Sprites.Count

    /// Draws a sequence of each chosen image into frames [b·S, C·P]; a pure function of the key.
    let fill (images: TvaeImages) (motion: DigitMotion) (chosen: ReadOnlySpan<int>) (key: Key) (into: Tensor) : unit =
        match images with
        | TvaeImages.Digits digits -> DigitSequences.fill motion digits chosen key into
        | TvaeImages.Sprites sprites -> SpriteSequences.fill sprites chosen key into |> ignore

    /// The names of the factors that move, each with its index among the labels of a frame.
    let factors (scenes: TvaeScenes) : (string * int) list =
        match scenes.Images, scenes.Motion with
        | TvaeImages.Sprites _, _ -> [ "scale", 1; "orientation", 2; "x", 3; "y", 4 ]
        | _, DigitMotion.Still -> []
        | _, DigitMotion.Single -> [ "angle", 0; "scale", 1; "colour", 2 ]
        | _ -> [ "angle", 0 ]

    let private key (scenes: TvaeScenes) (first: int) = (scenes.Key.Named "frames").Fold(int64 first)

    /// Draws the sequences from number `first` on into frames [b·S, C·P], as many as there is room for. The key of a part follows
    /// from `first`, so the same sequences come only from the same parts.
    let load (scenes: TvaeScenes) (frames: int) (first: int) (into: Tensor) : unit =
        let chosen = ReadOnlySpan(scenes.Chosen, first, into.shape[0] / frames)
        fill scenes.Images scenes.Motion chosen (key scenes first) into

    /// The key of the noise with which a part that begins with number `first` is encoded, for each draw from 0 on. Whatever encodes
    /// the part has the same noise.
    let noise (scenes: TvaeScenes) (first: int) (draw: int) : Key =
        let ofPart = (scenes.Key.Named "noise").Fold(int64 first)
        if draw = 0 then ofPart else ofPart.Fold(int64 draw)

    /// Angle, scale and hue as steps. Where two factors move together, by as many steps, the angle stands for both.
    let private labelsOfView (motion: DigitMotion) (view: DigitView) : int[] =
        let step = 360 / DigitSequences.Steps
        let angle = int view.Angle / step

        match motion with
        | DigitMotion.Still
        | DigitMotion.Single -> [| angle; Array.IndexOf(DigitSequences.scales, view.Scale); int view.Hue / step |]
        | DigitMotion.RotationColour
        | DigitMotion.PerspectiveColour -> [| angle; 0; 0 |]

    /// The factors of the frames of sequence number i of a part that begins with number `first`, [t][f].
    let labels (scenes: TvaeScenes) (first: int) (i: int) : int[][] =
        let stream = ((key scenes first).Fold(int64 i)).Stream()

        match scenes.Images with
        | TvaeImages.Sprites _ -> SpriteSequences.images scenes.Chosen[first + i] stream |> Array.map Sprites.factors
        | TvaeImages.Digits _ -> DigitSequences.views scenes.Motion stream |> Array.map (labelsOfView scenes.Motion)

    /// The first sequences, as many as there are at most.
    let first (most: int) (scenes: TvaeScenes) : TvaeScenes = { scenes with Chosen = Array.truncate most scenes.Chosen }
