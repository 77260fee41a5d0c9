/// The table of all differentiable operations: how to draw inputs of random shapes for each, and how to apply it.
module Scae.Tests.Differentiation.Cases

open FsCheck.FSharp
open Scae.Tensors
open Scae.Tests.Values

/// What an operation is tried on: a shape of rank 0 to 4, six free sizes, and a number from which the rest is drawn.
type Instance =
    {
        Shape: int list
        Sizes: int list
        Draw: int
    }

    /// A shape with at least one axis.
    member this.Axes = if this.Shape.IsEmpty then [ 3 ] else this.Shape
    /// An axis of it, counted from the front or the back.
    member this.Axis = this.Draw % (2 * this.Axes.Length) - this.Axes.Length

    /// The free sizes, none of them empty.
    member this.Positive = this.Sizes |> List.map (max 1)

    /// A shape that broadcasts against Shape: some axes shrunk to one, leading ones dropped.
    member this.Broadcast bits =
        let shrunk = this.Shape |> List.mapi (fun i n -> if (bits >>> i) &&& 1 = 1 then 1 else n)

        shrunk |> List.skip (min shrunk.Length ((bits >>> 5) % 3))

let private size =
    Gen.frequency [ 1, Gen.constant 0; 3, Gen.constant 1; 8, Gen.choose (2, 5); 1, Gen.choose (16, 19) ]

let instances =
    gen {
        let! rank = Gen.frequency [ 1, Gen.constant 0; 8, Gen.choose (1, 3); 1, Gen.constant 4 ]
        let! shape = Gen.listOfLength rank size
        let! sizes = Gen.listOfLength 6 size
        let! draw = Gen.choose (0, 1 <<< 20)

        // Central differences cost two evaluations an element: large tensors of large axes are left out.
        let shape =
            if List.fold (*) 1 shape > 400 then
                List.truncate 1 shape
            else
                shape

        return { Shape = shape; Sizes = sizes |> List.map (min 6); Draw = draw }
    }

/// Where an input's values lie: functions have domains, and central differences want distance from kinks.
type Domain =
    | Anywhere
    | Positive
    | InsideOne
    | AwayFromZero

let place domain (x: float) =
    match domain with
    | Anywhere -> x
    | Positive -> 0.3 + abs x
    | InsideOne -> 0.45 * x
    | AwayFromZero -> x + 0.2 * float (if x >= 0.0 then 1 else -1)

/// An operation: the inputs it wants (domain and shape), and the operation on them.
type Case =
    {
        Name: string
        Inputs: Instance -> (Domain * int list) list
        Apply: Instance -> Tensor list -> Tensor
    }

let unary name domain (f: Tensor -> Tensor) =
    {
        Name = name
        Inputs = fun it -> [ domain, it.Shape ]
        Apply = fun _ xs -> f xs[0]
    }

/// An operation along an axis, which must not be empty.
let along name domain (f: int -> Tensor -> Tensor) =
    let filled (it: Instance) =
        let at = (it.Axis + it.Axes.Length) % it.Axes.Length
        it.Axes |> List.mapi (fun i n -> if i = at then max 1 n else n)

    {
        Name = name
        Inputs = fun it -> [ domain, filled it ]
        Apply = fun it xs -> f it.Axis xs[0]
    }

/// A broadcasting operation of two tensors, and the same with one tensor in both places.
let binary name left right (f: Tensor -> Tensor -> Tensor) =
    [
        {
            Name = name
            Inputs =
                fun it ->
                    match it.Draw % 3 with
                    | 0 -> [ left, it.Shape; right, it.Shape ]
                    | 1 -> [ left, it.Broadcast(it.Draw / 3); right, it.Shape ]
                    | _ -> [ left, it.Broadcast(it.Draw / 3); right, it.Broadcast(it.Draw / 193) ]
            Apply = fun _ xs -> f xs[0] xs[1]
        }
        {
            Name = name + " of a tensor with itself"
            Inputs = fun it -> [ right, it.Shape ]
            Apply = fun _ xs -> f xs[0] xs[0]
        }
    ]

let general name inputs (apply: Instance -> Tensor list -> Tensor) = { Name = name; Inputs = inputs; Apply = apply }

/// Views of which the operation sees one: dense, transposed, every other element, expanded along an axis.
type private Layout =
    | Dense
    | Transposed
    | Sliced
    | Expanded

let private layoutOf draw (shape: int list) =
    match draw % 5 with
    | 1 when shape.Length > 1 -> Transposed
    | 2 when not shape.IsEmpty -> Sliced
    | 3 when shape |> List.exists (fun n -> n > 1) -> Expanded
    | _ -> Dense

/// The leaf's shape, and the view of it that has the wanted shape.
let private viewing layout (shape: int list) =
    let whole = Array.ofList shape

    match layout with
    | Dense -> shape, id
    | Transposed -> List.rev shape, (fun (x: Tensor) -> x.permute (Array.init x.dim (fun i -> x.dim - 1 - i)))
    | Sliced ->
        let last = List.last shape
        List.updateAt (shape.Length - 1) (2 * last + 1) shape, (fun x -> x.slice (-1, 1, 2 * last + 1, 2))
    | Expanded ->
        let at = shape |> List.findIndex (fun n -> n > 1)
        List.updateAt at 1 shape, (fun x -> x.expand whole)

/// The leaves' values for an instance, and the case as a function of them, with the views in between.
let prepare (case: Case) (it: Instance) =
    let parts =
        case.Inputs it
        |> List.mapi (fun i (domain, shape) ->
            let leaf, view = viewing (layoutOf (it.Draw / (7 + 4 * i)) shape) shape

            let leafValues = values (it.Draw % 1000 + i) (List.fold (*) 1 leaf) |> Array.map (place domain)

            Tensor.``of`` (leafValues, Array.ofList leaf), view)

    let leaves = List.map fst parts
    let f (xs: Tensor list) = List.map2 (fun (_, view) x -> view x) parts xs |> case.Apply it
    leaves, f
