namespace Scae.Core.Models

open Scae.Tensors
open Scae.Core.Layers

/// A convolutional network over a whole scene that says how many objects it has: two convolutions that halve it, one more, and
/// a hidden layer, all with relu.
type SceneCounter =
    {
        /// [c, 1, 5, 5].
        First: Convolution
        /// [2c, c, 3, 3].
        Second: Convolution
        /// [2c, 2c, 3, 3].
        Third: Convolution
        /// [2c·s², 8c], s the side of what the convolutions leave.
        Hidden: Linear
        /// [8c, T].
        Output: Linear
    }

/// What a look at the whole scene adds to the logits of presence. Steps look through windows as large as a digit. But only
/// the way strokes meet tells two digits that lie on each other from one wide digit.
[<RequireQualifiedAccess>]
module SceneCounter =
    // The output adds next to nothing at first.
    [<Literal>]
    let private OutputGain = 0.1

    let private halved (side: int) = (side + 1) / 2

    /// Parameters for scenes of canvas² pixels and the given number of steps, drawn from a key, with He's deviation; the last
    /// layer has a tenth of it.
    let init (canvas: int) (channels: int) (steps: int) (dtype: Dtype) (key: Key) : SceneCounter =
        let c = channels
        let side = halved (halved canvas)

        let convolution inputs outputs size (name: string) = Convolution.he size inputs outputs dtype (key.Named name)

        {
            First = convolution 1 c 5 "first"
            Second = convolution c (2 * c) 3 "second"
            Third = convolution (2 * c) (2 * c) 3 "third"
            Hidden = Linear.init 1.0 (2 * c * side * side) (8 * c) dtype (key.Named "hidden")
            Output = Linear.init OutputGain (8 * c) steps dtype (key.Named "output")
        }

    /// What scenes [b, canvas²] add to the logits of the steps' presence, [b, T].
    let logits (canvas: int) (counter: SceneCounter) (scenes: Tensor) : Tensor =
        scenes.view (-1, 1, canvas, canvas)
        |> Convolution.rectifiedWithin 2 2 counter.First
        |> Convolution.rectifiedWithin 1 2 counter.Second
        |> Convolution.rectifiedWithin 1 1 counter.Third
        |> fun x -> x.flatten 1
        |> Linear.activated Activation.Relu counter.Hidden
        |> Linear.forward counter.Output
