namespace Scae.Core.CommandLine

open System

/// Fits a page of help, which is laid out for 80 columns, to other widths.
[<RequireQualifiedAccess>]
module Page =
    // Lines that are indented further than this continue the line above. The meanings of examples, indented by 8, are
    // lines of their own.
    let private deepest = 8

    // A column of descriptions narrower than this is no help to anybody.
    let private narrowest = 24

    let private indentOf (line: string) = line.Length - line.TrimStart().Length

    /// Groups each line with the lines that continue it.
    let private paragraphs (lines: string list) : string list list =
        (lines, [])
        ||> List.foldBack (fun line rest ->
            match rest with
            | (next: string :: _ as paragraph) :: others when indentOf next > deepest && line.Trim() <> "" ->
                (line :: paragraph) :: others
            | _ -> [ line ] :: rest)

    /// Breaks a text into lines of at most the given width, unless a single word is longer. The first line has
    /// another indent than the others.
    let private wrap (width: int) (first: int) (others: int) (text: string) : string list =
        let lines, line =
            (([], String(' ', first)), text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            ||> Array.fold (fun (lines, line: string) word ->
                if line.Trim() = "" then
                    lines, line + word
                elif line.Length + 1 + word.Length <= width then
                    lines, $"{line} {word}"
                else
                    line :: lines, String(' ', others) + word)

        List.rev (line :: lines)

    let private fitted (width: int) (lines: string list) : string list =
        let first = lines.Head
        let indent = min (indentOf first) (width / 8)
        let body = first.TrimStart()

        match body.IndexOf "  " with
        | -1 ->
            let text = lines |> List.map _.Trim() |> String.concat " "
            let hanging = if text.StartsWith "USAGE" then indent + 2 else indent
            wrap width indent hanging text
        | at ->
            let meaning = body[at..].Trim() :: (lines.Tail |> List.map _.Trim()) |> String.concat " "
            let column = first.Length - body[at..].TrimStart().Length
            let longest = meaning.Split ' ' |> Array.map _.Length |> Array.max

            if column + max narrowest longest <= width then
                match wrap width column column meaning with
                | top :: rest -> (first[.. column - 1] + top.Trim()) :: rest
                | [] -> [ first ]
            else
                wrap width indent indent body[.. at - 1] @ wrap width (indent + 2) (indent + 2) meaning

    /// The page in the given number of columns. Longer lines are wrapped between words. The meaning of an option
    /// continues in its own column or, if that leaves too little room, goes below the option. Lines that fit stay as
    /// they are.
    let fit (width: int) (page: string) : string =
        page.Split '\n'
        |> List.ofArray
        |> paragraphs
        |> List.collect (fun lines ->
            if lines |> List.forall (fun line -> line.Length <= width) then
                lines
            else
                fitted width lines)
        |> String.concat "\n"
