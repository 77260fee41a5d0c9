/// With SCAE_PICTURES set to a folder, tests leave their pictures there to be looked at.
module Scae.Tests.Plots.SamplePictures

open System
open System.IO

let keep (name: string) (write: Stream -> unit) : unit =
    match Environment.GetEnvironmentVariable "SCAE_PICTURES" with
    | null
    | "" -> ()
    | folder ->
        Directory.CreateDirectory folder |> ignore
        use stream = File.Create(Path.Combine(folder, name))
        write stream
