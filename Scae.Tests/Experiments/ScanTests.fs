module Scae.Tests.Experiments.ScanTests

open FsUnit
open NUnit.Framework
open Scae.Core.Experiments
open Scae.Core.Figures

let private axes =
    [
        { Name = "hidden"; Values = [ "12"; "24" ] }
        { Name = "iterations"; Values = [ "2"; "4"; "6" ] }
    ]

let private points =
    Scan.combinations axes
    |> List.mapi (fun i settings -> { Settings = settings; Mean = float i / 10.0; Deviation = 0.01 })

[<Test>]
let ``an axis is read from a name and values`` () =
    Scan.parse "hidden=12, 24" |> should equal (Ok axes.Head: Result<ScanAxis, string>)

[<TestCase "hidden">]
[<TestCase "=12">]
[<TestCase "hidden=">]
let ``an axis without name or values is refused in one line`` (text: string) =
    match Scan.parse text with
    | Error message ->
        message
        |> should equal $"--vary {text}: must be a hyperparameter and its values, such as hidden=12,24,48"
    | Ok _ -> Assert.Fail "accepted"

[<TestCase "hidden=12,12">]
[<TestCase "hidden=12,">]
let ``values that repeat or are missing are refused in one line`` (text: string) =
    match Scan.parse text with
    | Error message -> message |> should equal $"--vary {text}: values must be there and differ"
    | Ok _ -> Assert.Fail "accepted"

[<Test>]
let ``every combination is run, the last axis changing fastest`` () =
    Scan.combinations axes
    |> List.map Scan.folder
    |> should
        equal
        [
            "hidden=12,iterations=2"
            "hidden=12,iterations=4"
            "hidden=12,iterations=6"
            "hidden=24,iterations=2"
            "hidden=24,iterations=4"
            "hidden=24,iterations=6"
        ]

    Scan.combinations [] |> should equal [ List.empty<string * string> ]

[<Test>]
let ``the table has a row a combination`` () =
    let lines = (Scan.markdown "best ami" points).TrimEnd().Split '\n'
    lines[0] |> should equal "| hidden | iterations | best ami |"
    lines[1] |> should equal "| --- | --- | --- |"
    lines[3] |> should equal "| 12 | 4 | 0.100 ± 0.010 |"
    lines.Length |> should equal 8

[<Test>]
let ``two axes become a map and one becomes bars`` () =
    let marks (figure: Figure) = figure.Panels |> List.concat |> List.collect _.Marks

    match marks (Scan.figure "" "ami" axes points) with
    | [ Mark.Heatmap map ] ->
        map.Values[1, 0] |> should equal 0.3
        map.Rows |> should equal [ "12"; "24" ]
        map.Columns |> should equal [ "2"; "4"; "6" ]
    | other -> Assert.Fail $"%A{other}"

    let single = { axes[1] with Name = "iterations" }

    match marks (Scan.figure "" "ami" [ single ] (List.truncate 3 points)) with
    | [ Mark.Bars bars ] ->
        bars.Heights |> should equal [| 0.0; 0.1; 0.2 |]
        bars.Errors |> should equal [| 0.01; 0.01; 0.01 |]
    | other -> Assert.Fail $"%A{other}"
