/// That the table of operations leaves none out: whatever class in Scae.Tensors has a backward rule is seen in some case.
module Scae.Tests.Differentiation.CompletenessTests

open System
open System.Collections.Generic
open System.Reflection
open Expecto
open FsCheck.FSharp
open Scae.Tensors
open Scae.Tests.Claims
open Scae.Tests.Differentiation.Cases

let private hidden = BindingFlags.Instance ||| BindingFlags.NonPublic ||| BindingFlags.Public

let private operation = nonNull (typeof<Tensor>.Assembly.GetType "Scae.Tensors.Operation")

let private creatorOf: Tensor -> obj | null =
    let property = nonNull (typeof<Tensor>.GetProperty("Creator", hidden))
    fun tensor -> property.GetValue tensor

let private inputsOf: obj -> Tensor[] =
    let property = nonNull (operation.GetProperty("Inputs", hidden))
    fun operation -> unbox (nonNull (property.GetValue operation))

/// A generic class counts once, whatever it is applied to.
let private plain (kind: Type) =
    if kind.IsGenericType then
        kind.GetGenericTypeDefinition()
    else
        kind

/// The classes of the operations behind a value.
let private behind (value: Tensor) : Type seq =
    let seen = HashSet<obj>(HashIdentity.Reference)

    let rec visit (tensor: Tensor) =
        match creatorOf tensor with
        | null -> ()
        | creator ->
            if seen.Add creator then
                inputsOf creator |> Array.iter visit

    visit value
    seen |> Seq.map (fun creator -> plain (creator.GetType()))

/// Operations that the table can't hold, and why.
let private exempt =
    [
        "OneHot" // its input are integers, which have no derivative
        "Cast" // central differences in Float32 are too coarse: ReverseTests has it
    ]

/// Every class of operation that isn't only a step towards others.
let private differentiable =
    typeof<Tensor>.Assembly.GetTypes()
    |> Array.filter (fun kind -> kind.IsSubclassOf operation && not kind.IsAbstract)

/// What passes no gradient on, by its own word: comparisons, integers, noDiff, computed values.
let private cuts (kind: Type) =
    let property = nonNull (operation.GetProperty("CutsGradient", hidden))
    let getter = nonNull (property.GetGetMethod true)

    let overriding =
        kind.GetMethods(hidden)
        |> Array.filter (fun m -> m.GetBaseDefinition() = getter.GetBaseDefinition())

    overriding |> Array.exists (fun m -> m.DeclaringType <> operation)

let private seenInTable (cases: Case list) =
    let seen = HashSet<Type>()

    for case in cases do
        for it in Gen.sampleWithSeed (FsCheck.Rnd 7UL) 50 12 instances do
            let leaves, f = prepare case it
            seen.UnionWith(behind (leaves |> List.map _.reverseDiff() |> f))

    seen

[<Tests>]
let tests =
    testList
        "Differentiation.Completeness"
        [
            testCase "every operation with a gradient is in the table"
            <| fun () ->
                let seen = seenInTable Table.cases

                differentiable
                |> Array.filter (fun kind -> not (cuts kind) && not (seen.Contains(plain kind)))
                |> Array.map _.Name
                |> Array.except exempt
                |> shouldBeEmpty

            testCase "a table with a hole is noticed"
            <| fun () ->
                let holed = Table.cases |> List.filter (fun case -> not (case.Name.Contains "layerNorm"))
                let seen = seenInTable holed

                differentiable
                |> Array.filter (fun kind -> not (seen.Contains(plain kind)))
                |> Array.map _.Name
                |> shouldContain "LayerNorm"
        ]
