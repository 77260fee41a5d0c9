module Scae.Tests.Runs.FreeMemoryTests

open System
open Expecto
open Scae.Cli.Runs
open Scae.Core.Experiments
open Scae.Tests.Claims
open Scae.Tests.Training

let private free (files: (string * string) list) =
    FreeMemory.Of(
        Func<string, string | null>(fun path ->
            files |> List.tryFind (fst >> (=) path) |> Option.map snd |> Option.toObj)
    )
    |> Option.ofNullable

let private available =
    "/proc/meminfo", "MemTotal:  8000000 kB\nMemFree:  100 kB\nMemAvailable:    4000000 kB\n"

[<Tests>]
let tests =
    testList
        "Runs.FreeMemory"
        [
            testCase "where nothing is known, nothing is told" <| fun () -> free [] |> shouldEqual None

            testCase "it is what the system says is available"
            <| fun () -> free [ available ] |> shouldEqual (Some 4096000000.0)

            testCase "a control group that leaves less counts, and those around it, less the files in memory"
            <| fun () ->
                let group name limit usage =
                    [
                        $"/sys/fs/cgroup{name}/memory.max", limit + "\n"
                        $"/sys/fs/cgroup{name}/memory.current", usage + "\n"
                    ]

                let inside = available :: [ "/proc/self/cgroup", "0::/batch/job 7\n" ]

                free (inside @ group "/batch/job 7" "max" "5" @ group "/batch" "max" "6")
                |> shouldEqual (Some 4096000000.0)

                free (inside @ group "/batch/job 7" "1000" "400") |> shouldEqual (Some 600.0)

                free (inside @ group "/batch/job 7" "max" "400" @ group "/batch" "900" "500")
                |> shouldEqual (Some 400.0)

                free (inside @ group "/batch/job 7" "100" "400") |> shouldEqual (Some 0.0)

                free (
                    inside
                    @ group "/batch/job 7" "1000" "400"
                    @ [ "/sys/fs/cgroup/batch/job 7/memory.stat", "anon 100\ninactive_file 300\n" ]
                )
                |> shouldEqual (Some 900.0)

            testCase "control groups of the first version have other names, and a limit so large that it is none"
            <| fun () ->
                let group limit =
                    [
                        available
                        "/proc/self/cgroup", "5:devices:/\n4:cpu,memory:/box\n0::/\n"
                        "/sys/fs/cgroup/memory/box/memory.limit_in_bytes", limit
                        "/sys/fs/cgroup/memory/box/memory.usage_in_bytes", "1000"
                        "/sys/fs/cgroup/memory/box/memory.stat", "cache 7\ntotal_inactive_file 500\n"
                    ]

                free (group "2000") |> shouldEqual (Some 1500.0)
                free (group "9223372036854771712") |> shouldEqual (Some 4096000000.0)

            testCase "a model with a tensor that can't be is refused like one that doesn't fit"
            <| fun () ->
                let task =
                    Experiments.find "ccae"
                    |> Result.bind (fun ccae ->
                        Experiments.preset (Some "quick") ccae
                        |> Result.bind (fun preset ->
                            Experiment.configure
                                ccae
                                preset
                                [ "objects", "4096"; "set-outputs", "1024"; "capsule-hidden", "1024" ]))
                    |> Trained.accepted

                let refused = messageOf<RunFailure>(fun () -> FreeMemory.Check task)
                refused |> shouldStartWith "the model is too large: shape [4096, "
                refused |> shouldEndWith "; lower the numbers of capsules or the sizes of layers"

            testCase "this system leaves something" <| fun () -> FreeMemory.Bytes() |> shouldBeGreaterThan 1e6
        ]
