namespace Scae.Core.Layers

open System
open FSharp.Reflection
open Scae.Tensors

/// The tensors of a model. A model is a record of tensors, of further records, and of arrays, lists and options of
/// them. The names of its fields are the names of its parameters ("encoder.query").
[<RequireQualifiedAccess>]
module Parameters =
    let private join (prefix: string) (name: string) = if prefix = "" then name else $"{prefix}.{name}"

    let private camel (name: string) =
        if name.Length > 1 && Char.IsUpper name[1] then
            name
        else
            string (Char.ToLowerInvariant name[0]) + name[1..]

    let private isOption (kind: Type) = kind.IsGenericType && kind.GetGenericTypeDefinition() = typedefof<option<_>>

    let private isList (kind: Type) = kind.IsGenericType && kind.GetGenericTypeDefinition() = typedefof<list<_>>

    /// Rebuilds a value of a model's type with every tensor replaced; `f` gets each tensor's name.
    let rec private rebuild (f: string -> Tensor -> Tensor) (prefix: string) (kind: Type) (value: objnull) : objnull =
        match value with
        | :? Tensor as tensor -> box (f prefix tensor)
        | _ when FSharpType.IsRecord(kind, true) ->
            FSharpType.GetRecordFields(kind, true)
            |> Array.map (fun field ->
                rebuild f (join prefix (camel field.Name)) field.PropertyType (field.GetValue value))
            |> fun fields -> FSharpValue.MakeRecord(kind, fields, true)
        | :? Array as items ->
            let element = nonNull (kind.GetElementType())
            let copy = Array.CreateInstance(element, items.Length)

            for i in 0 .. items.Length - 1 do
                copy.SetValue(rebuild f (join prefix (string i)) element (items.GetValue i), i)

            box copy
        | _ when isOption kind || isList kind ->
            let case, fields = FSharpValue.GetUnionFields(value, kind)
            let types = case.GetFields() |> Array.map _.PropertyType

            let names =
                if isOption kind then
                    Array.create fields.Length prefix
                else
                    Array.init fields.Length (fun i -> if i = 0 then join prefix "0" else prefix)

            FSharpValue.MakeUnion(case, Array.map3 (rebuild f) names types fields)
        | _ -> value

    /// The model with every tensor replaced by `f name tensor`.
    let mapi (f: string -> Tensor -> Tensor) (model: 'model) : 'model =
        rebuild f "" typeof<'model> (box model) |> unbox<'model>

    /// The model with every tensor replaced.
    let map (f: Tensor -> Tensor) (model: 'model) : 'model = mapi (fun _ tensor -> f tensor) model

    /// Every tensor with its name, in the order of the fields. Raises ArgumentException if two have the same name, as
    /// the items of a list would: use arrays.
    let named (model: 'model) : (string * Tensor) list =
        let found = ResizeArray()

        mapi
            (fun name tensor ->
                found.Add(name, tensor)
                tensor)
            model
        |> ignore

        let all = List.ofSeq found

        match all |> List.countBy fst |> List.tryFind (fun (_, count) -> count > 1) with
        | Some(name, _) -> invalidArg (nameof model) $"two parameters have the name {name}"
        | None -> all

    /// How many numbers a model has.
    let count (model: 'model) : int = named model |> List.sumBy (fun (_, tensor) -> tensor.nelement)

    /// The model with every tensor marked, so that losses have derivatives by them.
    let trainable (model: 'model) : 'model = map (fun tensor -> tensor.reverseDiff ()) model

    /// The model without marks: what is computed from it has no derivatives, and nothing is recorded for them.
    let frozen (model: 'model) : 'model = map (fun tensor -> tensor.primal) model

    /// Overwrites the elements of one tensor with those of another. Raises ShapeError if shapes or dtypes differ.
    let assign (target: Tensor) (source: Tensor) : unit =
        if target.shape <> source.shape || target.dtype <> source.dtype then
            raise (
                ShapeError
                    $"assign: %A{source.shape} {source.dtype} into %A{target.shape} {target.dtype}; both must agree"
            )

        match target.dtype with
        | Dtype.Float64 -> source.CopyTo(target.Elements<double>())
        | Dtype.Float32 -> source.CopyTo(target.Elements<float32>())
        | _ -> source.CopyTo(target.Elements<int>())

    /// Exchanges the elements of two float32 tensors of one shape. Raises ShapeError when shapes or dtypes differ.
    let exchange (a: Tensor) (b: Tensor) : unit =
        if a.shape <> b.shape || a.dtype <> b.dtype || a.dtype <> Dtype.Float32 then
            raise (
                ShapeError
                    $"exchange: %A{a.shape} {a.dtype} with %A{b.shape} {b.dtype}; both must be float32 of one shape"
            )

        let a = a.Elements<float32>()
        let b = b.Elements<float32>()

        for i in 0 .. a.Length - 1 do
            let held = a[i]
            a[i] <- b[i]
            b[i] <- held
