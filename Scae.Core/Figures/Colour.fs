namespace Scae.Core.Figures

open System

/// A colour in sRGB with straight (not premultiplied) opacity: A = 0 is invisible, A = 255 is opaque.
[<Struct; RequireQualifiedAccess>]
type Colour =
    {
        /// Red.
        R: byte
        /// Green.
        G: byte
        /// Blue.
        B: byte
        /// Opacity.
        A: byte
    }

/// Making and mixing colours.
[<RequireQualifiedAccess>]
module Colour =

    let private toByte (v: float) : byte =
        if Double.IsNaN v then
            0uy
        else
            byte (Math.Round(255.0 * Math.Clamp(v, 0.0, 1.0)))

    /// An opaque colour from its three channels, 0 to 255.
    let rgb (r: int) (g: int) (b: int) : Colour =
        {
            Colour.R = byte (Math.Clamp(r, 0, 255))
            Colour.G = byte (Math.Clamp(g, 0, 255))
            Colour.B = byte (Math.Clamp(b, 0, 255))
            Colour.A = 255uy
        }

    /// An opaque colour from 0xRRGGBB.
    let hex (rrggbb: int) : Colour = rgb ((rrggbb >>> 16) &&& 255) ((rrggbb >>> 8) &&& 255) (rrggbb &&& 255)

    /// An opaque colour from three channels in [0, 1]; values outside are clamped, NaN counts as 0.
    let ofFloats (r: float) (g: float) (b: float) : Colour =
        {
            Colour.R = toByte r
            Colour.G = toByte g
            Colour.B = toByte b
            Colour.A = 255uy
        }

    /// The same colour with an opacity in [0, 1]; values outside are clamped, NaN counts as 0.
    let withOpacity (opacity: float) (colour: Colour) : Colour = { colour with Colour.A = toByte opacity }

    /// The colour a fraction t of the way from a to b, channel by channel; t is clamped to [0, 1], NaN counts as 0.
    let mix (t: float) (a: Colour) (b: Colour) : Colour =
        let t = if Double.IsNaN t then 0.0 else Math.Clamp(t, 0.0, 1.0)

        let channel (p: byte) (q: byte) = byte (Math.Round((1.0 - t) * float p + t * float q))

        {
            Colour.R = channel a.R b.R
            Colour.G = channel a.G b.G
            Colour.B = channel a.B b.B
            Colour.A = channel a.A b.A
        }

    /// The same hue with its channels further from their mean: the distances are multiplied by 1 + t, t ≥ 0.
    let vivid (t: float) (colour: Colour) : Colour =
        let mean = (float colour.R + float colour.G + float colour.B) / 3.0
        let channel (v: byte) = toByte ((mean + (1.0 + t) * (float v - mean)) / 255.0)

        { colour with
            Colour.R = channel colour.R
            Colour.G = channel colour.G
            Colour.B = channel colour.B
        }

    /// Relative luminance in [0, 1] (WCAG 2.1): 0.2126 R + 0.7152 G + 0.0722 B over linear channels. Ignores opacity.
    let luminance (colour: Colour) : float =
        let linear (v: byte) =
            let c = float v / 255.0

            if c <= 0.04045 then
                c / 12.92
            else
                Math.Pow((c + 0.055) / 1.055, 2.4)

        0.2126 * linear colour.R + 0.7152 * linear colour.G + 0.0722 * linear colour.B

    /// Black.
    let black: Colour = rgb 0 0 0

    /// White.
    let white: Colour = rgb 255 255 255

    /// The grey of text and lines that should stay in the background.
    let grey: Colour = rgb 128 128 128

    /// The grey of points and fills behind the data.
    let lightGrey: Colour = rgb 190 190 190
