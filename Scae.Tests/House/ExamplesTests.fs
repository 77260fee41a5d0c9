/// The examples run and print what they promise.
module Scae.Tests.House.ExamplesTests

open System
open System.Diagnostics
open System.IO
open Scae.Tests.Claims
open Expecto

let private run (arguments: string list) : int * string =
    let info = ProcessStartInfo("dotnet", RedirectStandardOutput = true, RedirectStandardError = true)
    List.iter info.ArgumentList.Add arguments
    use running = nonNull (Process.Start info)
    let error = running.StandardError.ReadToEndAsync()
    let output = running.StandardOutput.ReadToEnd()
    running.WaitForExit()
    running.ExitCode, output + error.Result

/// The script with its references pointed at the assemblies that the tests run with.
let private scriptForTests (folder: string) : string =
    let script = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "examples", "constellations.fsx"))
    let path = Path.Combine(folder, "constellations.fsx")

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
    testSequenced
    <| testList
        "House.Examples"
        [
            testCase "the F# script trains and differentiates"
            <| fun () ->
                Scae.Tests.Commands.CommandLine.inNewFolder (fun folder ->
                    let exitCode, output = run [ "fsi"; "--exec"; scriptForTests folder ]
                    Expect.equal exitCode 0 output

                    for words in
                        [
                            "12708 parameters"
                            "step 400: loss"
                            "raw recovery"
                            "14 has the gradient tensor [3] Float32: 2, 4, 6"
                        ] do
                        output |> shouldContainText words)

            testCase "the C# model learns the sine"
            <| fun () ->
                let exitCode, output = run [ Path.Combine(AppContext.BaseDirectory, "sine-fit.dll") ]
                exitCode |> shouldEqual 0
                output |> shouldContainText "step 1000: mean squared error 0.00"
        ]
