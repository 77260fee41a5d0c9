module Scae.Tests.House.PublicApiTests

open System.IO
open System.Text.RegularExpressions
open Expecto
open Scae.Core.Experiments
open Scae.Tensors
open Scae.Tests
open Scae.Tests.Claims

[<Tests>]
let tests =
    testList
        "House.PublicApi"
        [
            testCase "the public API of Scae.Tensors is as reviewed"
            <| fun () -> PublicApi.text typeof<Tensor>.Assembly |> Expectation.shouldHold "api/Scae.Tensors.txt"

            testCase "the public API of Scae.Core is as reviewed"
            <| fun () -> PublicApi.text typeof<Experiment>.Assembly |> Expectation.shouldHold "api/Scae.Core.txt"

            testCase "docs/tensors.md names every operation on tensors"
            <| fun () ->
                let page = File.ReadAllText(Path.Combine(Expectation.root, "docs", "tensors.md"))

                let names =
                    typeof<Tensor>.GetMembers()
                    |> Array.filter (fun m -> m.DeclaringType = typeof<Tensor>)
                    |> Array.map _.Name
                    |> Array.filter (fun name ->
                        not (name.StartsWith "op_" || name.StartsWith "get_" || name = "ToString"))
                    |> Array.distinct

                names |> shouldContain "softmax"

                names
                |> Array.filter (fun name -> not (page.Contains $"`{name}`" || page.Contains $"`Tensor.{name}`"))
                |> shouldBeEmpty

                // And nothing else: the first cells of its tables.
                Regex.Matches(page, @"^\| (`[^|]+) \|", RegexOptions.Multiline)
                |> Seq.collect (fun row -> Regex.Matches(row.Groups[1].Value, @"`(?:Tensor\.)?(\w+)`"))
                |> Seq.map _.Groups[1].Value
                |> Seq.except names
                |> shouldBeEmpty

            testCase "a changed line is noticed, and a missing one"
            <| fun () ->
                let api = PublicApi.text typeof<Tensor>.Assembly
                api |> shouldContainText "    matmul(Tensor b) : Tensor\n"
                let line = Expectation.difference api (api.Replace("    matmul(Tensor b) : Tensor\n", ""))
                line |> Option.isSome |> shouldEqual true
                Expectation.difference api api |> shouldEqual None
        ]
