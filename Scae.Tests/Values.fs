/// What the tests of tensors share: reproducible values, readings, and expectations on numbers and messages.
module Scae.Tests.Values

open Expecto
open Scae.Tests.Claims
open Scae.Tensors

/// n values in (−2, 2), another series for every seed. Multiples of the golden ratio modulo one lie far from each
/// other, so that maxima have no near ties, where central differences would straddle a kink.
let values (seed: int) n =
    Array.init n (fun i ->
        let x = float i * 0.6180339887498949 + float seed * 0.7548776662466927
        4.0 * (x - floor x) - 2.0)

/// A tensor of the given shape over such values.
let tensorOf dtype (seed: int) (shape: int[]) = Tensor.``of``(values seed (Array.fold (*) 1 shape), shape).cast(dtype)

/// A Float64 tensor of the given shape over such values.
let real seed (shape: int list) = tensorOf Dtype.Float64 seed (Array.ofList shape)

let ofList (xs: float list) (shape: int list) = Tensor.``of`` (Array.ofList xs, Array.ofList shape)

let ints (xs: int list) (shape: int list) = Tensor.``of`` (Array.ofList xs, Array.ofList shape)

/// The elements as doubles, whatever the dtype.
let read (t: Tensor) = t.cast(Dtype.Float64).toArray<float>()

let private same (a: float) (b: float) tolerance =
    a = b
    || (System.Double.IsNaN a && System.Double.IsNaN b)
    || abs (a - b) <= tolerance * (1.0 + abs a)

/// How far two series of numbers are apart where they are farthest.
let largestDifference (a: float32[]) (b: float32[]) : float32 =
    Array.map2 (fun x y -> float (abs (x - y))) a b |> largestOf |> float32

/// Element by element within a tolerance relative to 1 + |expected|; NaN equals NaN.
let shouldBeWithin tolerance (expected: float[]) (actual: Tensor) =
    let found = read actual

    if
        expected.Length <> found.Length
        || not (Array.forall2 (fun a b -> same a b tolerance) expected found)
    then
        failtest $"expected %A{expected}, found %A{found} of shape %A{actual.shape}"

let shouldBe (expected: float list) (actual: Tensor) = actual |> shouldBeWithin 1e-12 (Array.ofList expected)

/// Same shape and values.
let shouldAgree tolerance (expected: Tensor) (actual: Tensor) =
    actual.shape |> shouldEqual expected.shape
    actual |> shouldBeWithin tolerance (read expected)

let shouldHaveShape (shape: int list) (actual: Tensor) = actual.shape |> shouldEqual (Array.ofList shape)

/// That an action raises a ShapeError in exactly these words.
let shouldSay (words: string) (action: unit -> Tensor) =
    messageOf<ShapeError>(fun () -> action () |> ignore) |> shouldEqual words
