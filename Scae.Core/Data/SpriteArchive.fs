namespace Scae.Core.Data

open System
open System.IO

/// Reads the published file of dSprites from a stream, and keeps the images that are used.
[<RequireQualifiedAccess>]
module SpriteArchive =
    /// The file's name.
    [<Literal>]
    let FileName = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"

    // Stored images: three shapes, six scales, 40 orientations, 32 × 32 places.
    [<Literal>]
    let private Stored = 737_280

    // A frame drawn by our own geometry may differ from the stored one by so many pixels; with another order of the
    // factors, hundreds would differ.
    [<Literal>]
    let private MostDifferent = 24

    /// The number of a stored image among the used ones; none if it isn't used.
    let private place (stored: int) : int voption =
        let y, rest = stored % 32, stored / 32
        let x, rest = rest % 32, rest / 32
        let orientation, rest = rest % 40, rest / 40
        let scale, shape = rest % 6, rest / 6
        let isUsed (value: int) = value % 2 = 0 && value <= 28

        if scale > 0 && isUsed orientation && isUsed x && isUsed y then
            ValueSome(Sprites.index [| shape; scale - 1; orientation / 2; x / 2; y / 2 |])
        else
            ValueNone

    let private differences (image: int) (pixels: byte[]) : int =
        let ours = Array.zeroCreate<byte> Sprites.Pixels
        Sprites.draw (Sprites.stored (Sprites.factors image)) (Span ours)
        let theirs = ReadOnlySpan(pixels, image * Sprites.Pixels, Sprites.Pixels)
        let mutable count = 0

        for i in 0 .. ours.Length - 1 do
            if ours[i] <> theirs[i] then
                count <- count + 1

        count

    /// Checks that pixels are 0 or 1, and that images are in the expected places.
    let private verified (name: string) (pixels: byte[]) : Result<Sprites, string> =
        if ReadOnlySpan(pixels).IndexOfAnyExceptInRange(0uy, 1uy) >= 0 then
            Error $"{name}, imgs: a pixel that is neither 0 nor 1"
        else
            match
                Seq.tryFind (fun image -> differences image pixels > MostDifferent) [ 0..97 .. Sprites.Count - 1 ]
            with
            | Some image ->
                let factors = Sprites.factors image |> Array.map string |> String.concat ", "
                Error $"{name}, imgs: the image with factors {factors} isn't dSprites'"
            | None -> Ok { Pixels = pixels }

    /// The images that are used, from the header and the elements of the stored array. The error is one line that
    /// begins with the name. Raises EndOfStreamException if there are fewer elements than the header says.
    let images (name: string) (header: NpyHeader) (stream: Stream) : Result<Sprites, string> =
        let shape = header.Shape |> Array.map string |> String.concat " × "

        if header.Descr <> "|u1" || header.Shape <> [| int64 Stored; 64L; 64L |] then
            Error $"{name}, imgs: {shape} of type {header.Descr}; must be {Stored} × 64 × 64 of |u1"
        else
            let pixels = Array.zeroCreate<byte>(Sprites.Count * Sprites.Pixels)
            let image = Array.zeroCreate<byte> Sprites.Pixels

            for stored in 0 .. Stored - 1 do
                stream.ReadExactly(Span image)

                match place stored with
                | ValueSome at -> image.CopyTo(pixels, at * Sprites.Pixels)
                | ValueNone -> ()

            verified name pixels

    /// The images of the published file that are used. The error is one line that begins with the name.
    let read (name: string) (stream: Stream) : Result<Sprites, string> =
        Npy.archive name stream (fun archive -> Npy.entry name archive "imgs" (images name))
