/// What every other test relies on: a claim that doesn't hold fails its test.
module Scae.Tests.ClaimsTests

open System
open Expecto
open Scae.Tests.Claims

let private fails (claim: unit -> unit) : string =
    try
        claim ()
        None
    with :? AssertException as error ->
        Some error.Message
    |> function
        | Some message -> message
        | None -> failwith "the claim held"

let private holding: (string * (unit -> unit)) list =
    [
        "equal", (fun () -> [| 1.0; nan |] |> shouldEqual [| 1.0; nan |])
        "different", (fun () -> 1 |> shouldDiffer 2)
        "less", (fun () -> 1.0 |> shouldBeLessThan 2.0)
        "at most", (fun () -> 2.0 |> shouldBeAtMost 2.0)
        "greater", (fun () -> 2.0 |> shouldBeGreaterThan 1.0)
        "at least", (fun () -> 2.0 |> shouldBeAtLeast 2.0)
        "within an interval, ends included", (fun () -> 1.0 |> shouldBeIn (0.0, 1.0))
        "near, at the tolerance itself", (fun () -> 1.5 |> shouldBeNear 0.5 1.0)
        "empty", (fun () -> Array.empty<int> |> shouldBeEmpty)
        "not empty", (fun () -> [ 1 ] |> shouldHaveSome)
        "of a length", (fun () -> [ 1; 2 ] |> shouldHaveLength 2)
        "containing", (fun () -> [ 1; 2 ] |> shouldContain 2)
        "containing text", (fun () -> "a word" |> shouldContainText "wor")
        "lacking text", (fun () -> "a word" |> shouldLackText "ward")
        "starting", (fun () -> "a word" |> shouldStartWith "a ")
        "ending", (fun () -> "a word" |> shouldEndWith "rd")
        "raising", (fun () -> (fun () -> raise (ArgumentException "x")) |> shouldRaise<ArgumentException>)
        "raising with a message", (fun () -> messageOf<ArgumentException>(fun () -> invalidArg "a" "x") |> ignore)
    ]

let private failing: (string * (unit -> unit)) list =
    [
        "equal", (fun () -> [| 1.0; nan |] |> shouldEqual [| nan; 1.0 |])
        "equal, of other lengths", (fun () -> [ 1; 2 ] |> shouldEqual [ 1 ])
        "different", (fun () -> [| nan |] |> shouldDiffer [| nan |])
        "less", (fun () -> 2.0 |> shouldBeLessThan 2.0)
        "less, NaN", (fun () -> nan |> shouldBeLessThan 2.0)
        "less than NaN", (fun () -> 1.0 |> shouldBeLessThan nan)
        "at most", (fun () -> 3.0 |> shouldBeAtMost 2.0)
        "at most, NaN", (fun () -> nan |> shouldBeAtMost 2.0)
        "greater", (fun () -> 1.0 |> shouldBeGreaterThan 1.0)
        "greater, NaN", (fun () -> nan |> shouldBeGreaterThan 1.0)
        "at least", (fun () -> 1.0 |> shouldBeAtLeast 2.0)
        "at least, NaN", (fun () -> nan |> shouldBeAtLeast 2.0)
        "within an interval", (fun () -> 1.25 |> shouldBeIn (0.0, 1.0))
        "within an interval, NaN", (fun () -> nan |> shouldBeIn (0.0, 1.0))
        "near", (fun () -> 1.75 |> shouldBeNear 0.5 1.0)
        "near, NaN", (fun () -> nan |> shouldBeNear infinity 1.0)
        "empty", (fun () -> [| 1 |] |> shouldBeEmpty)
        "not empty", (fun () -> List.empty<int> |> shouldHaveSome)
        "of a length", (fun () -> [ 1 ] |> shouldHaveLength 2)
        "containing", (fun () -> [ 1; 3 ] |> shouldContain 2)
        "containing text", (fun () -> "a word" |> shouldContainText "ward")
        "lacking text", (fun () -> "a word" |> shouldLackText "wor")
        "starting", (fun () -> "a word" |> shouldStartWith "word")
        "ending", (fun () -> "a word" |> shouldEndWith "wo")
        "raising", (fun () -> ignore |> shouldRaise<ArgumentException>)
        "raising another type", (fun () -> (fun () -> failwith "x") |> shouldRaise<ArgumentException>)
    ]

[<Tests>]
let tests =
    testList
        "Claims"
        [
            for name, claim in holding do
                testCase $"what holds passes ({name})" <| fun () -> claim ()

            for name, claim in failing do
                testCase $"what doesn't hold fails ({name})" <| fun () -> fails claim |> ignore

            testCase "a failure shows what came and what was claimed"
            <| fun () ->
                fails (fun () -> 3 |> shouldBeLessThan 2) |> shouldEqual "3 isn't less than 2"
                fails (fun () -> 1.5 |> shouldBeNear 0.25 1.0) |> shouldEqual "1.5 isn't within 0.25 of 1"
        ]
