/// The examples run and print what they promise.
module Scae.Tests.House.ExamplesTests

open System
open System.Diagnostics
open System.Globalization
open System.IO
open Scae.Tests.Claims
open Expecto
open Scae.Tests.Turns

let private run (folder: string) (arguments: string list) : int * string =
    let info =
        ProcessStartInfo(
            "dotnet",
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder
        )

    List.iter info.ArgumentList.Add arguments
    use running = nonNull (Process.Start info)
    let error = running.StandardError.ReadToEndAsync()
    let output = running.StandardOutput.ReadToEnd()
    running.WaitForExit()
    running.ExitCode, output + error.Result

/// The script with its references pointed at the assemblies that the tests run with.
let private scriptForTests (name: string) (folder: string) : string =
    let script = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "examples", name))
    let path = Path.Combine(folder, name)

    File.WriteAllText(
        path,
        script.Replace(
            "../Scae.Cli/bin/Release/net10.0/",
            AppContext.BaseDirectory.Replace('\\', '/').TrimEnd('/') + "/"
        )
    )

    path

[<Tests>]
let tests =
    inTurn
        "House.Examples"
        [
            testCase "the F# script trains and differentiates"
            <| fun () ->
                Scae.Tests.Commands.CommandLine.inNewFolder (fun folder ->
                    let exitCode, output = run folder [ "fsi"; "--exec"; scriptForTests "constellations.fsx" folder ]
                    Expect.equal exitCode 0 output

                    for words in
                        [
                            "12708 parameters"
                            "step 400: loss"
                            "raw recovery"
                            "14 has the gradient tensor [3] Float32: [2, 4, 6]"
                        ] do
                        output |> shouldContainText words)

            testCase
                "the lesson trains with both equations and one more, the robust one nearer to the objects, and draws them"
            <| fun () ->
                Scae.Tests.Commands.CommandLine.inNewFolder (fun folder ->
                    let script = scriptForTests "lesson.fsx" folder
                    // Its last exercise is an equation of one's own.
                    let given = "\"robust\", robust ]"
                    let text = File.ReadAllText script
                    text |> shouldContainText given
                    File.WriteAllText(script, text.Replace(given, "\"robust\", robust; \"mine\", robust ]"))
                    let exitCode, output = run folder [ "fsi"; "--exec"; script ]
                    Expect.equal exitCode 0 output

                    let off (name: string) =
                        let line = output.Split '\n' |> Array.find _.StartsWith($"{name}: ")
                        Double.Parse(line[line.LastIndexOf ' ' + 1 ..], CultureInfo.InvariantCulture)

                    off "Gaussian" |> shouldBeLessThan 0.5
                    off "robust" |> shouldBeLessThan (off "Gaussian")
                    off "mine" |> shouldEqual (off "robust")
                    let picture = File.ReadAllBytes(Path.Combine(folder, "lesson.png"))
                    picture[1..3] |> shouldEqual "PNG"B)

            testCase "a further paper is checked, trained and drawn from its own files alone"
            <| fun () ->
                let program = Path.Combine(AppContext.BaseDirectory, "stroke-vae.dll")

                let exitCode, output =
                    run
                        AppContext.BaseDirectory
                        [ program; "epochs=2"; "steps-per-epoch=60"; "hidden=64"; "test-size=200" ]

                Expect.equal exitCode 0 output

                let errors =
                    output.Split '\n'
                    |> Array.filter _.StartsWith("epoch")
                    |> Array.map (fun line -> Double.Parse(line.Split(' ')[5], CultureInfo.InvariantCulture))

                errors.Length |> shouldEqual 2
                errors[1] |> shouldBeLessThan errors[0]
                output |> shouldContainText "gradients agree with differences: True"
                output |> shouldContainText "figures digits, loss"

            testCase "a further paper's options are refused as those of all others"
            <| fun () ->
                let refused = Scae.Tests.Commands.CommandLine.call Scae.Examples.StrokeVae.Program.main [ "cod=3" ]
                refused.ExitCode |> shouldEqual 1
                refused.Error |> shouldContainText "there is no hyperparameter --cod; did you mean code?"

            testCase "the C# model learns the sine"
            <| fun () ->
                let exitCode, output =
                    run AppContext.BaseDirectory [ Path.Combine(AppContext.BaseDirectory, "sine-fit.dll") ]

                exitCode |> shouldEqual 0
                output |> shouldContainText "step 1000: mean squared error 0.00"
        ]
