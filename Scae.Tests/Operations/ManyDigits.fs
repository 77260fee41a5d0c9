/// Elementary functions to some two hundred digits, slow and obvious: the reference for functions of doubles. A number is
/// an integer that counts 2⁻¹³⁰⁰, which is fine enough for the smallest subnormal double.
module Scae.Tests.Operations.ManyDigits

open System
open System.Numerics

let private places = 1300

let private one = BigInteger.One <<< places

/// The number as it is; finite.
let ofDouble (x: float) : BigInteger =
    let bits = BitConverter.DoubleToInt64Bits x
    let exponent = int (bits >>> 52) &&& 0x7FF
    let fraction = bits &&& 0xFFFFFFFFFFFFFL

    let mantissa =
        if exponent = 0 then
            fraction
        else
            fraction ||| 0x10000000000000L

    let size = BigInteger mantissa <<< (places - 1075 + max exponent 1)
    if x < 0.0 then -size else size

let private times (a: BigInteger) (b: BigInteger) = (a * b) >>> places

let private over (a: BigInteger) (b: BigInteger) = (a <<< places) / b

let private twice (x: BigInteger) = x <<< 1

let private halved (k: int) (x: BigInteger) = x >>> k

/// Σ of terms that each follow from the one before and its number, until they vanish.
let private series (first: BigInteger) (next: int -> BigInteger -> BigInteger) =
    let mutable sum, term, k = first, next 1 first, 2

    while not term.IsZero && term <> BigInteger.MinusOne do
        sum <- sum + term
        term <- next k term
        k <- k + 1

    sum

/// eˣ: the series at x / 2³⁰, squared thirty times.
let exp (x: BigInteger) : BigInteger =
    let r = halved 30 x
    let mutable y = series one (fun k term -> times term r / BigInteger k)

    for _ in 1..30 do
        y <- times y y

    y

/// (sin x, cos x): the series at x / 2³⁰, doubled thirty times.
let sinCos (x: BigInteger) : BigInteger * BigInteger =
    let r = halved 30 x
    let z = times r r
    let mutable s = series r (fun k term -> -(times term z) / BigInteger(2 * k * (2 * k + 1)))
    let mutable c = series one (fun k term -> -(times term z) / BigInteger((2 * k - 1) * 2 * k))

    for _ in 1..30 do
        let s', c' = twice (times s c), one - twice (times s s)
        s <- s'
        c <- c'

    s, c

let private toDouble (x: BigInteger) =
    let shift = max 0 (int (x.GetBitLength()) - 60)
    Math.ScaleB(float (x >>> shift), shift - places)

/// Newton's method from a start near the root, each step given by the distance to go.
let private newton (start: float) (step: BigInteger -> BigInteger) =
    let mutable y = ofDouble start

    for _ in 1..8 do
        y <- y + step y

    y

/// The natural logarithm of a positive number.
let log (x: BigInteger) : BigInteger =
    newton (Math.Log(toDouble x)) (fun y -> let e = exp y in over (twice (x - e)) (x + e))

let private atan (x: BigInteger) =
    newton (Math.Atan(toDouble x)) (fun y -> let s, c = sinCos y in times (times x c - s) c)

let private asin (x: BigInteger) = newton (Math.Asin(toDouble x)) (fun y -> let s, c = sinCos y in over (x - s) c)

/// The reference of an operation by its name.
let functionOf (name: string) : BigInteger -> BigInteger =
    match name with
    | "exp" -> exp
    | "expm1" -> fun x -> exp x - one
    | "log" -> log
    | "log1p" -> fun x -> log (one + x)
    | "sigmoid" -> fun x -> over one (one + exp -x)
    | "softplus" -> fun x -> log (one + exp x)
    | "tanh" -> fun x -> let e = exp (twice x) in over (e - one) (e + one)
    | "sin" -> sinCos >> fst
    | "cos" -> sinCos >> snd
    | _ -> invalidArg (nameof name) $"there is no reference for {name}"

/// How far a double is off, in units of the last place of the exact value.
let unitsOff (exact: BigInteger) (found: float) : float =
    let exponent = int ((BigInteger.Abs exact).GetBitLength()) - 1 - places
    let last = max (exponent - 52) -1074

    if exponent > 1023 then
        if Double.IsInfinity found then 0.0 else infinity
    elif not (Double.IsFinite found) then
        infinity
    else
        toDouble (BigInteger.Abs(ofDouble found - exact) <<< -last)
