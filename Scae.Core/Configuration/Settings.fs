namespace Scae.Core.Configuration

open System
open System.Collections
open System.Globalization
open System.Reflection
open System.Text.Json
open FSharp.Reflection

/// Describes a field of a configuration: its meaning and its range. A field without this attribute can't be set from
/// outside. It is an int, float, bool or string, a union of cases without fields, or a list of these.
[<AttributeUsage(AttributeTargets.Property)>]
type SettingAttribute(summary: string) =
    inherit Attribute()

    /// What it is, in a few words.
    member _.Summary = summary

    /// The hyperparameter's name, if it differs from the field's.
    member val Name = "" with get, set

    /// The least value allowed.
    member val Min = Double.NegativeInfinity with get, set

    /// The largest value allowed.
    member val Max = Double.PositiveInfinity with get, set

    /// Whether a list may be empty, which is written "none".
    member val MayBeNone = false with get, set

    /// Whether it matters only to measuring, so that a trained run can be measured with other values.
    member val Measuring = false with get, set

/// A hyperparameter as the command line shows it.
type Setting =
    {
        Name: string
        Summary: string
        Kind: string
        Default: string
        /// Whether it matters only to measuring.
        Measuring: bool
    }

/// Configurations are records. Their fields are the hyperparameters, named in kebab-case: BatchSize is batch-size. A
/// field that is itself a record groups hyperparameters that several configurations share; its own name isn't used.
[<RequireQualifiedAccess>]
module Settings =
    /// BatchSize → batch-size.
    let kebab (name: string) : string = JsonNamingPolicy.KebabCaseLower.ConvertName name

    let private cases (kind: Type) = FSharpType.GetUnionCases kind |> Array.map (fun case -> kebab case.Name, case)

    let private isChoice (kind: Type) =
        FSharpType.IsUnion kind
        && FSharpType.GetUnionCases kind |> Array.forall (fun case -> case.GetFields().Length = 0)

    let private isList (kind: Type) = kind.IsGenericType && kind.GetGenericTypeDefinition() = typedefof<list<_>>

    let private itemOf (kind: Type) = kind.GetGenericArguments()[0]

    let private isReadable (kind: Type) =
        let isOne (kind: Type) =
            List.contains kind [ typeof<int>; typeof<float>; typeof<bool>; typeof<string> ] || isChoice kind

        isOne (if isList kind then itemOf kind else kind)

    let private isNumber (kind: Type) = kind = typeof<int> || kind = typeof<float>

    let private kindName (kind: Type) =
        if isList kind then
            if isNumber (itemOf kind) then "numbers, …" else "names, …"
        elif kind = typeof<int> then
            "integer"
        elif kind = typeof<float> then
            "number"
        elif kind = typeof<bool> then
            "true or false"
        elif isChoice kind then
            cases kind |> Array.map fst |> String.concat ", "
        else
            "text"

    /// How an empty list is written.
    [<Literal>]
    let private Nothing = "none"

    /// A value as the command line writes it.
    let rec private text (value: objnull) : string =
        match value with
        | :? float as number -> number.ToString("R", CultureInfo.InvariantCulture)
        | :? bool as flag -> if flag then "true" else "false"
        | null -> ""
        | :? string as words -> words
        | :? IEnumerable as items when Seq.isEmpty (Seq.cast<objnull> items) -> Nothing
        | :? IEnumerable as items -> items |> Seq.cast<objnull> |> Seq.map text |> String.concat ","
        | other when isChoice (other.GetType()) ->
            let case, _ = FSharpValue.GetUnionFields(other, other.GetType())
            kebab case.Name
        | other -> $"{other}"

    /// The path from a configuration to a hyperparameter, through the groups that it is in.
    type private Field =
        {
            Path: PropertyInfo list
            Attribute: SettingAttribute
        }

        member field.Property = List.last field.Path

        member field.Name =
            if field.Attribute.Name = "" then
                kebab field.Property.Name
            else
                field.Attribute.Name

        member field.Get(config: objnull) : objnull =
            (config, field.Path) ||> List.fold (fun owner step -> step.GetValue owner)

    let rec private fields (config: Type) : Field list =
        FSharpType.GetRecordFields config
        |> List.ofArray
        |> List.collect (fun property ->
            match property.GetCustomAttributes(typeof<SettingAttribute>, false) with
            | [| :? SettingAttribute as attribute |] when isReadable property.PropertyType ->
                [ { Path = [ property ]; Attribute = attribute } ]
            | [| :? SettingAttribute |] ->
                invalidOp
                    $"{config.Name}.{property.Name} is {property.PropertyType.Name}; a Setting must be an int, float, bool or string, a union of cases without fields, or a list of these"
            | _ when FSharpType.IsRecord property.PropertyType ->
                fields property.PropertyType |> List.map (fun field -> { field with Path = property :: field.Path })
            | _ -> [])

    /// A copy of a record in which the values at the ends of some paths are replaced.
    let rec private replace (changes: (PropertyInfo list * objnull) list) (kind: Type) (owner: objnull) : objnull =
        FSharpType.GetRecordFields kind
        |> Array.map (fun property ->
            let present = property.GetValue owner

            match changes |> List.filter (fun (path, _) -> path.Head = property) with
            | [] -> present
            | own ->
                match List.last own with
                | [ _ ], value -> value
                | _ -> replace (own |> List.map (fun (path, value) -> path.Tail, value)) property.PropertyType present)
        |> fun values -> FSharpValue.MakeRecord(kind, values)

    let private range (low: float) (high: float) =
        match Double.IsInfinity low, Double.IsInfinity high with
        | true, true -> ""
        | false, true -> $" of at least {text (box low)}"
        | true, false -> $" of at most {text (box high)}"
        | false, false -> $" from {text (box low)} to {text (box high)}"

    let private outside (attribute: SettingAttribute) (value: objnull) =
        match value with
        | :? int as number -> float number < attribute.Min || float number > attribute.Max
        | :? float as number -> number < attribute.Min || number > attribute.Max
        | _ -> false

    /// Parses a single value; the error says what it must be.
    let private readOne (attribute: SettingAttribute) (kind: Type) (value: string) : Result<objnull, string> =
        let invariant = CultureInfo.InvariantCulture
        let value = value.Trim()
        let ranged = (kindName kind |> Spelling.withArticle) + range attribute.Min attribute.Max

        let parsed =
            if kind = typeof<int> then
                match Int32.TryParse(value, NumberStyles.AllowLeadingSign, invariant) with
                | true, number -> Ok(box number)
                // It is a whole number, but too large for the type.
                | _ when fst (Numerics.BigInteger.TryParse(value, NumberStyles.AllowLeadingSign, invariant)) ->
                    Error $"an integer{range attribute.Min (min attribute.Max (float Int32.MaxValue))}"
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

        match parsed with
        | Ok number when outside attribute number -> Error ranged
        | other -> other

    /// Parses a list of values separated by commas; the error says what it must be.
    let private readList (attribute: SettingAttribute) (kind: Type) (value: string) : Result<objnull, string> =
        let item = itemOf kind
        let items = value.Split ',' |> Array.map (readOne attribute item)
        let list = FSharpType.GetUnionCases kind

        let orNone = if attribute.MayBeNone then $", or {Nothing}" else ""

        match items |> Array.tryFindIndex _.IsError with
        | Some _ when attribute.MayBeNone && value = Nothing -> Ok(FSharpValue.MakeUnion(list[0], [||]))
        | Some _ when isNumber item -> Error $"numbers{range attribute.Min attribute.Max}, separated by commas{orNone}"
        | Some wrong ->
            let known = kindName item
            let word = (value.Split(',')[wrong]).Trim()
            let near = Spelling.nearest word (List.ofArray (known.Split(", ")))
            let hint = if near.Contains '?' then near else ""
            Error $"some of {known}, separated by commas{hint}"
        | None ->
            (items, FSharpValue.MakeUnion(list[0], [||]))
            ||> Array.foldBack (fun item rest ->
                match item with
                | Ok value -> FSharpValue.MakeUnion(list[1], [| value; rest |])
                | Error _ -> rest)
            |> Ok

    let private read (attribute: SettingAttribute) (kind: Type) (value: string) : Result<objnull, string> =
        if isList kind then
            readList attribute kind value
        else
            readOne attribute kind value

    /// The hyperparameters of a configuration with its values as defaults.
    let describe (config: 'config) : Setting list =
        [
            for field in fields typeof<'config> ->
                {
                    Name = field.Name
                    Summary = field.Attribute.Summary
                    Kind = kindName field.Property.PropertyType
                    Default = text (field.Get config)
                    Measuring = field.Attribute.Measuring
                }
        ]

    /// Every hyperparameter with its value as text. Given these, `apply` restores exactly these values on any
    /// configuration.
    let values (config: 'config) : (string * string) list =
        describe config |> List.map (fun setting -> setting.Name, setting.Default)

    /// The configuration with some values replaced. The error is one line that names the hyperparameter, what was
    /// given, and what would be right.
    let apply (overrides: (string * string) list) (config: 'config) : Result<'config, string> =
        let known = fields typeof<'config>

        let parse (name: string, value: string) : Result<PropertyInfo list * objnull, string> =
            match known |> List.tryFind (fun field -> field.Name = name) with
            | None ->
                let nearest = Spelling.nearest name (known |> List.map _.Name)
                Error $"there is no hyperparameter --{name}{nearest}"
            | Some field ->
                match read field.Attribute field.Property.PropertyType value with
                | Error wanted -> Error $"--{name} {value}: must be {wanted}"
                | Ok parsed -> Ok(field.Path, parsed)

        overrides
        |> Result.traverse parse
        |> Result.map (fun changes -> replace changes typeof<'config> (box config) |> unbox<'config>)
