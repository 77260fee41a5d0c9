/// Digits for tests: MNIST where a folder shared/data/mnist stands beside or above the solution, strokes otherwise.
module Scae.Tests.Data.TestDigits

open System
open System.IO
open Scae.Cli.Data
open Scae.Core.Data
open Scae.Core.Experiments

/// The folder of the four files, if it is there.
let folder: string option =
    let rec up (folder: DirectoryInfo | null) =
        match folder with
        | null -> None
        | folder ->
            let candidate = Path.Combine(folder.FullName, "shared", "data", "mnist")

            if Directory.Exists candidate then
                Some candidate
            else
                up folder.Parent

    up (DirectoryInfo AppContext.BaseDirectory)

/// The same for experiments.
let resources: Resources = MnistFiles.Resources(Option.toObj folder)

/// Both sets.
let sets: Lazy<DigitSets> =
    lazy
        match folder with
        | None -> StrokeDigits.sets ()
        | Some _ ->
            match Mnist.sets resources.Mnist with
            | Ok sets -> sets
            | Error message -> failwith message
