namespace Scae.Core.Figures

open System

/// Maps numbers to colours: evenly spaced stops over [0, 1], with linear interpolation between them.
[<RequireQualifiedAccess>]
type ColourMap =
    {
        /// The map's name, as in reports.
        Name: string
        /// At least two colours, from 0 to 1.
        Stops: Colour[]
        /// The colour of NaN.
        Missing: Colour
    }

/// The colour maps and how to look a value up in them.
[<RequireQualifiedAccess>]
module ColourMap =

    let internal hexes (colours: string) : Colour[] =
        colours.Split([| ' '; '\n' |], StringSplitOptions.RemoveEmptyEntries)
        |> Array.map (fun colour -> Colour.hex (Convert.ToInt32(colour, 16)))

    let private make (name: string) (missing: int) (stops: string) : ColourMap =
        {
            ColourMap.Name = name
            ColourMap.Stops = hexes stops
            ColourMap.Missing = Colour.hex missing
        }

    /// Black to white; luminance increases. NaN is a muted red, which no grey is.
    let grey: ColourMap = make "grey" 0xC98A8A "000000 FFFFFF"

    /// Viridis (van der Walt and Smith 2015) at ten stops; luminance increases. NaN is light grey.
    let viridis: ColourMap =
        make "viridis" 0xBEBEBE "440154 482878 3E4989 31688E 26828E 1F9E89 35B779 6ECE58 B5DE2B FDE725"

    /// White to dark blue (ColorBrewer Blues), for confusion matrices; luminance decreases. NaN is light grey.
    let blues: ColourMap =
        make "blues" 0xD0D0D0 "F7FBFF DEEBF7 C6DBEF 9ECAE1 6BAED6 4292C6 2171B5 08519C 08306B"

    /// Blue over near-white to red (ColorBrewer RdBu, reversed), for signed values around the middle of the limits;
    /// luminance rises to the middle and falls after it. NaN is grey.
    let diverging: ColourMap =
        make "diverging" 0x909090 "053061 2166AC 4393C3 92C5DE D1E5F0 F7F7F7 FDDBC7 F4A582 D6604D B2182B 67001F"

    /// A circle in CIELAB (lightness 66, chroma 46) for phases and angles: 0 and 1 have the same colour, and no
    /// phase is brighter than another. NaN is light grey.
    let cyclic: ColourMap =
        make
            "cyclic"
            0xD0D0D0
            "EC7EA2 EF7F8D ED8279 E58868 DA8F5A CB9750 B99E4C A5A54E 8FAA56 77AF64 5BB276 36B48A
             00B59F 00B6B4 00B5C8 00B3DA 00AFE7 0BABF0 58A5F3 829EF0 A396E8 BE8EDB D386CA E381B7
             EC7EA2"

    /// The colour at t in [0, 1]. Values below 0 and above 1, infinities included, take the first and the last
    /// stop; NaN takes the map's colour for missing values.
    let at (map: ColourMap) (t: float) : Colour =
        if Double.IsNaN t then
            map.Missing
        else
            let last = map.Stops.Length - 1
            let position = Math.Clamp(t, 0.0, 1.0) * float last
            let i = min (int position) (last - 1)
            Colour.mix (position - float i) map.Stops[i] map.Stops[i + 1]

    /// The colour of a value between limits (low, high), which map to 0 and 1. Equal limits put every value in the
    /// middle of the map.
    let between (map: ColourMap) (low: float, high: float) (value: float) : Colour =
        if Double.IsNaN value then map.Missing
        elif low = high then at map 0.5
        else at map ((value - low) / (high - low))

/// Colours for categories: slots, capsules, attention steps, series.
[<RequireQualifiedAccess>]
module Palette =

    /// Okabe and Ito (2008), safe for the common kinds of colour blindness: orange, sky blue, bluish green, yellow,
    /// blue, vermilion, reddish purple, black.
    let okabeIto: Colour[] =
        [| 0xE69F00; 0x56B4E9; 0x009E73; 0xF0E442; 0x0072B2; 0xD55E00; 0xCC79A7; 0x000000 |]
        |> Array.map Colour.hex

    /// Orange of Okabe and Ito.
    let orange: Colour = okabeIto[0]

    /// Sky blue of Okabe and Ito.
    let skyBlue: Colour = okabeIto[1]

    /// Bluish green of Okabe and Ito.
    let green: Colour = okabeIto[2]

    /// Yellow of Okabe and Ito; too light for thin lines on white.
    let yellow: Colour = okabeIto[3]

    /// Blue of Okabe and Ito.
    let blue: Colour = okabeIto[4]

    /// Vermilion of Okabe and Ito.
    let vermilion: Colour = okabeIto[5]

    /// Reddish purple of Okabe and Ito.
    let purple: Colour = okabeIto[6]

    /// Okabe and Ito's colours in the order in which lines and points on white are easiest to tell apart: blue,
    /// orange, green, vermilion, sky blue, purple, black, yellow.
    let categorical: Colour[] = [| blue; orange; green; vermilion; skyBlue; purple; okabeIto[7]; yellow |]

    /// The colour of category i ≥ 0; repeats after eight.
    let category (i: int) : Colour =
        categorical[((i % categorical.Length) + categorical.Length) % categorical.Length]

    /// Ten colours for the ten digits (Category10 of D3, Tableau's). On white any two can be told apart, though not
    /// by the colour-blind.
    let digits: Colour[] =
        ColourMap.hexes "1F77B4 FF7F0E 2CA02C D62728 9467BD 8C564B E377C2 7F7F7F BCBD22 17BECF"

    /// The colour of digit i; repeats after ten.
    let digit (i: int) : Colour = digits[((i % digits.Length) + digits.Length) % digits.Length]

    /// Twelve colours for regions on a light ground, where overlaps get darker. Any two can be told apart.
    let regions: Colour[] =
        ColourMap.hexes "0072B2 E69F00 009E73 D62728 9467BD 56B4E9 F0E442 8C564B E377C2 7F7F7F 17BECF A6D854"

    /// The colour of category i among `count`: from `category` for at most eight, otherwise from `regions`, which
    /// repeats after twelve.
    let categoryOf (count: int) (i: int) : Colour =
        if count <= categorical.Length then
            category i
        else
            regions[((i % regions.Length) + regions.Length) % regions.Length]

    // A turn by the golden section of the circle puts each hue as far as possible from the previous ones.
    let private turn = (sqrt 5.0 - 1.0) / 2.0

    // Ten colours on black, any two of which can be told apart, by the colour-blind, too.
    let private tenOnBlack: Colour[] =
        ColourMap.hexes "99FF99 9933FF FF99FF FFFF00 CC3300 009999 FF9900 6666CC 999966 CCFFFF"

    // Hues a golden section apart, every other one mixed with white.
    let private golden (i: int) : Colour =
        let hue = float i * turn - floor (float i * turn)
        let base' = ColourMap.at ColourMap.cyclic hue
        let strong = Colour.vivid 0.55 base'

        if i % 2 = 0 then
            strong
        else
            Colour.mix 0.45 strong Colour.white

    /// The colour of number i ≥ 0 of many, on black. The first ten are easy to tell apart. Any number of them differ,
    /// neighbours most.
    let many (i: int) : Colour = if i < tenOnBlack.Length then tenOnBlack[i] else golden i
