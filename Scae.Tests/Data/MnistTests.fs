module Scae.Tests.Data.MnistTests

open System
open System.IO
open System.IO.Compression
open System.Net
open System.Net.Sockets
open System.Threading
open Scae.Tests.Claims
open Scae.Tests.Training
open Expecto
open Scae.Cli.Data
open Scae.Core.Data
open Scae.Core.Experiments
open Scae.Tensors

let private header (magic: int) (sizes: int list) =
    [|
        for number in magic :: sizes do
            yield! [| byte (number >>> 24); byte (number >>> 16); byte (number >>> 8); byte number |]
    |]

let private imageFile (n: int) = Array.append (header 0x803 [ n; 28; 28 ]) (Array.init (n * 784) byte)

let private labelFile (n: int) = Array.append (header 0x801 [ n ]) (Array.init n (fun i -> byte (i % 10)))

let private gzip (bytes: byte[]) =
    use stream = new MemoryStream()

    do
        use zip = new GZipStream(stream, CompressionLevel.Fastest)
        zip.Write(bytes, 0, bytes.Length)

    stream.ToArray()

let private errorOf (result: Result<'value, string>) =
    match result with
    | Error message -> message
    | Ok _ -> failwith "accepted"

let private read images labels = Mnist.digits ("images", images) ("labels", labels)

let private inFolder (action: string -> unit) =
    let folder = Directory.CreateTempSubdirectory "scae-mnist"

    try
        action folder.FullName
    finally
        folder.Delete true

/// Both sets from a folder, or else from where they can be fetched.
let private from (folder: string) (fetch: MnistFile -> Result<byte[], string>) : Result<DigitSets, string> =
    Mnist.sets (fun file -> MnistFiles.Bytes([| folder |], Func<_, _> fetch, file))

[<Tests>]
let tests =
    testList
        "Data.Mnist"
        [
            testCase "plain and compressed files give the same digits"
            <| fun () ->
                let plain = read (imageFile 3) (labelFile 3)
                read (gzip (imageFile 3)) (gzip (labelFile 3)) |> shouldEqual plain

                match plain with
                | Error message -> failtest message
                | Ok digits ->
                    digits.Labels |> shouldEqual [| 0uy; 1uy; 2uy |]
                    digits.Pixels[784] |> shouldEqual (byte 784)

            testCase "what is wrong with a file is said in one line"
            <| fun () ->
                errorOf (Mnist.images "f" [| 1uy; 2uy |])
                |> shouldEqual "f: 2 bytes; an IDX file with 3 axes has at least 16"

                errorOf (Mnist.images "f" (labelFile 20))
                |> shouldEqual "f: begins with 00000801; an IDX file of bytes with 3 axes begins with 00000803"

                errorOf (Mnist.images "f" (Array.truncate 1000 (imageFile 2)))
                |> shouldEqual "f: 984 bytes after the header, but 2 × 28 × 28 = 1568"

                errorOf (Mnist.images "f" (Array.append (header 0x803 [ 1; 14; 56 ]) (Array.zeroCreate 784)))
                |> shouldEqual "f: images of 14 × 56 pixels; must be 28 × 28"

                errorOf (Mnist.images "f" (Array.append (header 0x803 [ -1; 28; 28 ]) (Array.zeroCreate 784)))
                |> shouldEqual "f: a negative size in -1 × 28 × 28"

                errorOf (read (imageFile 2) (labelFile 3)) |> shouldEqual "labels: 3 labels for 2 images in images"
                errorOf (read (imageFile 0) (labelFile 0)) |> shouldEqual "images: no images"

            testCase "sizes whose product overflows are refused"
            <| fun () ->
                errorOf (Mnist.images "f" (header 0x803 [ Int32.MaxValue; Int32.MaxValue; Int32.MaxValue ]))
                |> shouldStartWith "f: 0 bytes after the header"

            testPropertyWithConfig (samples 500) "no bytes raise an exception"
            <| fun (bytes: byte[]) ->
                for magic in [ [||]; header 0x803 []; header 0x801 []; [| 0x1Fuy; 0x8Buy; 8uy |] ] do
                    let file = Array.append magic bytes
                    Mnist.images "f" file |> ignore
                    Mnist.labels "f" file |> ignore
                    Mnist.verified Mnist.trainImages "f" file |> ignore

            testPropertyWithConfig (samples 300) "a damaged file is an error or digits, never an exception"
            <| fun (seed: int) ->
                let random = (Key.OfSeed(int64 seed)).Stream()
                let files = [| imageFile 2; labelFile 2; gzip (imageFile 2); gzip (labelFile 2) |]
                let file = files[random.NextInt files.Length]
                let cut = file[.. random.NextInt file.Length]

                for _ in 0 .. random.NextInt 4 do
                    cut[random.NextInt cut.Length] <- byte (random.NextInt 256)

                match Mnist.digits ("f", cut) ("f", labelFile 2), Mnist.digits ("f", imageFile 2) ("f", cut) with
                | (Error a, Error b) -> not (a.Contains '\n') && not (b.Contains '\n')
                | (Ok digits, _)
                | (_, Ok digits) -> digits.Pixels.Length = 2 * 784 && digits.Labels.Length = 2

            testCase "a gzip bomb stops at 50 MB"
            <| fun () ->
                errorOf (Mnist.images "f" (gzip (Array.zeroCreate 51_000_000)))
                |> shouldEqual "f: more than 50000000 bytes when uncompressed"

                // EMNIST's files are larger.
                match Mnist.uncompressedTo 60_000_000 "f" (gzip (Array.zeroCreate 51_000_000)) with
                | Ok bytes -> bytes.Length |> shouldEqual 51_000_000
                | Error message -> failtest message

            testCase "the checksum is that of the uncompressed bytes"
            <| fun () ->
                let bytes = [| 1uy; 2uy; 3uy |]

                let file =
                    {
                        Name = "f"
                        Sha256 = "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81"
                    }

                Mnist.verified file "f" bytes |> shouldEqual (Result<byte[], string>.Ok bytes)
                Mnist.verified file "f" (gzip bytes) |> shouldEqual (Result<byte[], string>.Ok bytes)

                errorOf (Mnist.verified file "f" [| 1uy |])
                |> shouldEqual "f: SHA-256 4bf5122f3445… of the uncompressed bytes, not 039058c6f2c0… as MNIST has"

            testCase "without files and network the error says both ways out"
            <| fun () ->
                inFolder (fun folder ->
                    errorOf (from folder (fun _ -> Error "no network"))
                    |> shouldEqual
                        $"train-images-idx3-ubyte.gz isn't in {folder} (no network): put the four MNIST files there, name their folder with --data or SCAE_DATA, or use --digits strokes")

            testCase "gzip data that lost its end is refused, however little is missing"
            <| fun () ->
                for whole in [ gzip (imageFile 3); gzip (labelFile 3) ] do
                    for lost in 1..20 do
                        errorOf (Mnist.uncompressed "f" whole[.. whole.Length - 1 - lost]) |> shouldStartWith "f: "

                errorOf (Mnist.uncompressed "f" (Array.append (gzip (labelFile 3)) [| 7uy |]))
                |> shouldEqual "f: the gzip data is cut off, or something follows it"

            testCase "gzip data in several members is one file, and may not have lost the end of the last"
            <| fun () ->
                let whole = imageFile 5
                // A writer leaves such a member that is closed right after it flushed.
                let nothing =
                    Array.append [| 0x1Fuy; 0x8Buy; 8uy; 0uy; 0uy; 0uy; 0uy; 0uy; 0uy; 3uy; 3uy |] (Array.zeroCreate 9)

                let parts = [ gzip whole[..99]; gzip whole[100..2999]; nothing; gzip whole[3000..] ]
                Mnist.uncompressed "f" (Array.concat parts) |> shouldEqual (Ok whole)
                Mnist.uncompressed "f" (Array.concat [ gzip whole; nothing ]) |> shouldEqual (Ok whole)

                for several in [ Array.concat parts; Array.concat [ gzip whole; nothing ] ] do
                    for lost in 1..19 do
                        errorOf (Mnist.uncompressed "f" several[.. several.Length - 1 - lost]) |> shouldStartWith "f: "

                errorOf (Mnist.uncompressed "f" (Array.concat [ parts[0][.. parts[0].Length - 9]; parts[1] ]))
                |> shouldStartWith "f: "

                errorOf (Mnist.uncompressed "f" (Array.concat [ gzip whole; Array.zeroCreate 512 ]))
                |> shouldEqual "f: the gzip data is cut off, or something follows it"

            testCase "files are found under the names that unpackers give them"
            <| fun () ->
                inFolder (fun folder ->
                    File.WriteAllBytes(Path.Combine(folder, "t10k-images.idx3-ubyte"), imageFile 2)

                    let found =
                        MnistFiles.Bytes([| folder |], Func<_, _>(fun _ -> Error "no network"), Mnist.testImages)

                    errorOf found |> shouldStartWith $"{folder}/t10k-images.idx3-ubyte: SHA-256 ")

            testCase "other images of the same form are taken by their sizes, whatever their classes"
            <| fun () ->
                inFolder (fun folder ->
                    let write name (bytes: byte[]) = File.WriteAllBytes(Path.Combine(folder, name), bytes)
                    let letters = Array.append (header 0x801 [ 3 ]) [| 1uy; 26uy; 255uy |]
                    let pairs () = (MnistFiles.From([| folder |], null)).Pairs()

                    errorOf ((MnistFiles.From([| folder |], null, 0)).Pairs())
                    |> shouldEqual "--digits idx: say with --data or SCAE_DATA in which folder the images are"

                    write "emnist-letters-train-images-idx3-ubyte.gz" (gzip (imageFile 3))
                    write "emnist-letters-train-labels-idx1-ubyte.gz" (gzip letters)
                    write "emnist-letters-test-images-idx3-ubyte.gz" (gzip (imageFile 2))
                    errorOf (pairs ()) |> shouldStartWith $"emnist-letters-t10k-labels-idx1-ubyte isn't in {folder}: "

                    write "emnist-letters-test-labels-idx1-ubyte.gz" (gzip (labelFile 3))
                    errorOf (pairs ()) |> shouldEndWith "3 labels for 2 images in t10k-images-idx3-ubyte"
                    write "emnist-letters-test-labels-idx1-ubyte.gz" (gzip (labelFile 2))

                    match pairs () with
                    | Error message -> failtest message
                    | Ok sets ->
                        sets.Train.Labels |> shouldEqual [| 1uy; 26uy; 255uy |]
                        Digits.count sets.Test |> shouldEqual 2)

            testCase "other images are those of one set, and of the folder that is named"
            <| fun () ->
                inFolder (fun folder ->
                    let write name (bytes: byte[]) = File.WriteAllBytes(Path.Combine(folder, name), bytes)

                    let writeSet prefix train test =
                        write $"{prefix}train-images-idx3-ubyte" (imageFile train)
                        write $"{prefix}train-labels-idx1-ubyte" (labelFile train)
                        write $"{prefix}test-images-idx3-ubyte" (imageFile test)
                        write $"{prefix}test-labels-idx1-ubyte" (labelFile test)

                    let sizes () =
                        let sets = Trained.accepted ((MnistFiles.From([| folder |], null)).Pairs())
                        Digits.count sets.Train, Digits.count sets.Test

                    let refused () = errorOf ((MnistFiles.From([| folder |], null)).Pairs())
                    // MNIST lies in a subfolder, as it does where a folder holds more than one set.
                    Directory.CreateDirectory(Path.Combine(folder, "mnist")) |> ignore
                    writeSet "mnist/" 5 4
                    sizes () |> shouldEqual (5, 4)
                    writeSet "emnist-letters-" 3 2
                    sizes () |> shouldEqual (3, 2)

                    // Half a set isn't completed by another, here or in the subfolder.
                    write "emnist-balanced-train-images-idx3-ubyte" (imageFile 7)
                    sizes () |> shouldEqual (3, 2)
                    File.Delete(Path.Combine(folder, "emnist-letters-test-labels-idx1-ubyte"))

                    refused () |> shouldStartWith $"emnist-letters-t10k-labels-idx1-ubyte isn't in {folder}: "

                    writeSet "emnist-letters-" 3 2
                    writeSet "emnist-balanced-" 7 6

                    refused ()
                    |> shouldStartWith $"{folder} has several sets of images (emnist-balanced, emnist-letters); "

                    writeSet "" 8 1
                    sizes () |> shouldEqual (8, 1))

            testCase "without MNIST stroke digits are used, and a line says so; a damaged MNIST is refused"
            <| fun () ->
                inFolder (fun folder ->
                    let mutable asked = 0

                    let fetch (_: MnistFile) : Result<byte[], string> =
                        asked <- asked + 1
                        Error "no network"

                    let resources = MnistFiles.From([| folder |], Func<_, _> fetch)

                    DigitSource.settle resources [ "epochs", "1"; "digits", "auto" ]
                    |> shouldEqual (
                        [ "digits", "strokes" ],
                        Some "no MNIST (no network): stroke digits serve; --digits mnist insists"
                    )

                    DigitSource.load DigitSource.Auto resources |> shouldEqual (Ok(StrokeDigits.sets ()))
                    errorOf (DigitSource.load DigitSource.Mnist resources) |> shouldContainText "(no network)"
                    // Nobody waits for a network twice.
                    asked |> shouldEqual 1
                    DigitSource.settle resources [ "digits", "mnist" ] |> shouldEqual ([], None)
                    DigitSource.insist [ "digits", "auto" ] |> shouldEqual [ "digits", "mnist" ]
                    DigitSource.insist [ "digits", "strokes" ] |> shouldEqual []

                    for file in [ Mnist.trainImages; Mnist.trainLabels; Mnist.testImages; Mnist.testLabels ] do
                        File.WriteAllBytes(Path.Combine(folder, file.Name), [| 1uy |])

                    let damaged = MnistFiles.From([| folder |], Func<_, _> fetch)
                    DigitSource.settle damaged [ "digits", "auto" ] |> shouldEqual ([ "digits", "mnist" ], None)

                    errorOf (DigitSource.load DigitSource.Auto damaged)
                    |> shouldContainText "delete it, and it is fetched again")

            testCase "a network that never answers is given up after the timeout, or when the wait is cancelled"
            <| fun () ->
                // It takes connections and never answers.
                use silent = new TcpListener(IPAddress.Loopback, 0)
                silent.Start()
                let address = Uri $"http://{silent.LocalEndpoint}/"

                let mirrors patience stop =
                    Mirrors(
                        [| address; address |],
                        TimeSpan.FromMilliseconds(float patience),
                        TimeSpan.FromMinutes 1.0,
                        stop
                    )

                errorOf (mirrors 50 CancellationToken.None |> _.Download(Mnist.testLabels))
                |> shouldEqual "none of 127.0.0.1, 127.0.0.1 can be reached"

                use enough = new CancellationTokenSource(50)

                shouldRaise<OperationCanceledException>(fun () ->
                    mirrors 600_000 enough.Token |> _.Download(Mnist.testLabels) |> ignore)

            testCase "a mirror that stops in the middle of a file is left for the next one"
            <| fun () ->
                // Each takes one connection, waits for something, and answers.
                let serving (before: Threading.Tasks.Task) (answer: byte[]) =
                    let left = Threading.Tasks.TaskCompletionSource()
                    let listener = new TcpListener(IPAddress.Loopback, 0)
                    listener.Start()

                    let serve () =
                        task {
                            use! client = listener.AcceptTcpClientAsync()
                            use stream = client.GetStream()
                            let! _ = stream.ReadAsync(Memory(Array.zeroCreate 4096))
                            do! before
                            do! stream.WriteAsync(ReadOnlyMemory answer)

                            // The connection stays open until the other end closes it, or breaks it off.
                            try
                                let! _ = stream.ReadAsync(Memory(Array.zeroCreate 1))
                                ()
                            finally
                                left.SetResult()
                        }

                    serve () |> ignore
                    listener, Uri $"http://{listener.LocalEndpoint}/", left.Task

                let headers = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"B
                let atOnce = Threading.Tasks.Task.CompletedTask
                let stalled, first, _ = serving atOnce headers
                use _ = stalled
                let patience, quiet = TimeSpan.FromMinutes 1.0, TimeSpan.FromMilliseconds 200.0

                errorOf (Mirrors([| first |], patience, quiet, CancellationToken.None).Download Mnist.testLabels)
                |> shouldEqual $"{first}t10k-labels-idx1-ubyte.gz: nothing came for 0.2 s"

                let stalledAgain, first, left = serving atOnce headers
                use _ = stalledAgain
                let whole, second, _ = serving left (Array.append headers (Array.create 100 1uy))
                use _ = whole

                // The second one is heard, though what it has isn't the file.
                errorOf (
                    Mirrors([| first; second |], patience, quiet, CancellationToken.None).Download Mnist.testLabels
                )
                |> shouldStartWith $"{second}t10k-labels-idx1-ubyte.gz: "

            testCase "a file that isn't the original is refused"
            <| fun () ->
                inFolder (fun folder ->
                    let path = Path.Combine(folder, "train-images-idx3-ubyte")
                    File.WriteAllBytes(path, imageFile 2)

                    errorOf (from folder (fun _ -> Error "no network")) |> shouldStartWith $"{path}: SHA-256 ")

            testCase "the real files are found, and what was fetched is kept"
            <| fun () ->
                match TestDigits.folder with
                | None -> (StrokeDigits.sets ()).Train.Labels.Length |> shouldEqual 10_000
                | Some source ->
                    inFolder (fun cache ->
                        let mutable fetched = 0

                        let fetch (file: MnistFile) =
                            fetched <- fetched + 1
                            Ok(File.ReadAllBytes(Path.Combine(source, file.Name + ".gz")))

                        let first = from cache fetch
                        let second = from cache (fun _ -> Error "must not be asked")
                        fetched |> shouldEqual 4
                        (first = second) |> shouldEqual true

                        match first with
                        | Error message -> failtest message
                        | Ok sets ->
                            Digits.count sets.Train |> shouldEqual 60_000
                            Digits.count sets.Test |> shouldEqual 10_000
                            sets.Train.Labels[..4] |> shouldEqual [| 5uy; 0uy; 4uy; 1uy; 9uy |])
        ]
