namespace Scae.Core

open System
open System.Globalization
open FSharp.Reflection

/// What a field of a configuration means, and its range; a field without one can't be set from outside.
[<AttributeUsage(AttributeTargets.Property)>]
type SettingAttribute(summary: string) =
    inherit Attribute()

    /// What it is, in a few words.
    member _.Summary = summary

    /// The least value allowed.
    member val Min = Double.NegativeInfinity with get, set

    /// The largest value allowed.
    member val Max = Double.PositiveInfinity with get, set

/// A hyperparameter as the command line shows it.
type Setting = { Name: string; Summary: string; Kind: string; Default: string }

/// Configurations are records; their fields are the hyperparameters, named in kebab-case: BatchSize is batch-size.
[<RequireQualifiedAccess>]
module Settings =
    /// BatchSize → batch-size.
    let kebab (name: string) : string =
        name
        |> Seq.mapi (fun i letter ->
            if Char.IsUpper letter && i > 0 then
                $"-{Char.ToLowerInvariant letter}"
            else
                string (Char.ToLowerInvariant letter))
        |> String.concat ""

    let private cases (kind: Type) = FSharpType.GetUnionCases kind |> Array.map (fun case -> kebab case.Name, case)

    let private isChoice (kind: Type) =
        FSharpType.IsUnion kind
        && FSharpType.GetUnionCases kind |> Array.forall (fun case -> case.GetFields().Length = 0)

    let private kindName (kind: Type) =
        if kind = typeof<int> then
            "integer"
        elif kind = typeof<float> then
            "number"
        elif kind = typeof<bool> then
            "true or false"
        elif isChoice kind then
            cases kind |> Array.map fst |> String.concat ", "
        else
            "text"

    /// A value as the command line writes it.
    let private text (value: objnull) : string =
        match value with
        | :? float as number -> number.ToString("R", CultureInfo.InvariantCulture)
        | :? bool as flag -> if flag then "true" else "false"
        | null -> ""
        | other when isChoice (other.GetType()) ->
            let case, _ = FSharpValue.GetUnionFields(other, other.GetType())
            kebab case.Name
        | other -> $"{other}"

    let private fields (config: Type) =
        FSharpType.GetRecordFields config
        |> Array.choose (fun field ->
            match field.GetCustomAttributes(typeof<SettingAttribute>, false) with
            | [| :? SettingAttribute as attribute |] -> Some(field, attribute)
            | _ -> None)

    let private read (kind: Type) (value: string) : Result<objnull, string> =
        let invariant = CultureInfo.InvariantCulture

        if kind = typeof<int> then
            match Int32.TryParse(value, NumberStyles.AllowLeadingSign, invariant) with
            | true, number -> Ok(box number)
            | _ -> Error "a whole number"
        elif kind = typeof<float> then
            match Double.TryParse(value, NumberStyles.Float, invariant) with
            | true, number when Double.IsFinite number -> Ok(box number)
            | _ -> Error "a finite number such as 0.003 or 3e-3"
        elif kind = typeof<bool> then
            match value with
            | "true" -> Ok(box true)
            | "false" -> Ok(box false)
            | _ -> Error "true or false"
        elif isChoice kind then
            match cases kind |> Array.tryFind (fun (name, _) -> name = value) with
            | Some(_, case) -> Ok(FSharpValue.MakeUnion(case, [||]))
            | None -> Error $"one of {kindName kind}"
        else
            Ok(box value)

    let private range (attribute: SettingAttribute) =
        match attribute.Min, attribute.Max with
        | low, high when Double.IsInfinity low && Double.IsInfinity high -> ""
        | low, high when Double.IsInfinity high -> $" of at least {text (box low)}"
        | low, high when Double.IsInfinity low -> $" of at most {text (box high)}"
        | low, high -> $" from {text (box low)} to {text (box high)}"

    let private outside (attribute: SettingAttribute) (value: objnull) =
        match value with
        | :? int as number -> float number < attribute.Min || float number > attribute.Max
        | :? float as number -> number < attribute.Min || number > attribute.Max
        | _ -> false

    /// The hyperparameters of a configuration with its values as defaults.
    let describe (config: 'config) : Setting list =
        [
            for field, attribute in fields typeof<'config> ->
                {
                    Name = kebab field.Name
                    Summary = attribute.Summary
                    Kind = kindName field.PropertyType
                    Default = text (field.GetValue config)
                }
        ]

    /// Every hyperparameter with its value as text; `apply` on any configuration restores exactly these.
    let values (config: 'config) : (string * string) list =
        describe config |> List.map (fun setting -> setting.Name, setting.Default)

    /// The configuration with some values replaced. The error is one line that names the hyperparameter, what came,
    /// and what would be right.
    let apply (overrides: (string * string) list) (config: 'config) : Result<'config, string> =
        let known = fields typeof<'config>

        let set (config: objnull) (name: string, value: string) : Result<objnull, string> =
            match known |> Array.tryFind (fun (field, _) -> kebab field.Name = name) with
            | None ->
                let nearest = Spelling.nearest name [ for field, _ in known -> kebab field.Name ]
                Error $"there is no hyperparameter --{name}{nearest}"
            | Some(field, attribute) ->
                match read field.PropertyType value with
                | Error wanted -> Error $"--{name} {value}: must be {wanted}"
                | Ok parsed when outside attribute parsed ->
                    Error
                        $"--{name} {value}: must be {kindName field.PropertyType |> Spelling.withArticle}{range attribute}"
                | Ok parsed ->
                    FSharpType.GetRecordFields typeof<'config>
                    |> Array.map (fun other -> if other = field then parsed else other.GetValue config)
                    |> fun all -> Ok(FSharpValue.MakeRecord(typeof<'config>, all))

        (Ok(box config), overrides)
        ||> List.fold (fun state change -> Result.bind (fun config -> set config change) state)
        |> Result.map unbox<'config>
