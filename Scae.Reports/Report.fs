namespace Scae.Reports

open System
open System.IO
open System.Reflection
open Giraffe.ViewEngine

/// A table: the texts of its head and of its rows.
type Table = { Columns: string list; Rows: string list list }

/// A picture: the bytes of a file that browsers show.
type Picture =
    {
        Caption: string
        /// Such as image/png.
        MediaType: string
        /// Its width on a screen, in pixels as style sheets count them.
        Width: int
        Bytes: byte[]
    }

/// A hyperparameter of a run, and the preset's value where that is another.
type ReportedSetting = { Name: string; Value: string; Preset: string option }

/// A run within a section.
type ReportedRun =
    {
        /// How the section calls it.
        Name: string
        /// What it is in a sentence: steps, time, version.
        Summary: string
        /// The command that repeats it.
        Command: string
        Settings: ReportedSetting list
        Pictures: Picture list
        /// What is left out, and why; "" where nothing is.
        Omitted: string
    }

/// The runs of one experiment.
type ReportSection =
    {
        Title: string
        /// The experiment in a sentence.
        Summary: string
        /// The paper that it reproduces.
        Paper: string
        /// Figures of merit beside what was published and what is aimed at.
        Results: Table
        /// What is said below them; "" for nothing.
        Note: string
        /// What colour is which run in the charts.
        Key: (string * int) list
        Charts: Chart list
        Runs: ReportedRun list
    }

/// Everything that a report shows.
type Report = { Title: string; Sections: ReportSection list; Version: string }

/// A report as one HTML file, which needs no network when it is opened.
[<RequireQualifiedAccess>]
module Report =
    /// How many bytes pictures may have together: with them as base64, and curves, a report of some hundred runs has 5 MB at most.
    [<Literal>]
    let PictureBytes = 2_600_000

    // What is left for curves, and what a point takes in the drawing and in the script's numbers.
    [<Literal>]
    let private CurveBytes = 1_200_000

    [<Literal>]
    let private BytesPerPoint = 55

    let private embedded (name: string) : string =
        use reader = new StreamReader(nonNull (Assembly.GetExecutingAssembly().GetManifestResourceStream name))

        reader.ReadToEnd()

    let private tableOf (rows: Table) : XmlNode =
        div
            [ _class "scroll" ]
            [
                table
                    []
                    [
                        thead [] [ tr [] [ for column in rows.Columns -> th [ attr "scope" "col" ] [ str column ] ] ]
                        tbody
                            []
                            [
                                for row in rows.Rows ->
                                    tr
                                        []
                                        [
                                            for i, cell in List.indexed row ->
                                                // A line break starts a new line within the cell.
                                                let lines =
                                                    [
                                                        for j, line in Seq.indexed (cell.Split '\n') do
                                                            if j > 0 then
                                                                br []

                                                            str line
                                                    ]

                                                if i = 0 then
                                                    th [ attr "scope" "row" ] lines
                                                else
                                                    td [] lines
                                        ]
                            ]
                    ]
            ]

    let private settings (settings: ReportedSetting list) : XmlNode =
        details
            []
            [
                summary [] [ str $"{settings.Length} hyperparameters" ]
                dl
                    [ _class "settings" ]
                    [
                        for setting in settings do
                            let changed = if setting.Preset.IsSome then [ _class "changed" ] else []
                            dt changed [ str setting.Name ]

                            dd
                                changed
                                [
                                    str setting.Value
                                    match setting.Preset with
                                    | Some preset -> small [] [ str $" the preset has {preset}" ]
                                    | None -> ()
                                ]
                    ]
            ]

    let private picture (picture: Picture) : XmlNode =
        figure
            [ _class "picture" ]
            [
                img
                    [
                        _src $"data:{picture.MediaType};base64,{Convert.ToBase64String picture.Bytes}"
                        _alt picture.Caption
                        _width (string picture.Width)
                    ]
                figcaption [] [ str picture.Caption ]
            ]

    let private run (run: ReportedRun) : XmlNode =
        section
            [ _class "run" ]
            [
                h3 [] [ str run.Name ]
                p [] [ str run.Summary ]
                pre [] [ code [] [ str run.Command ] ]
                settings run.Settings
                div [ _class "pictures" ] (List.map picture run.Pictures)
                if run.Omitted <> "" then
                    p [ _class "note" ] [ str run.Omitted ]
            ]

    let private sectionOf (mostPoints: int) (part: ReportSection) : XmlNode =
        section
            []
            [
                h2 [] [ str part.Title ]
                p [] [ str part.Summary ]
                p [ _class "note" ] [ str part.Paper ]
                if not part.Results.Rows.IsEmpty then
                    tableOf part.Results
                if part.Note <> "" then
                    p [ _class "note" ] [ str part.Note ]
                if part.Key.Length > 1 then
                    Chart.key part.Key
                div [ _class "charts" ] (List.map (Chart.view mostPoints) part.Charts)
                yield! List.map run part.Runs
            ]

    /// Whether a text is that of a report.
    let isReport (text: string) : bool = text.Contains("name=\"generator\" content=\"scae ", StringComparison.Ordinal)

    /// The file's text. A report of the same runs is the same to the byte.
    let html (report: Report) : string =
        let curves = report.Sections |> List.sumBy (fun part -> part.Charts |> List.sumBy _.Curves.Length)

        let mostPoints = Math.Clamp(CurveBytes / BytesPerPoint / max 1 curves, 8, 400)

        html
            [ _lang "en" ]
            [
                head
                    []
                    [
                        meta [ _charset "utf-8" ]
                        meta [ _name "viewport"; _content "width=device-width, initial-scale=1" ]
                        meta [ _name "color-scheme"; _content "light dark" ]
                        meta [ _name "generator"; _content $"scae {report.Version}" ]
                        title [] [ str report.Title ]
                        // An icon of its own keeps a browser from asking for one.
                        link [ _rel "icon"; _href "data:," ]
                        style [] [ rawText (embedded "report.css") ]
                    ]
                body
                    []
                    [
                        h1 [] [ str report.Title ]
                        yield! List.map (sectionOf mostPoints) report.Sections
                        footer [] [ str $"Written by scae {report.Version}." ]
                        script [] [ rawText (embedded "report.js") ]
                    ]
            ]
        |> RenderView.AsString.htmlDocument
