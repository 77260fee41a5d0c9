/// Standard output, disks and networks that fail while the program runs: one line that names them, and nothing left over.
module Scae.Tests.Commands.SurroundingsTests

open System
open System.Diagnostics
open System.Globalization
open System.IO
open System.Net
open System.Net.Sockets
open System.Text.Json.Nodes
open Expecto
open Scae.Tests.Turns
open Scae.Tests.Claims
open Scae.Tests.Commands.CommandLine
open Scae.Tests.Commands.InterruptionTests

let private shouldBeOneLine (text: string) =
    text.TrimEnd().Split('\n') |> shouldHaveLength 1
    text |> shouldStartWith "scae: "

let private unfinished (folder: string) = filesOf folder |> List.filter (fun name -> name.EndsWith ".unfinished")

/// Files may have so many kilobytes. The runtime writes its own code through a file otherwise.
let private limited (kilobytes: int) (info: ProcessStartInfo) =
    info.Environment["DOTNET_EnableWriteXorExecute"] <- "0"
    throughShell $"ulimit -f {kilobytes}; exec \"$@\"" info

[<Tests>]
let tests =
    inTurn
        "Commands.Surroundings"
        [
            if not (OperatingSystem.IsWindows()) then
                for name, redirection in [ "closed", ">&-"; "full", ">/dev/full" ] do
                    if name = "closed" || File.Exists "/dev/full" then
                        testCase $"standard output that is {name} is named"
                        <| fun () ->
                            inNewFolder (fun folder ->
                                let through = throughShell $"exec \"$@\" {redirection}"
                                let out = Path.Combine(folder, "run")

                                for words in [ [ "list" ]; [ "--help" ]; shortTraining @ [ "--out"; out ] ] do
                                    let result = runWith through words
                                    result.Error |> shouldBeOneLine
                                    result.Error |> shouldContainText "standard output can't be written"
                                    result.ExitCode |> shouldEqual 1

                                let quiet = Path.Combine(folder, "quiet")
                                let result = runWith through (shortTraining @ [ "--quiet"; "--out"; quiet ])
                                (result.Error, result.ExitCode) |> shouldEqual ("", 0)
                                File.Exists(Path.Combine(quiet, "summary.json")) |> shouldEqual true)

                testCase
                    "where standard error can't be written the exit code says all there is to say, and the work is done"
                <| fun () ->
                    inNewFolder (fun folder ->
                        for redirection in
                            [
                                "2>&-"
                                if File.Exists "/dev/full" then
                                    "2>/dev/full"
                            ] do
                            let through = throughShell $"exec \"$@\" {redirection}"
                            (runWith through [ "train"; "bogus" ]).ExitCode |> shouldEqual 2
                            let out = Path.Combine(folder, "run" + redirection.Replace("/", "-"))
                            (run (shortTraining @ [ "--quiet"; "--out"; out ])).ExitCode |> shouldEqual 0
                            let last = Path.Combine(out, "last.safetensors")
                            File.Copy(last, Path.Combine(out, "previous.safetensors"))
                            File.WriteAllText(last, "damaged")
                            // The line that says which checkpoint serves has no place.
                            let evaluated = runWith through [ "eval"; out; "--json" ]
                            evaluated.ExitCode |> shouldEqual 0
                            (json evaluated.Output |> property "step").GetInt32() |> shouldEqual 60)

                testCase "a full disk is reported in one line, nothing is left over, and the run can be resumed"
                <| fun () ->
                    inNewFolder (fun folder ->
                        let out, straight = Path.Combine(folder, "run"), Path.Combine(folder, "straight")
                        let train = shortTraining @ [ "--quiet" ]
                        (run (train @ [ "--out"; straight ])).ExitCode |> shouldEqual 0
                        let checkpoint = FileInfo(Path.Combine(straight, "last.safetensors"))
                        let room = int (checkpoint.Length / 2048L)
                        let none = runWith (limited room) (train @ [ "--out"; out ])
                        none.ExitCode |> shouldEqual 1
                        none.Error |> shouldBeOneLine
                        none.Error |> shouldStartWith $"scae: {out}: a file there can't be as large as it should"
                        none.Error |> shouldContainText "there is no checkpoint yet"
                        unfinished out |> shouldBeEmpty
                        (run [ "train"; "--resume"; "--quiet"; "--out"; out ]).ExitCode |> shouldEqual 0

                        for name in [ "last.safetensors"; "best.safetensors" ] do
                            File.ReadAllBytes(Path.Combine(out, name))
                            |> shouldEqual (File.ReadAllBytes(Path.Combine(straight, name)))

                        let longer = [ "train"; "--resume"; "--quiet"; "--epochs"; "4"; "--out"; out ]
                        let failed = runWith (limited room) longer
                        failed.ExitCode |> shouldEqual 1
                        failed.Error |> shouldBeOneLine

                        failed.Error
                        |> shouldContainText
                            $"the checkpoint of step 60 is whole; when there is room, go on with: scae train --resume --out {out}"

                        unfinished out |> shouldBeEmpty
                        // Files that a process left half written when it was killed are removed at the next start.
                        for name in [ "last.safetensors"; "figures/examples.png"; "snapshots/00000020.safetensors" ] do
                            File.WriteAllText(Path.Combine(out, name + ".unfinished"), "half")

                        // What another run is writing in a folder within stays.
                        Directory.CreateDirectory(Path.Combine(out, "another")) |> ignore
                        File.WriteAllText(Path.Combine(out, "another", "last.safetensors.unfinished"), "half")
                        (run longer).ExitCode |> shouldEqual 0
                        unfinished out |> shouldEqual [ "another/last.safetensors.unfinished" ])

                testCase "a sweep whose result has no room says that its runs are whole"
                <| fun () ->
                    inNewFolder (fun folder ->
                        let sweep =
                            [ "sweep" ] @ shortTraining.Tail @ [ "--seeds"; "0..1"; "--quiet"; "--out"; folder ]

                        Directory.CreateDirectory(Path.Combine(folder, "sweep.json")) |> ignore
                        let result = run sweep
                        result.ExitCode |> shouldEqual 1
                        result.Error |> shouldBeOneLine
                        result.Error |> shouldStartWith $"scae: {folder}: "

                        result.Error
                        |> shouldContainText "the runs are whole, and the same command with --collect writes them"

                        unfinished folder |> shouldBeEmpty)

                testCase "a link that --out names stays, and a pipe or standard output is written to"
                <| fun () ->
                    inNewFolder (fun folder ->
                        let at name = Path.Combine(folder, name)
                        (run (shortTraining @ [ "--quiet"; "--out"; at "run" ])).ExitCode |> shouldEqual 0
                        let report out = [ "report"; at "run"; "--out"; out ]
                        (run (report (at "straight"))).ExitCode |> shouldEqual 0
                        let expected = File.ReadAllBytes(at "straight")
                        // Links to a file, to one that isn't there yet, and to a link.
                        File.WriteAllText(at "old", "before")

                        for link, target in [ "link", "old"; "early", "new"; "far", "link" ] do
                            File.CreateSymbolicLink(at link, target) |> ignore
                            (run (report (at link))).ExitCode |> shouldEqual 0
                            FileInfo(at link).LinkTarget |> shouldEqual target
                            File.ReadAllBytes(at link) |> shouldEqual expected

                        let export = [ "export"; at "run"; "--format"; "npz"; "--out" ]
                        (run (export @ [ at "straight.npz" ])).ExitCode |> shouldEqual 0

                        for words, whole in
                            [
                                report (at "pipe"), expected
                                export @ [ at "pipe" ], File.ReadAllBytes(at "straight.npz")
                            ] do
                            let piped =
                                throughShell
                                    $"cd '{folder}'; rm -f pipe copy; mkfifo pipe; $(command -v timeout > /dev/null && echo timeout 60) cat pipe > copy & \"$@\"; code=$?; wait; test -p pipe || exit 9; exit $code"

                            (runWith piped words).ExitCode |> shouldEqual 0
                            File.ReadAllBytes(at "copy") |> shouldEqual whole

                        let printed = runWith (throughShell "exec \"$@\" | cat") (report "/dev/stdout")
                        (printed.ExitCode, printed.Error) |> shouldEqual (0, "")
                        let whole = Text.Encoding.UTF8.GetString expected
                        printed.Output |> shouldEqual whole

                        // Redirected to a file, after what is there.
                        let printed = at "printed"
                        File.WriteAllText(printed, "first\n")

                        (runWith (throughShell $"exec \"$@\" >> '{printed}'") (report "/dev/stdout")).ExitCode
                        |> shouldEqual 0

                        File.ReadAllText printed |> shouldEqual ("first\n" + whole)

                        // A file among the devices is a file.
                        if Directory.Exists "/dev/shm" then
                            let shared = $"/dev/shm/scae-{Path.GetFileName folder}.html"
                            File.WriteAllBytes(shared, Array.append expected expected)
                            (run (report shared)).ExitCode |> shouldEqual 0
                            let written = File.ReadAllBytes shared
                            File.Delete shared
                            written |> shouldEqual expected)

                testCase "Ctrl-C while data is fetched ends the program, whatever the mirrors do"
                <| fun () ->
                    inNewFolder (fun folder ->
                        // It takes connections and never answers.
                        use silent = new TcpListener(IPAddress.Loopback, 0)
                        silent.Start()

                        let swallowing (info: ProcessStartInfo) =
                            for name in [ "HTTPS_PROXY"; "https_proxy"; "ALL_PROXY" ] do
                                info.Environment[name] <- $"http://{silent.LocalEndpoint}"

                            for name in [ "NO_PROXY"; "no_proxy"; "SCAE_DATA" ] do
                                info.Environment.Remove name |> ignore

                            info.Environment["XDG_CACHE_HOME"] <- folder

                        let out = Path.Combine(folder, "run")

                        use running =
                            startInterruptible swallowing [ "train"; "air"; "--digits"; "mnist"; "--out"; out ]

                        string (running.StandardError.ReadLine())
                        |> shouldStartWith "scae: fetching MNIST (12 MB) from "

                        use _ = silent.AcceptTcpClient()
                        signal "INT" running
                        running.WaitForExit 60000 |> shouldEqual true
                        // Without the signal the error is that no mirror can be reached. How soon a wait ends is tested with one of ten
                        // minutes, which no busy machine takes as long as; here it may say before that it is stopping.
                        running.ExitCode |> shouldEqual 130
                        running.StandardError.ReadToEnd().TrimEnd() |> shouldEndWith "scae: stopped"
                        Directory.Exists out |> shouldEqual false)

                testCase "pictures of a run that may only be read aren't blamed on --out"
                <| fun () ->
                    inNewFolder (fun folder ->
                        let out = Path.Combine(folder, "run")
                        (run (shortTraining @ [ "--quiet"; "--out"; out ])).ExitCode |> shouldEqual 0
                        let before = filesOf out
                        let readable = UnixFileMode.UserRead ||| UnixFileMode.UserExecute
                        let writable = readable ||| UnixFileMode.UserWrite
                        let setpriv = "/usr/bin/setpriv"

                        // The system's administrator may write everywhere unless that is taken away.
                        let asReader =
                            if Environment.UserName <> "root" then
                                ignore
                            elif File.Exists setpriv then
                                throughShell $"exec {setpriv} --bounding-set=-dac_override \"$@\""
                            else
                                Directory.CreateDirectory(Path.Combine(out, "lock")) |> ignore
                                ignore

                        let refused =
                            try
                                File.SetUnixFileMode(out, readable)
                                runWith asReader [ "figures"; out ]
                            finally
                                File.SetUnixFileMode(out, writable)

                        refused.ExitCode |> shouldEqual 1

                        refused.Error.TrimEnd()
                        |> shouldEqual
                            $"scae: {out}: the folder can't be written (access is denied); pictures belong in the run's own folder: copy the run to where you may write"

                        filesOf out |> shouldEqual before)

            testCase "pictures that can't be drawn cost no numbers, of one training and of a sweep's"
            <| fun () ->
                inNewFolder (fun folder ->
                    let block (out: string) =
                        Path.Combine(out, "figures", "examples.png") |> Directory.CreateDirectory |> ignore

                    let out, sweep = Path.Combine(folder, "run"), Path.Combine(folder, "sweep")
                    let told (out: string) = $"scae: {out}: the numbers are there, but the pictures can't be drawn: "
                    block out
                    let trained = run (shortTraining @ [ "--out"; out ])
                    trained.ExitCode |> shouldEqual 1
                    trained.Output |> shouldContainText "recovery"
                    trained.Error |> shouldBeOneLine
                    trained.Error |> shouldStartWith (told out)
                    trained.Error.TrimEnd() |> shouldEndWith $"; when that is mended, scae figures {out} draws them"
                    File.Exists(Path.Combine(out, "summary.json")) |> shouldEqual true
                    Directory.Delete(Path.Combine(out, "figures", "examples.png"))
                    (run [ "figures"; out ]).ExitCode |> shouldEqual 0
                    let seeds = [ for seed in 0..1 -> Path.Combine(sweep, $"seed-{seed}") ]
                    seeds |> List.iter block
                    let swept = run ("sweep" :: shortTraining.Tail @ [ "--seeds"; "0..2"; "--json"; "--out"; sweep ])
                    swept.ExitCode |> shouldEqual 1
                    let lines = swept.Error.TrimEnd().Split '\n'
                    lines |> shouldHaveLength 3

                    for seed in seeds do
                        swept.Error |> shouldContainText (told seed)

                    lines[2] |> shouldEqual "scae: 2 of 3 trainings have no pictures; their numbers are there"
                    let recovery = json swept.Output |> property "metrics" |> property "recovery"
                    (recovery |> property "values").GetArrayLength() |> shouldEqual 3
                    File.Exists(Path.Combine(sweep, "sweep.json")) |> shouldEqual true)

            testCase "numbers read the same whatever the machine's culture"
            <| fun () ->
                let before = CultureInfo.CurrentCulture

                try
                    let odd = CultureInfo(String.Empty)
                    odd.NumberFormat.NumberDecimalSeparator <- ","
                    odd.NumberFormat.NegativeSign <- "−"
                    CultureInfo.CurrentCulture <- odd
                    $"{-1.5}" |> shouldEqual "−1,5"

                    inNewFolder (fun folder ->
                        let trained = run (shortTraining @ [ "--out"; Path.Combine(folder, "run") ])
                        trained.Output |> shouldContainText " ms in the median"
                        Text.RegularExpressions.Regex.Matches(trained.Output, "[0-9],[0-9]|−") |> shouldBeEmpty)
                finally
                    CultureInfo.CurrentCulture <- before

            testCase "JSON is the same text in a locale without Unicode"
            <| fun () ->
                let inLatin (info: ProcessStartInfo) = info.Environment["LC_ALL"] <- "de_DE.ISO-8859-1"
                let printed = runWith inLatin [ "list"; "--json" ]
                printed.Output |> Seq.forall Char.IsAscii |> shouldEqual true
                let usual = (run [ "list"; "--json" ]).Output
                usual |> Seq.forall Char.IsAscii |> shouldEqual false

                JsonNode.DeepEquals(JsonNode.Parse printed.Output, JsonNode.Parse usual) |> shouldEqual true

            testCase "a limit of the runtime's memory counts, too"
            <| fun () ->
                inNewFolder (fun folder ->
                    let little (info: ProcessStartInfo) = info.Environment["DOTNET_GCHeapHardLimit"] <- "0x20000000"
                    let out = Path.Combine(folder, "run")

                    let training = [ "train"; "constellations"; "--preset"; "quick"; "--out"; out ]
                    let refused = runWith little (training @ [ "--test-size"; "1500000" ])
                    refused.Error |> shouldStartWith "scae: --test-size 1500000: the run needs about"
                    refused.ExitCode |> shouldEqual 2)

            testCase
                "more runs at once than the memory holds are refused before any begins, however many there are to come"
            <| fun () ->
                inNewFolder (fun folder ->
                    let sweep options =
                        let out = Path.Combine(folder, "sweep")
                        let result = run ([ "sweep"; "constellations"; "--out"; out; "--threads"; "1024" ] @ options)
                        result.ExitCode |> shouldEqual 2
                        result.Error |> shouldBeOneLine
                        result.Error |> shouldContainText "runs at once need about"
                        Directory.Exists out |> shouldEqual false
                        result.Error

                    let clock = Stopwatch.StartNew()

                    sweep [ "--seeds"; "0..99999999"; "--batch-size"; "65536" ]
                    |> shouldStartWith "scae: --batch-size 65536: 1024 runs at once"

                    clock.Elapsed.TotalSeconds |> shouldBeLessThan 20.0

                    sweep [ "--seeds"; "0..3"; "--vary"; "test-size=64,500000000" ]
                    |> shouldStartWith "scae: --test-size 500000000: 8 runs at once")
        ]
