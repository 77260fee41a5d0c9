namespace Scae.Core

open Scae.Tensors

/// F#'s slices: t[1, 2..5, *] is position 1 of the first axis (which disappears), positions 2 to 5 of the second, all of
/// the third, and all of every axis that isn't mentioned. Views, no copies. A range a..a keeps its axis.
[<AutoOpen>]
module Slicing =
    /// What one place between the brackets says.
    [<Struct>]
    type private Place =
        | At of position: int
        | Range of first: int option * last: int option

    let private take (places: Place list) (x: Tensor) : Tensor =
        if places.Length > x.dim then
            raise (
                ShapeError
                    $"slice: {places.Length} indices into a tensor with {x.dim} axes; there may be at most {x.dim}"
            )

        // From the last axis on, so that an axis that disappears doesn't shift those still to come.
        (List.indexed places, x)
        ||> List.foldBack (fun (axis, place) x ->
            match place with
            | At position -> x.select (axis, position)
            | Range(None, None) -> x
            | Range(first, last) ->
                let stop =
                    match last with
                    | Some position -> position + 1
                    | None -> x.shape[axis]

                x.slice (axis, defaultArg first 0, stop))

    type Tensor with
        /// The element or part at a position of the first axis.
        member x.Item
            with get (i0: int) = take [ At i0 ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice(a0: int option, b0: int option) : Tensor = take [ Range(a0, b0) ] x

        /// The element or part at these positions.
        member x.Item
            with get (i0: int, i1: int) = take [ At i0; At i1 ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice(i0: int, a1: int option, b1: int option) : Tensor = take [ At i0; Range(a1, b1) ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice(a0: int option, b0: int option, i1: int) : Tensor = take [ Range(a0, b0); At i1 ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice(a0: int option, b0: int option, a1: int option, b1: int option) : Tensor =
            take [ Range(a0, b0); Range(a1, b1) ] x

        /// The element or part at these positions.
        member x.Item
            with get (i0: int, i1: int, i2: int) = take [ At i0; At i1; At i2 ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice(i0: int, i1: int, a2: int option, b2: int option) : Tensor =
            take [ At i0; At i1; Range(a2, b2) ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice(i0: int, a1: int option, b1: int option, i2: int) : Tensor =
            take [ At i0; Range(a1, b1); At i2 ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice(i0: int, a1: int option, b1: int option, a2: int option, b2: int option) : Tensor =
            take [ At i0; Range(a1, b1); Range(a2, b2) ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice(a0: int option, b0: int option, i1: int, i2: int) : Tensor =
            take [ Range(a0, b0); At i1; At i2 ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice(a0: int option, b0: int option, i1: int, a2: int option, b2: int option) : Tensor =
            take [ Range(a0, b0); At i1; Range(a2, b2) ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice(a0: int option, b0: int option, a1: int option, b1: int option, i2: int) : Tensor =
            take [ Range(a0, b0); Range(a1, b1); At i2 ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice
            (a0: int option, b0: int option, a1: int option, b1: int option, a2: int option, b2: int option)
            : Tensor =
            take [ Range(a0, b0); Range(a1, b1); Range(a2, b2) ] x

        /// The element or part at these positions.
        member x.Item
            with get (i0: int, i1: int, i2: int, i3: int) = take [ At i0; At i1; At i2; At i3 ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice(i0: int, i1: int, i2: int, a3: int option, b3: int option) : Tensor =
            take [ At i0; At i1; At i2; Range(a3, b3) ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice(i0: int, i1: int, a2: int option, b2: int option, i3: int) : Tensor =
            take [ At i0; At i1; Range(a2, b2); At i3 ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice(i0: int, i1: int, a2: int option, b2: int option, a3: int option, b3: int option) : Tensor =
            take [ At i0; At i1; Range(a2, b2); Range(a3, b3) ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice(i0: int, a1: int option, b1: int option, i2: int, i3: int) : Tensor =
            take [ At i0; Range(a1, b1); At i2; At i3 ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice(i0: int, a1: int option, b1: int option, i2: int, a3: int option, b3: int option) : Tensor =
            take [ At i0; Range(a1, b1); At i2; Range(a3, b3) ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice(i0: int, a1: int option, b1: int option, a2: int option, b2: int option, i3: int) : Tensor =
            take [ At i0; Range(a1, b1); Range(a2, b2); At i3 ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice
            (i0: int, a1: int option, b1: int option, a2: int option, b2: int option, a3: int option, b3: int option)
            : Tensor =
            take [ At i0; Range(a1, b1); Range(a2, b2); Range(a3, b3) ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice(a0: int option, b0: int option, i1: int, i2: int, i3: int) : Tensor =
            take [ Range(a0, b0); At i1; At i2; At i3 ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice(a0: int option, b0: int option, i1: int, i2: int, a3: int option, b3: int option) : Tensor =
            take [ Range(a0, b0); At i1; At i2; Range(a3, b3) ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice(a0: int option, b0: int option, i1: int, a2: int option, b2: int option, i3: int) : Tensor =
            take [ Range(a0, b0); At i1; Range(a2, b2); At i3 ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice
            (a0: int option, b0: int option, i1: int, a2: int option, b2: int option, a3: int option, b3: int option)
            : Tensor =
            take [ Range(a0, b0); At i1; Range(a2, b2); Range(a3, b3) ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice(a0: int option, b0: int option, a1: int option, b1: int option, i2: int, i3: int) : Tensor =
            take [ Range(a0, b0); Range(a1, b1); At i2; At i3 ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice
            (a0: int option, b0: int option, a1: int option, b1: int option, i2: int, a3: int option, b3: int option)
            : Tensor =
            take [ Range(a0, b0); Range(a1, b1); At i2; Range(a3, b3) ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice
            (a0: int option, b0: int option, a1: int option, b1: int option, a2: int option, b2: int option, i3: int)
            : Tensor =
            take [ Range(a0, b0); Range(a1, b1); Range(a2, b2); At i3 ] x

        /// A part of the tensor; positions drop their axes, ranges keep them.
        member x.GetSlice
            (
                a0: int option,
                b0: int option,
                a1: int option,
                b1: int option,
                a2: int option,
                b2: int option,
                a3: int option,
                b3: int option
            ) : Tensor =
            take [ Range(a0, b0); Range(a1, b1); Range(a2, b2); Range(a3, b3) ] x
