module Scae.Tests.Experiments.ScanTests

open Scae.Tests.Claims
open Expecto
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

[<Tests>]
let tests =
    testList
        "Experiments.Scan"
        [
            testCase "an axis is read from a name and values"
            <| fun () -> Scan.parse "hidden=12, 24" |> shouldEqual (Ok axes.Head: Result<ScanAxis, string>)

            for text in [ "hidden"; "=12"; "hidden=" ] do
                testCase $"an axis without name or values is refused in one line ({text})"
                <| fun () ->
                    match Scan.parse text with
                    | Error message ->
                        message
                        |> shouldEqual
                            $"--vary {text}: must be a hyperparameter and its values, such as hidden=12,24,48"
                    | Ok _ -> failtest "accepted"

            for text in [ "hidden=12,12"; "hidden=12," ] do
                testCase $"values that repeat or are missing are refused in one line ({text})"
                <| fun () ->
                    match Scan.parse text with
                    | Error message -> message |> shouldEqual $"--vary {text}: values must be there and differ"
                    | Ok _ -> failtest "accepted"

            testCase "every combination is run, the last axis changing fastest"
            <| fun () ->
                Scan.combinations axes
                |> List.map Scan.folder
                |> shouldEqual
                    [
                        "hidden=12,iterations=2"
                        "hidden=12,iterations=4"
                        "hidden=12,iterations=6"
                        "hidden=24,iterations=2"
                        "hidden=24,iterations=4"
                        "hidden=24,iterations=6"
                    ]

                Scan.combinations [] |> shouldEqual [ List.empty<string * string> ]

            testCase "the table has a row a combination"
            <| fun () ->
                let lines = (Scan.markdown "best ami" false points).TrimEnd().Split '\n'
                lines[0] |> shouldEqual "| hidden | iterations | best ami |"
                lines[1] |> shouldEqual "| --- | --- | --- |"
                lines[3] |> shouldEqual "| 12 | 4 | 0.100 ± 0.010 |"
                lines.Length |> shouldEqual 8

            testCase "a fraction of one is in percent, as on the console"
            <| fun () ->
                let lines = (Scan.markdown "best recovery" true points).Split '\n'
                lines[0] |> shouldEqual "| hidden | iterations | best recovery, % |"
                lines[3] |> shouldEqual "| 12 | 4 | 10.0 ± 1.0 |"

            testCase "different values look different, in the table and in the map"
            <| fun () ->
                for isFraction, means, texts in
                    [
                        false, [ 0.9681; 0.9724 ], [ "0.9681"; "0.9724" ]
                        true, [ 0.9681; 0.9724 ], [ "96.81"; "97.24" ]
                        true, [ 0.86; 0.91 ], [ "86.0"; "91.0" ]
                        false, [ 5.09e-6; 6.4e-6 ], [ "5.09e-06"; "6.40e-06" ]
                        false, [ 5.0912e-6; 5.0934e-6 ], [ "5.0912e-06"; "5.0934e-06" ]
                        false, [ 12.0; 12.0 ], [ "12.000"; "12.000" ]
                        true, [ 0.2; List.average [ 0.1; 0.2; 0.3 ] ], [ "20.0"; "20.0" ]
                    ] do
                    let axes = [ { Name = "hidden"; Values = [ "1" ] }; { Name = "iterations"; Values = [ "2"; "4" ] } ]

                    let points =
                        List.map2
                            (fun settings mean -> { Settings = settings; Mean = mean; Deviation = nan })
                            (Scan.combinations axes)
                            means

                    let rows = (Scan.markdown "x" isFraction points).TrimEnd().Split '\n'

                    for text, row in Seq.zip texts rows[2..] do
                        row |> shouldEndWith $"| {text} |"

                    match (Scan.figure "" "x" isFraction axes points).Panels with
                    | [ [ { Marks = [ Mark.Heatmap map ] } ] ] ->
                        [ for value in Seq.cast<float> map.Values -> value.ToString map.Format ] |> shouldEqual texts
                    | other -> failtest $"%A{other}"

            testCase "two axes become a map and one becomes bars"
            <| fun () ->
                let marks (figure: Figure) = figure.Panels |> List.concat |> List.collect _.Marks

                match marks (Scan.figure "" "ami" false axes points) with
                | [ Mark.Heatmap map ] ->
                    map.Values[1, 0] |> shouldEqual 0.3
                    map.Rows |> shouldEqual [ "12"; "24" ]
                    map.Columns |> shouldEqual [ "2"; "4"; "6" ]
                | other -> failtest $"%A{other}"

                let single = { axes[1] with Name = "iterations" }

                match marks (Scan.figure "" "ami" false [ single ] (List.truncate 3 points)) with
                | [ Mark.Bars bars ] ->
                    bars.Heights |> shouldEqual [| 0.0; 0.1; 0.2 |]
                    bars.Errors |> shouldEqual [| 0.01; 0.01; 0.01 |]
                | other -> failtest $"%A{other}"

                // A value whose training diverged keeps its place at the edge.
                let figure = Scan.figure "" "ami" false [ single ] (List.truncate 3 points)

                (figure.Panels |> List.concat |> List.exactlyOne).X.Limits |> shouldEqual (Limits.Fixed(-0.5, 2.5))
        ]
