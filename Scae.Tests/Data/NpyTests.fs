module Scae.Tests.Data.NpyTests

open System
open System.IO
open System.IO.Compression
open System.Text
open Scae.Tests.Claims
open Expecto
open Scae.Core.Data

/// A .npy file as NumPy writes it.
let private npy (version: int) (header: string) (elements: byte[]) =
    let text = Encoding.ASCII.GetBytes(header + "\n")

    Array.concat
        [
            [| 0x93uy |]
            Encoding.ASCII.GetBytes "NUMPY"
            [| byte version; 0uy |]
            if version = 1 then
                BitConverter.GetBytes(uint16 text.Length)
            else
                BitConverter.GetBytes(uint32 text.Length)
            text
            elements
        ]

let private described (descr: string) (order: string) (shape: string) =
    $"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({shape}), }}"

let private header (bytes: byte[]) = Npy.header "a.npy" (new MemoryStream(bytes))

let private zip (entries: (string * byte[]) list) =
    let memory = new MemoryStream()

    do
        use archive = new ZipArchive(memory, ZipArchiveMode.Create, true)

        for name, bytes in entries do
            use stream = (archive.CreateEntry name).Open()
            stream.Write(bytes, 0, bytes.Length)

    memory.Position <- 0L
    memory

let private read (archive: Stream) =
    SpriteArchive.read "sprites.npz" archive |> Result.map (fun sprites -> sprites.Pixels.Length)

/// Elements after a header, made as they are read: the true file has 3 GB of them.
type private Source(start: byte[], image: int -> byte[]) =
    inherit Stream()
    let mutable at = 0L
    let length = int64 start.Length + 737_280L * 4096L
    let mutable present = -1, [||]

    override _.CanRead = true
    override _.CanSeek = false
    override _.CanWrite = false
    override _.Length = length

    override _.Position
        with get () = at
        and set _ = raise (NotSupportedException())

    override _.Flush() = ()
    override _.Seek(_, _) = raise (NotSupportedException())
    override _.SetLength _ = raise (NotSupportedException())
    override _.Write(_: byte[], _: int, _: int) = raise (NotSupportedException())

    override _.Read(buffer: byte[], offset: int, count: int) =
        if at < int64 start.Length then
            let take = min count (start.Length - int at)
            Array.blit start (int at) buffer offset take
            at <- at + int64 take
            take
        else
            let place = at - int64 start.Length
            let number, within = int (place / 4096L), int (place % 4096L)

            if number >= 737_280 then
                0
            else
                if fst present <> number then
                    present <- number, image number

                let take = min count (4096 - within)
                Array.blit (snd present) within buffer offset take
                at <- at + int64 take
                take

[<Tests>]
let tests =
    testList
        "Data.Npy"
        [
            for version in 1..3 do
                testCase $"type, sizes and elements are read (version {version})"
                <| fun () ->
                    let stream = new MemoryStream(npy version (described "<i8" "False" "2, 3") [| 7uy; 8uy |])

                    match Npy.header "a.npy" stream with
                    | Ok header ->
                        header.Descr |> shouldEqual "<i8"
                        header.Shape |> shouldEqual [| 2L; 3L |]
                        stream.ReadByte() |> shouldEqual 7
                    | Error message -> failtest message

            testCase "a number has no sizes, a row has one"
            <| fun () ->
                header (npy 1 (described "|u1" "False" "") [||]) |> shouldEqual (Ok { Descr = "|u1"; Shape = [||] })

                header (npy 1 (described "|u1" "False" "5,") [||])
                |> shouldEqual (Ok { Descr = "|u1"; Shape = [| 5L |] })

            testCase "any other input is refused in one line"
            <| fun () ->
                let good = npy 1 (described "|u1" "False" "5,") [||]
                header [||] |> shouldEqual (Error "a.npy: doesn't begin as a .npy file")

                header [| 1uy; 2uy; 3uy; 4uy; 5uy; 6uy; 7uy; 8uy; 9uy |]
                |> shouldEqual (Error "a.npy: doesn't begin as a .npy file")

                header (Array.mapi (fun i b -> if i = 6 then 9uy else b) good)
                |> shouldEqual (Error "a.npy: version 9 of the .npy format; must be 1, 2 or 3")

                header good[..9] |> shouldEqual (Error "a.npy: ends within its header")
                header good[..8] |> shouldEqual (Error "a.npy: no header")

                header (npy 1 "{}" [||])
                |> shouldEqual (Error "a.npy: its header doesn't say descr, fortran_order and shape")

                header (npy 1 (described "|u1" "True" "5, 2") [||])
                |> shouldEqual (Error "a.npy: stored column by column; must be row by row")

                header (npy 1 (described "|u1" "False" "99999999999999999999") [||])
                |> shouldEqual (Error "a.npy: the shape (99999999999999999999) isn't one")

            testCase "archives that aren't dSprites are refused in one line"
            <| fun () ->
                read (new MemoryStream([| 1uy; 2uy |])) |> shouldEqual (Error "sprites.npz: not a .npz archive")
                read (zip [ "other.npy", [||] ]) |> shouldEqual (Error "sprites.npz: has no array imgs")

                read (zip [ "imgs.npy", npy 1 (described "|u1" "False" "10, 64, 64") [||] ])
                |> shouldEqual (Error "sprites.npz, imgs: 10 × 64 × 64 of type |u1; must be 737280 × 64 × 64 of |u1")

                read (zip [ "imgs.npy", npy 1 (described "|u1" "False" "737280, 64, 64") [| 0uy |] ])
                |> shouldEqual (Error "sprites.npz, imgs: damaged")

            testCase "the used images of a stored set come to their places, and another order is noticed"
            <| fun () ->
                let start = npy 1 (described "|u1" "False" "737280, 64, 64") [||]

                let blank, image = Array.zeroCreate<byte> Sprites.Pixels, Array.zeroCreate<byte> Sprites.Pixels

                let stored (swap: bool) (number: int) =
                    let y, x = number % 32, number / 32 % 32
                    let rest = number / 1024

                    // Only what is used is drawn, for speed, and one image is looked at at a time.
                    if y % 2 = 0 && x % 2 = 0 && rest % 40 % 2 = 0 then
                        Sprites.draw
                            {
                                Shape = Sprites.shapes[rest / 240]
                                Scale = rest / 40 % 6
                                Orientation = rest % 40
                                X = if swap then y else x
                                Y = if swap then x else y
                            }
                            (Span image)

                        image
                    else
                        blank

                let imported (swap: bool) =
                    use source = new Source(start, stored swap)

                    Npy.header "imgs" source
                    |> Result.bind (fun header -> SpriteArchive.images "sprites.npz" header source)

                match imported false with
                | Error message -> failtest message
                | Ok sprites ->
                    for image in [ 0; 12_345; 50_624 ] do
                        let expected = Array.zeroCreate<byte> Sprites.Pixels
                        Sprites.draw (Sprites.stored (Sprites.factors image)) (Span expected)
                        Array.sub sprites.Pixels (image * Sprites.Pixels) Sprites.Pixels |> shouldEqual expected

                match imported true with
                | Error message -> message |> shouldStartWith "sprites.npz, imgs: the image with factors"
                | Ok _ -> failtest "another order wasn't noticed"
        ]
