namespace Scae.Core.CommandLine

open System
open System.Globalization
open Argu
open FSharp.Quotations
open Scae.Core.Configuration
open Scae.Core.Experiments

/// A command's words as Argu parsed them.
type internal Given<'option when 'option :> IArgParserTemplate> = { Verb: string; Results: ParseResults<'option> }

/// Turns words into options. Argu parses the words. If it can't, or if a value isn't what an option needs, the error
/// is one line that names the option and what would be right.
[<RequireQualifiedAccess>]
module internal Words =
    [<Literal>]
    let private Hyperparameter = "--set"

    // A negative number is a value, not an option.
    let private looksLikeOption (word: string) =
        word.StartsWith '-' && word.Length > 1 && not (Char.IsAsciiDigit word[1])

    /// --name=value as two words, any other word as it is.
    let split (word: string) : string list =
        match word.StartsWith "--", word.IndexOf '=' with
        | false, _
        | true, -1 -> [ word ]
        | true, at -> [ word[.. at - 1]; word[at + 1 ..] ]

    /// Rewrites words into the form of the unions. --name=value becomes two words. --name becomes --set name if the
    /// command takes hyperparameters and has no option of that name.
    let private spell (known: string list) (words: string list) : string list =
        let takesHyperparameters = List.contains Hyperparameter known

        words
        |> List.collect (
            split
            >> function
                | name :: value when name.StartsWith "--" && takesHyperparameters && not (List.contains name known) ->
                    Hyperparameter :: name[2..] :: value
                | spelled -> spelled
        )

    /// The names, with dashes, of all hyperparameters that a command takes for the given experiments.
    let private hyperparameters (verb: string) (experiments: Experiment list) : string list =
        Help.hyperparametersOf verb experiments |> List.map (fun setting -> $"--{setting.Name}")

    /// The error for an option that a command doesn't have. Its hyperparameters are those of the given experiments.
    let private noSuchOption (verb: string) (experiments: Experiment list) (option: string) : string =
        let own = Help.optionsOf verb |> List.except [ Hyperparameter ]

        let known =
            own
            @ (if List.contains Hyperparameter (Help.optionsOf verb) then
                   hyperparameters verb experiments
               else
                   [])

        let near = known |> List.minBy (Spelling.distance option)
        let others = Verbs.names |> List.filter (fun other -> List.contains option (Help.optionsOf other))

        if not others.IsEmpty then
            let others = others |> List.map (fun other -> $"scae {other}") |> String.concat ", "
            $"scae {verb} has no option {option}; it belongs to {others}"
        elif Spelling.distance option near <= min 2 (max 1 ((option.Length - 2) / 3)) then
            $"scae {verb} has no option {option}; did you mean {near}?"
        else
            let help =
                match experiments with
                | [ one ] when known.Length > own.Length -> $"scae {verb} {one.Specification.Experiment} --help"
                | _ -> $"scae {verb} --help"

            $"scae {verb} has no option {option}; {help} lists them"

    let private oneTooMany (verb: string) (word: string) =
        if looksLikeOption word then
            noSuchOption verb [] word
        else
            $"scae {verb}: {word} is one word too many; scae {verb} --help tells what fits"

    /// Why Argu refused the words: an option lacks its value, because the words end or another option follows, or a
    /// word doesn't belong there.
    let rec private refusal (verb: string) (cases: ArgumentCaseInfo list) (words: string list) : string =
        let named (word: string) =
            cases |> List.tryFind (fun case -> List.contains word case.CommandLineNames.Value)

        let needsValue (rest: string list) =
            match rest with
            | [] -> true
            | word :: _ -> (named word).IsSome

        match words with
        | Hyperparameter :: name :: rest when needsValue rest ->
            if List.contains $"--{name}" (hyperparameters verb Experiments.all) then
                $"--{name}: needs a value"
            else
                noSuchOption verb Experiments.all $"--{name}"
        | Hyperparameter :: _ :: _ :: rest -> refusal verb cases rest
        | word :: rest ->
            match named word with
            | Some case when case.UnionCaseInfo.GetFields().Length = 0 -> refusal verb cases rest
            | Some _ when needsValue rest -> $"{word}: needs a value"
            | Some _ -> refusal verb cases rest.Tail
            | None when cases |> List.exists _.IsMainCommand -> refusal verb cases rest
            | None -> oneTooMany verb word
        | [] -> $"scae {verb}: these words don't fit each other; scae {verb} --help tells what fits"

    /// Reads the words after a command.
    let read<'option when 'option :> IArgParserTemplate> (verb: string) (words: string list) =
        let parser =
            ArgumentParser.Create<'option>(programName = $"scae {verb}", errorHandler = ExceptionExiter())

        let cases = parser.GetArgumentCases()
        let words = spell (Help.optionsOf verb) words

        try
            Ok
                {
                    Verb = verb
                    Results = parser.ParseCommandLine(Array.ofList words, raiseOnUsage = false)
                }
        with :? ArguParseException ->
            Error(refusal verb cases words)

    /// The single word that isn't an option, if there is one: an experiment, or a run's folder.
    let main (case: Expr<string -> 'option>) (given: Given<'option>) : Result<string option, string> =
        match given.Results.GetResults case with
        | [] -> Ok None
        | [ word ] when not (looksLikeOption word) -> Ok(Some word)
        | words ->
            words
            |> List.tryFind looksLikeOption
            |> Option.defaultValue (List.last words)
            |> oneTooMany given.Verb
            |> Error

    /// The words that aren't options, at least one: folders of runs.
    let mains (what: string) (example: string) (case: Expr<string -> 'option>) (given: Given<'option>) =
        match given.Results.GetResults case with
        | words when words |> List.exists looksLikeOption ->
            words |> List.find looksLikeOption |> oneTooMany given.Verb |> Error
        | words when words.IsEmpty || words |> List.exists String.IsNullOrWhiteSpace ->
            Error $"scae {given.Verb}: needs {what}, such as scae {given.Verb} {example}"
        | words -> Ok words

    /// The main word, or an error that says what is missing.
    let required
        (what: string)
        (example: string)
        (given: Given<'option>)
        (word: string option)
        : Result<string, string> =
        match word with
        | Some word when not (String.IsNullOrWhiteSpace word) -> Ok word
        | _ -> Error $"scae {given.Verb}: needs {what}, such as scae {given.Verb} {example}"

    /// Whether an option without a value is given.
    let flag (case: Expr<'option>) (given: Given<'option>) : bool = given.Results.Contains case

    /// The value of an option.
    let text (case: Expr<string -> 'option>) (given: Given<'option>) : Result<string option, string> =
        match given.Results.GetResults case with
        | [] -> Ok None
        | [ value ] -> Ok(Some value)
        | _ -> Error $"{given.Results.Parser.GetArgumentCaseInfo(case).Name.Value} is given twice"

    let private named (what: string) (case: Expr<string -> 'option>) (given: Given<'option>) =
        given
        |> text case
        |> Result.bind (function
            | Some name when String.IsNullOrWhiteSpace name -> Error $"scae {given.Verb}: an empty name is no {what}"
            | named -> Ok named)

    /// The folder that an option names.
    let folder (case: Expr<string -> 'option>) (given: Given<'option>) : Result<string option, string> =
        named "folder" case given

    /// The file that an option names.
    let file (case: Expr<string -> 'option>) (given: Given<'option>) : Result<string option, string> =
        named "file" case given

    /// The value of an option that is a whole number of 64 bits.
    let seed (case: Expr<string -> 'option>) (given: Given<'option>) : Result<int64 option, string> =
        given
        |> text case
        |> Result.bind (function
            | None -> Ok None
            | Some value ->
                match Int64.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) with
                | true, seed -> Ok(Some seed)
                | _ -> Error $"--seed {value}: must be a whole number of at most 64 bits")

    /// The value of an option that is a whole number within a range.
    let count
        (low: int)
        (high: int)
        (case: Expr<string -> 'option>)
        (given: Given<'option>)
        : Result<int option, string> =
        let name () = given.Results.Parser.GetArgumentCaseInfo(case).Name.Value

        let range =
            if high = Int32.MaxValue then
                $"of at least {low}"
            else
                $"from {low} to {high}"

        given
        |> text case
        |> Result.bind (function
            | None -> Ok None
            | Some value ->
                match Int32.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) with
                | true, number when number >= low && number <= high -> Ok(Some number)
                | _ -> Error $"{name ()} {value}: must be a whole number {range}")

    /// The hyperparameters, as names and values. At least one of the experiments must have each.
    let settings
        (case: Expr<string * string -> 'option>)
        (experiments: Experiment list)
        (given: Given<'option>)
        : Result<(string * string) list, string> =
        let settings = given.Results.GetResults case
        let known = hyperparameters given.Verb experiments

        match settings |> List.tryFind (fun (name, _) -> not (List.contains $"--{name}" known)) with
        | Some(name, _) -> Error(noSuchOption given.Verb experiments $"--{name}")
        | None ->
            match settings |> List.countBy fst |> List.tryFind (fun (_, count) -> count > 1) with
            | Some(name, _) -> Error $"--{name} is given twice"
            | None -> Ok settings
