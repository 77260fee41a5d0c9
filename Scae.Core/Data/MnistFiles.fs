namespace Scae.Core.Data

open System
open System.IO
open System.Net.Http

/// Finds the files of MNIST on this machine or on the network. The only room of the core with files and network.
[<RequireQualifiedAccess>]
module MnistFiles =
    /// Where the files can be downloaded, in the order in which it is tried.
    let mirrors: string list =
        [
            "https://storage.googleapis.com/cvdf-datasets/mnist/"
            "https://ossci-datasets.s3.amazonaws.com/mnist/"
            "https://azureopendatastorage.blob.core.windows.net/mnist/"
        ]

    /// The user's folder for what can be fetched again; the temporary one for users without a home.
    let cacheFolder () : string =
        // The folder's name even where nobody has created it yet.
        let folder kind = Environment.GetFolderPath(kind, Environment.SpecialFolderOption.DoNotVerify)
        let home = folder Environment.SpecialFolder.UserProfile

        let caches =
            match Environment.GetEnvironmentVariable "XDG_CACHE_HOME" with
            | folder when Path.IsPathFullyQualified(string folder) -> string folder
            | _ when OperatingSystem.IsWindows() -> folder Environment.SpecialFolder.LocalApplicationData
            | _ when OperatingSystem.IsMacOS() -> Path.Combine(home, "Library", "Caches")
            | _ -> Path.Combine(home, ".cache")

        if Path.IsPathFullyQualified caches then
            Path.Combine(caches, "scae", "mnist")
        else
            Path.Combine(Path.GetTempPath(), "scae", "mnist")

    /// The bytes of a file's .gz from the first mirror that has it unharmed. The error is the last mirror's.
    let download (file: MnistFile) : Result<byte[], string> =
        use client = new HttpClient(Timeout = TimeSpan.FromSeconds 60.0)

        (Error "no mirrors", mirrors)
        ||> List.fold (fun result mirror ->
            match result with
            | Ok _ -> result
            | Error _ ->
                try
                    let bytes = client.GetByteArrayAsync($"{mirror}{file.Name}.gz").GetAwaiter().GetResult()
                    Mnist.verified file $"{mirror}{file.Name}.gz" bytes |> Result.map (fun _ -> bytes)
                with
                | :? HttpRequestException
                | :? OperationCanceledException
                | :? IOException -> Error $"{mirror} can't be reached")

    /// The path of a file in a folder or its subfolder mnist, with .gz or without.
    let private locate (folder: string) (file: MnistFile) : string option =
        [
            for place in [ folder; Path.Combine(folder, "mnist") ] do
                Path.Combine(place, file.Name)
                Path.Combine(place, file.Name + ".gz")
        ]
        |> List.tryFind File.Exists

    let private readAll (path: string) : Result<byte[], string> =
        try
            Ok(File.ReadAllBytes path)
        with
        | :? IOException
        | :? UnauthorizedAccessException -> Error $"{path}: can't be read"

    /// Keeps a file; one that is only half written never has its final name. A cache that can't be written is no error:
    /// the bytes are there.
    let private keep (folder: string) (name: string) (bytes: byte[]) : unit =
        try
            Directory.CreateDirectory folder |> ignore
            let unfinished = Path.Combine(folder, $".{name}.{Guid.NewGuid():N}")

            do
                use stream = new FileStream(unfinished, FileMode.CreateNew)
                stream.Write(bytes, 0, bytes.Length)
                stream.Flush true

            File.Move(unfinished, Path.Combine(folder, name), true)
        with
        | :? IOException
        | :? UnauthorizedAccessException -> ()

    /// The uncompressed bytes of a file: from the first folder that has it, else by download into the last folder. The
    /// error is one line with both ways out.
    let private bytes
        (folders: string list)
        (fetch: MnistFile -> Result<byte[], string>)
        (file: MnistFile)
        : Result<byte[], string> =
        match folders |> List.tryPick (fun folder -> locate folder file) with
        | Some path -> readAll path |> Result.bind (Mnist.verified file path)
        | None ->
            match fetch file with
            | Ok compressed ->
                keep (List.last folders) (file.Name + ".gz") compressed
                Mnist.uncompressed file.Name compressed
            | Error reason ->
                let places = String.concat ", " folders

                Error
                    $"{file.Name}.gz isn't in {places} ({reason}): put the four MNIST files there, or use --digits strokes"

    /// Both sets, from the first folder that has a file, else fetched and kept in the last folder. The error is one line.
    let loadFrom (folders: string list) (fetch: MnistFile -> Result<byte[], string>) : Result<DigitSets, string> =
        let digits (images: MnistFile) (labels: MnistFile) =
            bytes folders fetch images
            |> Result.bind (fun imageBytes ->
                bytes folders fetch labels
                |> Result.bind (fun labelBytes -> Mnist.digits (images.Name, imageBytes) (labels.Name, labelBytes)))

        digits Mnist.trainImages Mnist.trainLabels
        |> Result.bind (fun train ->
            digits Mnist.testImages Mnist.testLabels |> Result.map (fun test -> { Train = train; Test = test }))

    /// MNIST from the folder that --data names, else $SCAE_DATA, else the user's cache folder, else the network. A folder
    /// that is named must have the files: others aren't looked at. The error is one line with both ways out.
    let load (folder: string option) : Result<DigitSets, string> =
        match folder, Environment.GetEnvironmentVariable "SCAE_DATA" |> Option.ofObj with
        | Some folder, _ -> loadFrom [ folder ] (fun _ -> Error "which --data names")
        | None, (None | Some "") -> loadFrom [ cacheFolder () ] download
        | None, Some folder -> loadFrom [ folder; cacheFolder () ] download
