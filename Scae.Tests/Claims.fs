/// What a test claims about a value, in the order of speech: `found |> shouldEqual expected`. Each failure shows both.
module Scae.Tests.Claims

open System.Collections
open Expecto

/// A property's configuration: how many cases are drawn.
let samples (count: int) : FsCheckConfig = { FsCheckConfig.defaultConfig with maxTest = count }

/// Equal in structure; NaN equals NaN, as it must where bits are compared.
let shouldEqual (expected: 'a) (actual: 'a) =
    if not (LanguagePrimitives.GenericEqualityER expected actual) then
        Expect.equal actual expected "the values differ"

let shouldDiffer (unwanted: 'a) (actual: 'a) =
    if LanguagePrimitives.GenericEqualityER unwanted actual then
        failtest $"both are %A{actual}"

// Expecto's own comparisons let NaN pass as smaller than everything; here it is neither smaller nor larger.
let private shouldHold (holds: bool) (actual: 'a) (relation: string) (bound: 'a) =
    if not holds then
        failtest $"%A{actual} isn't {relation} %A{bound}"

let shouldBeLessThan (bound: 'a) (actual: 'a) = shouldHold (actual < bound) actual "less than" bound

let shouldBeAtMost (bound: 'a) (actual: 'a) = shouldHold (actual <= bound) actual "at most" bound

let shouldBeGreaterThan (bound: 'a) (actual: 'a) = shouldHold (actual > bound) actual "greater than" bound

let shouldBeAtLeast (bound: 'a) (actual: 'a) = shouldHold (actual >= bound) actual "at least" bound

/// The largest of some numbers that are at least 0; NaN where one is, which the largest of a sequence may pass over.
let largestOf (numbers: float seq) : float =
    numbers |> Seq.fold (fun (largest: float) number -> System.Math.Max(largest, number)) 0.0

let shouldBeIn (low: float, high: float) (actual: float) =
    if not (actual >= low && actual <= high) then
        failtest $"{actual} isn't from {low} to {high}"

/// Within an absolute tolerance.
let inline shouldBeNear (tolerance: float) expected actual =
    if not (abs (float actual - float expected) <= tolerance) then
        failtest $"{actual} isn't within {tolerance} of {expected}"

let shouldBeEmpty (actual: #IEnumerable) =
    let elements = List.ofSeq (Seq.cast<obj> actual)

    if not elements.IsEmpty then
        failtest $"there should be nothing, but there is %A{elements}"

let shouldHaveSome (actual: #IEnumerable) =
    if Seq.isEmpty (Seq.cast<obj> actual) then
        failtest "there is nothing"

let shouldHaveLength (length: int) (actual: #IEnumerable) =
    let elements = List.ofSeq (Seq.cast<obj> actual)

    if elements.Length <> length then
        failtest $"there should be {length} elements, but there are {elements.Length}: %A{elements}"

let shouldContain (element: 'a) (actual: 'a seq) = Expect.contains actual element "the element is missing"

let shouldContainText (part: string) (actual: string) = Expect.stringContains actual part "the part is missing"

let shouldLackText (part: string) (actual: string) =
    if actual.Contains(part, System.StringComparison.Ordinal) then
        failtest $"{actual} contains {part}"

let shouldStartWith (start: string) (actual: string) = Expect.stringStarts actual start "the text starts otherwise"

let shouldEndWith (ending: string) (actual: string) = Expect.stringEnds actual ending "the text ends otherwise"

/// That an action raises an exception of this type.
let shouldRaise<'E when 'E :> exn> (action: unit -> unit) =
    Expect.throwsT<'E> action $"nothing was raised, expected {typeof<'E>.Name}"

/// The message of the exception that an action must raise.
let messageOf<'E when 'E :> exn> (action: unit -> unit) =
    let message =
        try
            action ()
            None
        with :? 'E as error ->
            Some error.Message

    match message with
    | Some text -> text
    | None -> failwith $"nothing was raised, expected {typeof<'E>.Name}"
