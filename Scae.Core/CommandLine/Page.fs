namespace Scae.Core.CommandLine

open System

/// A page of help, laid out for 80 columns, in terminals of other widths.
[<RequireQualifiedAccess>]
module Page =
    // Lines indented further than this go on with the line above; examples' meanings, at 8, stand for themselves.
    let private deepest = 8

    // A column of descriptions narrower than this is no help to anybody.
    let private narrowest = 24

    let private indentOf (line: string) = line.Length - line.TrimStart().Length

    /// Lines with those that go on with them.
    let private paragraphs (lines: string list) : string list list =
        (lines, [])
        ||> List.foldBack (fun line rest ->
            match rest with
            | (next: string :: _ as paragraph) :: others when indentOf next > deepest && line.Trim() <> "" ->
                (line :: paragraph) :: others
            | _ -> [ line ] :: rest)

    /// Words in lines of at most a width, where no word is longer, the first line indented otherwise than the others.
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

    /// The page in so many columns: longer lines are wrapped between words, under the column of what options mean or, where
    /// that leaves no room, below the option. Lines that fit stay as they are.
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
