module Scae.Tests.TensorBoard.EventFileTests

open System
open System.IO
open System.Text
open Expecto
open Scae.Tests.Turns
open Scae.Cli.TensorBoard
open Scae.Tests
open Scae.Tests.Claims
open Scae.Tests.Commands.CommandLine

let private scalar (step: int) (tag: string) (number: float32) : Event =
    let summary = EventSummary()
    summary.Value.Add(EventValue(Tag = tag, SimpleValue = number))
    Event(Step = int64 step, WallTime = 1.0e9 + float step, Summary = summary)

let private begin' = scalar 0 "begin" 7.0f

let private openAt (step: int) (path: string) : EventFile =
    EventFile.Open(path, begin', (fun first -> first.Equals begin'), int64 step)

let private course = [ for step in 10..10..50 -> scalar step "loss" (1.0f / float32 step) ]

/// A training without interruption, as bytes.
let private straight (path: string) : byte[] =
    (openAt 0 path).Append course
    File.ReadAllBytes path

[<Tests>]
let tests =
    inTurn
        "TensorBoard.EventFile"
        [
            testCase "the checksum is the published CRC-32C, masked"
            <| fun () ->
                // RFC 3720, appendix B.4, and the check value of the catalogue of CRCs.
                for bytes, sum in
                    [
                        Array.zeroCreate 32, 0x8A9136AAu
                        Array.create 32 255uy, 0x62A8AB43u
                        [| 0uy .. 31uy |], 0x46DD794Eu
                        Encoding.ASCII.GetBytes "123456789", 0xE3069283u
                    ] do
                    EventReader.crc bytes |> shouldEqual sum
                    EventRecord.Checksum(ReadOnlySpan bytes) |> shouldEqual (EventReader.masked sum)

            testCase "the checksum agrees with the one of single bits at every length"
            <| fun () ->
                for length in 0..67 do
                    let bytes = Array.init length (fun i -> byte (i * 37 + length))

                    EventRecord.Checksum(ReadOnlySpan bytes) |> shouldEqual (EventReader.masked (EventReader.crc bytes))

            testCase "another reader finds what was written"
            <| fun () ->
                inNewFolder (fun folder ->
                    let path = Path.Combine(folder, "events")
                    straight path |> ignore

                    EventReader.values path
                    |> List.map (fun value -> value.Step, value.Tag, value.Scalar)
                    |> shouldEqual (
                        (0L, "begin", Some 7.0f)
                        :: [ for step in 10..10..50 -> int64 step, "loss", Some(1.0f / float32 step) ]
                    ))

            testCase "wherever a file is torn, going on completes it without a doubled record"
            <| fun () ->
                inNewFolder (fun folder ->
                    let path = Path.Combine(folder, "events")
                    let whole = straight path

                    for length in 0 .. whole.Length do
                        File.WriteAllBytes(path, whole[.. length - 1])
                        (openAt 50 path).Append course
                        File.ReadAllBytes path |> shouldEqual whole)

            testCase "what lies past the checkpoint is cut off, since its steps come again"
            <| fun () ->
                inNewFolder (fun folder ->
                    let path = Path.Combine(folder, "events")
                    straight path |> ignore
                    let file = openAt 20 path
                    EventReader.values path |> List.map _.Step |> shouldEqual [ 0L; 10L; 20L ]
                    file.Append [ for event in course -> scalar (int event.Step) "loss" 3.0f ]

                    EventReader.values path
                    |> List.choose _.Scalar
                    |> shouldEqual [ 7.0f; 0.1f; 0.05f; 3.0f; 3.0f; 3.0f ])

            testCase "a damaged byte costs what follows it, and going on writes that again"
            <| fun () ->
                inNewFolder (fun folder ->
                    let path = Path.Combine(folder, "events")
                    let whole = straight path

                    for at in 0 .. whole.Length - 1 do
                        let damaged = Array.copy whole
                        damaged[at] <- damaged[at] ^^^ 16uy
                        File.WriteAllBytes(path, damaged)
                        (openAt 50 path).Append course
                        File.ReadAllBytes path |> shouldEqual whole)

            testCase "another training's file, or none of ours, begins anew"
            <| fun () ->
                inNewFolder (fun folder ->
                    let path = Path.Combine(folder, "events")

                    let fresh () = EventReader.values path |> List.map _.Tag |> shouldEqual [ "begin" ]

                    straight path |> ignore
                    EventFile.Open(path, begin', (fun _ -> false), 50L) |> ignore
                    fresh ()
                    File.WriteAllText(path, "a letter, and no event file at all")
                    openAt 50 path |> ignore
                    fresh ())

            testCase "the checking reader notices a damaged and a torn record"
            <| fun () ->
                inNewFolder (fun folder ->
                    let path = Path.Combine(folder, "events")
                    let whole = straight path
                    File.WriteAllBytes(path, whole[.. whole.Length - 2])

                    messageOf<exn>(fun () -> EventReader.records path |> ignore) |> shouldContainText "is torn"

                    whole[whole.Length - 6] <- whole[whole.Length - 6] ^^^ 1uy
                    File.WriteAllBytes(path, whole)

                    messageOf<exn>(fun () -> EventReader.records path |> ignore) |> shouldContainText "is damaged")
        ]
