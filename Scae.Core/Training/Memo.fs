namespace Scae.Core.Training

open System.Collections.Generic

/// Functions that remember their results.
[<RequireQualifiedAccess>]
module Memo =
    /// The same function, called only once for each argument.
    let once<'key, 'value when 'key: equality and 'key: not null> (find: 'key -> 'value) : 'key -> 'value =
        let known = Dictionary<'key, 'value>()

        fun key ->
            match known.TryGetValue key with
            | true, value -> value
            | _ ->
                let value = find key
                known[key] <- value
                value
