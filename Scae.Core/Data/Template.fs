namespace Scae.Core.Data

/// A named set of points in the plane, centred on its mean. Capsules draw templates, and scenes are made of them.
type Template = { Name: string; Points: struct (float * float)[] }

/// Template sets are data: a model and a generator take whichever they are given.
[<RequireQualifiedAccess>]
module Template =
    /// A template moved so that the mean of its points is the origin. Raises ArgumentException without points.
    let create (name: string) (points: (float * float) list) : Template =
        if points.IsEmpty then
            invalidArg (nameof points) $"template {name} has no points"

        let meanX, meanY = points |> List.averageBy fst, points |> List.averageBy snd

        {
            Name = name
            Points = points |> List.map (fun (x, y) -> struct (x - meanX, y - meanY)) |> Array.ofList
        }

    /// The unit square.
    let square = create "square" [ 0.0, 0.0; 1.0, 0.0; 0.0, 1.0; 1.0, 1.0 ]

    /// A triangle of base and height 1 with an extra point in the middle of its base.
    let triangleWithExtra = create "triangle with extra" [ 0.0, 0.0; 1.0, 0.0; 0.5, 1.0; 0.5, 0.0 ]

    /// An equilateral triangle of side 1 (its height rounded as in the published program).
    let triangle = create "triangle" [ 0.0, 0.0; 1.0, 0.0; 0.5, 0.866 ]

    /// The published set: 4 + 4 + 3 = 11 points.
    let published: Template list = [ square; triangleWithExtra; triangle ]

    /// Three points in line at equal distances.
    let private line = create "line" [ 0.0, 0.0; 0.5, 0.0; 1.0, 0.0 ]

    /// A letter L: three points up, one to the right.
    let private corner = create "corner" [ 0.0, 0.0; 0.0, 0.5; 0.0, 1.0; 0.5, 0.0 ]

    /// The published set and two more: 4 + 4 + 3 + 3 + 4 = 18 points.
    let five: Template list = published @ [ line; corner ]

    /// The number of points of a set.
    let pointCount (templates: Template list) : int = templates |> List.sumBy _.Points.Length

    /// For each point of a set, in order, the index of its template.
    let owners (templates: Template list) : int[] =
        templates |> List.mapi (fun k template -> Array.create template.Points.Length k) |> Array.concat

    /// The order of the points in which lines through them make the template's outline: by angle around the mean.
    let outline (template: Template) : int[] =
        Array.init template.Points.Length id
        |> Array.sortBy (fun i ->
            let struct (x, y) = template.Points[i]
            System.Math.Atan2(y, x))
