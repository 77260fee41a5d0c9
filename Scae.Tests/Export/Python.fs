/// Python with NumPy, where there is one: what the documentation shows is run.
module Scae.Tests.Export.Python

open System
open System.Diagnostics
open System.IO
open System.Text.RegularExpressions
open Scae.Tests

let private start (python: string) (arguments: string list) : (int * string * string) option =
    try
        let info = ProcessStartInfo(python, RedirectStandardOutput = true, RedirectStandardError = true)
        List.iter info.ArgumentList.Add arguments
        use running = nonNull (Process.Start info)
        let error = running.StandardError.ReadToEndAsync()
        let output = running.StandardOutput.ReadToEnd()
        running.WaitForExit()
        Some(running.ExitCode, output, error.Result)
    with :? ComponentModel.Win32Exception ->
        None

// A Python of one's own often has no packages; the system's may.
let private interpreter: Lazy<string option> =
    lazy
        ([ "python3"; "/usr/bin/python3"; "python" ]
         |> List.tryFind (fun python ->
             match start python [ "-c"; "import numpy" ] with
             | Some(0, _, _) -> true
             | _ -> false))

/// What a script prints; None, and a line that says so, where no Python has NumPy. Fails where the script does.
let run (script: string) (arguments: string list) : string option =
    match interpreter.Value with
    | None ->
        printfn "Export: there is no Python with NumPy, so none has read what was written"
        None
    | Some python ->
        match start python ("-c" :: script :: arguments) with
        | Some(0, output, _) -> Some(output.TrimEnd())
        | other -> failwith $"the script ended with %A{other}"

/// The block of a page of the documentation that defines a function.
let shown (page: string) (definition: string) : string =
    let text = File.ReadAllText(Path.Combine(Expectation.root, "docs", page))

    Regex.Matches(text, "```python\n(.*?)```", RegexOptions.Singleline)
    |> Seq.map _.Groups[1].Value
    |> Seq.filter (fun block -> block.Contains $"def {definition}(")
    |> Seq.exactlyOne
