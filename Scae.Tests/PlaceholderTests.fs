module Scae.Tests.PlaceholderTests

open NUnit.Framework
open FsCheck.NUnit
open FsUnit

[<Test>]
let ``one is one`` () = 1 |> should equal 1

[<Property>]
let ``addition commutes`` (a: int) (b: int) = a + b = b + a
