namespace Scae.Core.Configuration

/// Helps with mistyped names.
[<RequireQualifiedAccess>]
module Spelling =
    /// The least number of insertions, deletions, replacements and exchanges of neighbours that turn one word into
    /// another (Damerau–Levenshtein, optimal string alignment).
    let distance (a: string) (b: string) : int =
        let cost =
            Array2D.init (a.Length + 1) (b.Length + 1) (fun i j ->
                if i = 0 then j
                elif j = 0 then i
                else 0)

        for i in 1 .. a.Length do
            for j in 1 .. b.Length do
                let replaced = if a[i - 1] = b[j - 1] then 0 else 1

                cost[i, j] <- min (min (cost[i - 1, j] + 1) (cost[i, j - 1] + 1)) (cost[i - 1, j - 1] + replaced)

                if i > 1 && j > 1 && a[i - 1] = b[j - 2] && a[i - 2] = b[j - 1] then
                    cost[i, j] <- min cost[i, j] (cost[i - 2, j - 2] + 1)

        cost[a.Length, b.Length]

    /// "; did you mean X?" when some known name is near, else "; there are: …".
    let nearest (name: string) (known: string list) : string =
        match known with
        | [] -> ""
        | _ ->
            let best = known |> List.minBy (distance name)

            if distance name best <= max 2 (name.Length / 3) then
                $"; did you mean {best}?"
            else
                $"""; there are: {String.concat ", " known}"""

    /// "an integer", "a number".
    let withArticle (noun: string) : string =
        if noun <> "" && "aeiou".Contains noun[0] then
            $"an {noun}"
        else
            $"a {noun}"
