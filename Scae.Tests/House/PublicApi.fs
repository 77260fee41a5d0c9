/// The public surface of an assembly as text, a line a member, so that a changed API shows up in review.
module Scae.Tests.House.PublicApi

open System
open System.Reflection
open System.Runtime.CompilerServices

let rec private nameOf (kind: Type) : string =
    if kind.IsByRef then
        "ref " + nameOf (nonNull (kind.GetElementType()))
    elif kind.IsArray then
        nameOf (nonNull (kind.GetElementType())) + "[" + String(',', kind.GetArrayRank() - 1) + "]"
    elif kind.IsGenericType then
        let arguments = kind.GetGenericArguments() |> Array.map nameOf |> String.concat ", "
        kind.Name.Split('`')[0] + "<" + arguments + ">"
    else
        kind.Name

let private parameters (method: MethodBase) : string =
    method.GetParameters()
    |> Array.map (fun p -> nameOf p.ParameterType + " " + p.Name + (if p.IsOptional then "?" else ""))
    |> String.concat ", "

let private generated (m: MemberInfo) =
    m.IsDefined(typeof<CompilerGeneratedAttribute>, false)
    || m.Name.Contains '@'
    || m.Name.StartsWith '<'

let private own =
    BindingFlags.Public ||| BindingFlags.Static ||| BindingFlags.Instance ||| BindingFlags.DeclaredOnly

/// What every object, record and union has: no decision of ours.
let private common = set [ "Equals"; "GetHashCode"; "ToString"; "CompareTo"; "Deconstruct"; "<Clone>$" ]

let private line (m: MemberInfo) : string option =
    match m with
    | :? MethodInfo as m when not m.IsSpecialName || m.Name.StartsWith "op_" ->
        let generic =
            if m.IsGenericMethod then
                "<" + (m.GetGenericArguments() |> Array.map _.Name |> String.concat ", ") + ">"
            else
                ""

        Some $"{m.Name}{generic}({parameters m}) : {nameOf m.ReturnType}"
    | :? ConstructorInfo as c -> Some $"new({parameters c})"
    | :? PropertyInfo as p -> Some $"{p.Name} : {nameOf p.PropertyType}"
    | :? FieldInfo as f when not f.IsSpecialName -> Some $"{f.Name} : {nameOf f.FieldType}"
    | _ -> None

/// One block a type, types and members in alphabetical order.
let text (assembly: Assembly) : string =
    let types =
        assembly.GetExportedTypes()
        |> Array.filter (fun kind -> not (generated kind) && not (kind.Name.Contains '@') && kind.Name <> "Tags")
        |> Array.sortBy (fun kind -> string kind.FullName)

    [
        for kind in types do
            string kind.FullName

            yield!
                kind.GetMembers own
                |> Array.filter (fun m -> not (generated m) && not (common.Contains m.Name))
                |> Array.choose line
                |> Array.distinct
                |> Array.sortWith (fun a b -> String.CompareOrdinal(a, b))
                |> Array.map (fun text -> "    " + text)
    ]
    |> String.concat "\n"
    |> fun text -> text + "\n"
