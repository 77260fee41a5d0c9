namespace Scae.Core.Layers

open System
open System.Collections
open System.Reflection
open FSharp.Reflection
open Scae.Tensors

/// The tensors of a model. A model is a record of tensors, of further records, and of arrays, lists, tuples and options of
/// them. The names of its fields are the names of its parameters ("encoder.query"); items have their number ("layers.0").
/// Functions here raise ArgumentException if tensors are in anything else, where they would be overlooked.
[<RequireQualifiedAccess>]
module Parameters =
    let private join (prefix: string) (name: string) = if prefix = "" then name else $"{prefix}.{name}"

    let private camel (name: string) =
        if name.Length > 1 && Char.IsUpper name[1] then
            name
        else
            string (Char.ToLowerInvariant name[0]) + name[1..]

    let private isOf (definition: Type) (kind: Type) =
        kind.IsGenericType && kind.GetGenericTypeDefinition() = definition

    let private isOption (kind: Type) = isOf typedefof<option<_>> kind || isOf typedefof<voption<_>> kind

    /// Whether values of a type may hold tensors, other than in a closure.
    let rec private holdsTensors (outer: Type list) (kind: Type) : bool =
        let holds = holdsTensors (kind :: outer)

        if kind = typeof<Tensor> then
            true
        elif kind.IsPrimitive || kind.IsEnum || FSharpType.IsFunction kind || List.contains kind outer then
            false
        elif kind.IsArray then
            holds (nonNull (kind.GetElementType()))
        elif kind.IsGenericType && kind.GetGenericArguments() |> Array.exists holds then
            true
        elif FSharpType.IsUnion(kind, true) then
            FSharpType.GetUnionCases(kind, true)
            |> Array.exists (fun case -> case.GetFields() |> Array.exists (fun field -> holds field.PropertyType))
        else
            kind.Assembly <> typeof<obj>.Assembly
            && kind.GetFields(BindingFlags.Instance ||| BindingFlags.Public ||| BindingFlags.NonPublic)
               |> Array.exists (fun field -> holds field.FieldType)

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
        | :? IEnumerable as items when isOf typedefof<list<_>> kind ->
            let element, cases = kind.GetGenericArguments()[0], FSharpType.GetUnionCases kind

            let copies =
                Seq.cast<objnull> items
                |> Seq.mapi (fun i -> rebuild f (join prefix (string i)) element)
                |> Array.ofSeq

            let prepend (item: objnull) (rest: objnull) = FSharpValue.MakeUnion(cases[1], [| item; rest |])
            Array.foldBack prepend copies (FSharpValue.MakeUnion(cases[0], [||]))
        | _ when isOption kind ->
            let case, fields = FSharpValue.GetUnionFields(value, kind)
            let types = case.GetFields() |> Array.map _.PropertyType
            FSharpValue.MakeUnion(case, Array.map2 (rebuild f prefix) types fields)
        | NonNull tuple when FSharpType.IsTuple kind ->
            (FSharpType.GetTupleElements kind, FSharpValue.GetTupleFields tuple)
            ||> Array.mapi2 (fun i -> rebuild f (join prefix (string i)))
            |> fun items -> FSharpValue.MakeTuple(items, kind)
        | _ when holdsTensors [] kind ->
            let what = if prefix = "" then "the model" else prefix

            invalidArg
                "model"
                $"{what} is of type {kind.Name}, which holds tensors; only records, arrays, lists, tuples and options of them are looked into"
        | _ -> value

    /// The model with every tensor replaced by `f name tensor`.
    let mapi (f: string -> Tensor -> Tensor) (model: 'model) : 'model =
        rebuild f "" typeof<'model> (box model) |> unbox<'model>

    /// The model with every tensor replaced.
    let map (f: Tensor -> Tensor) (model: 'model) : 'model = mapi (fun _ tensor -> f tensor) model

    /// Every tensor with its name, in the order of the fields. Raises ArgumentException if two have the same name.
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
