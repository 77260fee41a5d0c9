namespace Scae.Core.Metrics

open System
open Scae.Tensors

/// How points are laid out in the plane.
type TSneConfig =
    {
        /// Roughly how many neighbours a point has; at most a third of the other points.
        Perplexity: float
        Rounds: int
        /// How much more strongly neighbours attract each other in the first rounds.
        Exaggeration: float
        ExaggeratedRounds: int
        /// How coarsely far points are taken together, from 0, which is exact, to 0.7. Beyond 1/√2 a square may be far from a point
        /// that lies in it.
        Theta: float
    }

/// The rows of a matrix with few elements other than 0: row i has columns and values from starts[i] to starts[i + 1] − 1.
type private SparseRows = { Starts: int[]; Columns: int[]; Values: float[] }

/// t-distributed stochastic neighbour embedding (van der Maaten & Hinton 2008) with Barnes–Hut sums (van der Maaten 2014).
[<RequireQualifiedAccess>]
module TSne =
    /// Perplexity 50 as for the paper's picture, and scikit-learn's defaults.
    let published: TSneConfig =
        {
            Perplexity = 50.0
            Rounds = 1000
            Exaggeration = 12.0
            ExaggeratedRounds = 250
            Theta = 0.5
        }

    /// p_j|i from squared distances to the nearest others, such that its entropy is ln perplexity; found by bisection.
    let private conditional (entropy: float) (squares: float[]) : float[] =
        let least = squares[0]

        let at (beta: float) =
            let weights = squares |> Array.map (fun d -> exp (-beta * (d - least)))
            let sum = Array.sum weights
            let p = weights |> Array.map (fun w -> w / sum)
            p, log sum + beta * Array.sum (Array.map2 (fun p d -> p * (d - least)) p squares)

        let rec search round low high beta =
            let p, h = at beta

            if round = 100 || abs (h - entropy) < 1e-6 then
                p
            elif h > entropy then
                search
                    (round + 1)
                    beta
                    high
                    (if Double.IsInfinity high then
                         2.0 * beta
                     else
                         (beta + high) / 2.0)
            else
                search (round + 1) low beta ((low + beta) / 2.0)

        // The search starts in units of the distances themselves, so that their scale doesn't matter.
        let spread = Array.average squares - least
        search 0 0.0 infinity (if spread > 0.0 then 1.0 / spread else 1.0)

    /// Each point's neighbours in ascending order, and their p_j|i / 2n.
    let private shares (perplexity: float) (points: float[][]) : struct (int[] * float[])[] =
        let n = points.Length
        let neighbours = NearestNeighbours.among (min (n - 1) (int (3.0 * perplexity) + 1)) points

        match neighbours.Indices |> Array.tryFindIndex (Array.exists (fun i -> i < 0)) with
        | Some i -> invalidArg (nameof points) $"t-SNE: the distance of point {i} from others isn't finite"
        | None -> ()

        Array.map2
            (fun (indices: int[]) (squares: float[]) ->
                let shares = conditional (log perplexity) squares |> Array.map (fun p -> p / (2.0 * float n))
                let indices = Array.copy indices
                Array.Sort(indices, shares)
                struct (indices, shares))
            neighbours.Indices
            neighbours.Squares

    /// The transposed rows: for each point, in order, the points whose neighbour it is, and its shares in them.
    let private turned (rows: struct (int[] * float[])[]) : SparseRows =
        let starts = Array.zeroCreate<int>(rows.Length + 1)

        for struct (indices, _) in rows do
            for j in indices do
                starts[j + 1] <- starts[j + 1] + 1

        for j in 1 .. rows.Length do
            starts[j] <- starts[j] + starts[j - 1]

        let columns = Array.zeroCreate<int> starts[rows.Length]
        let values = Array.zeroCreate<float> columns.Length
        let filled = Array.truncate rows.Length starts

        for i in 0 .. rows.Length - 1 do
            let struct (indices, shares) = rows[i]

            for a in 0 .. indices.Length - 1 do
                let at = filled[indices[a]]
                columns[at] <- i
                values[at] <- shares[a]
                filled[indices[a]] <- at + 1

        { Starts = starts; Columns = columns; Values = values }

    /// P symmetrised, (p_j|i + p_i|j) / 2n. A row merges a point's own neighbours with the points whose neighbour it is.
    let private affinities (perplexity: float) (points: float[][]) : SparseRows =
        let own = shares perplexity points
        let given = turned own
        let starts = Array.zeroCreate<int>(points.Length + 1)

        let columns, values =
            ResizeArray<int>(2 * given.Columns.Length), ResizeArray<float>(2 * given.Columns.Length)

        for i in 0 .. points.Length - 1 do
            let struct (indices, shares) = own[i]
            let mutable a = 0
            let mutable b = given.Starts[i]

            while a < indices.Length || b < given.Starts[i + 1] do
                let mine = if a < indices.Length then indices[a] else Int32.MaxValue

                let theirs =
                    if b < given.Starts[i + 1] then
                        given.Columns[b]
                    else
                        Int32.MaxValue

                columns.Add(min mine theirs)

                values.Add(
                    (if mine <= theirs then shares[a] else 0.0) + (if theirs <= mine then given.Values[b] else 0.0)
                )

                if mine <= theirs then
                    a <- a + 1

                if theirs <= mine then
                    b <- b + 1

            starts[i + 1] <- columns.Count

        { Starts = starts; Columns = columns.ToArray(); Values = values.ToArray() }

    /// Σ_j p_ij q_ij (y_i − y_j).
    let private attraction (p: SparseRows) (xs: float[]) (ys: float[]) (i: int) : struct (float * float) =
        let x, y = xs[i], ys[i]
        let mutable sx = 0.0
        let mutable sy = 0.0

        for e in p.Starts[i] .. p.Starts[i + 1] - 1 do
            let j = p.Columns[e]
            let dx, dy = x - xs[j], y - ys[j]
            let pull = p.Values[e] / (1.0 + dx * dx + dy * dy)
            sx <- sx + pull * dx
            sy <- sy + pull * dy

        struct (sx, sy)

    // For how many points forces are computed one after the other.
    [<Literal>]
    let private PointsAtOnce = 256

    /// The first two principal components, scaled to a deviation of 10⁻⁴, with random noise of a hundredth of that,
    /// which separates equal points.
    let private start (key: Key) (points: float[][]) : float[] * float[] =
        let components = PrincipalComponents.project 2 points
        let n = points.Length
        let deviation = sqrt (Array.sumBy (fun (c: float[]) -> c[0] * c[0]) components / float n)
        let scale = if deviation > 0.0 then 1e-4 / deviation else 0.0
        let noise = Array.zeroCreate<float>(2 * n)
        key.FillNormal(Span noise)
        let axis a = Array.init n (fun i -> scale * components[i][a] + 1e-6 * noise[2 * i + a])
        axis 0, axis 1

    /// A step with momentum. Along each axis the step size grows while the gradient keeps its direction (Jacobs 1988).
    let private step
        (rate: float)
        (momentum: float)
        (at: float[])
        (gradient: float[])
        (velocity: float[])
        (gain: float[])
        =
        for i in 0 .. at.Length - 1 do
            gain[i] <-
                if (gradient[i] > 0.0) = (velocity[i] > 0.0) then
                    max 0.01 (0.8 * gain[i])
                else
                    gain[i] + 0.2

            velocity[i] <- momentum * velocity[i] - rate * gain[i] * gradient[i]
            at[i] <- at[i] + velocity[i]

        let mean = Array.average at

        for i in 0 .. at.Length - 1 do
            at[i] <- at[i] - mean

    /// The perplexity that n points get: at most a third of the others.
    let perplexity (config: TSneConfig) (n: int) : float = min config.Perplexity (float (n - 1) / 3.0) |> max 1.0

    /// Places [n][2] of points [n][d] in the plane, such that neighbours stay neighbours; a pure function of the key,
    /// whatever the number of threads. Each round takes time n·log n. Fewer than three points are put side by side,
    /// one unit apart. Raises ArgumentException if a distance isn't finite or Theta isn't from 0 to 0.7.
    let embed (config: TSneConfig) (key: Key) (points: float[][]) : float[][] =
        let n = points.Length

        if not (config.Theta >= 0.0 && config.Theta <= 0.7) then
            invalidArg (nameof config) $"Theta is {config.Theta}; it must be from 0 to 0.7"

        if n < 3 then
            Array.init n (fun i -> [| float i; 0.0 |])
        else
            let p = affinities (perplexity config n) points
            let xs, ys = start key points
            let tree = QuadTree.allocate n
            let fx, fy, totals = Array.zeroCreate<float> n, Array.zeroCreate<float> n, Array.zeroCreate<float> n
            let ax, ay = Array.zeroCreate<float> n, Array.zeroCreate<float> n
            let zeros () = Array.zeroCreate<float> n
            let ones () = Array.create n 1.0
            let velocityX, velocityY, gainX, gainY = zeros (), zeros (), ones (), ones ()
            let rate = max 50.0 (float n / config.Exaggeration / 4.0)

            let forces (block: int) =
                let stack = Array.zeroCreate<int> QuadTree.StackSize

                for i in block * PointsAtOnce .. min n ((block + 1) * PointsAtOnce) - 1 do
                    let struct (total, rx, ry) = QuadTree.repulsion config.Theta tree stack xs[i] ys[i]
                    let struct (sx, sy) = attraction p xs ys i
                    totals[i] <- total
                    fx[i] <- rx
                    fy[i] <- ry
                    ax[i] <- sx
                    ay[i] <- sy

            for round in 0 .. config.Rounds - 1 do
                let early = round < config.ExaggeratedRounds
                let exaggeration = if early then config.Exaggeration else 1.0
                QuadTree.build xs ys tree
                Parallelism.Run((n + PointsAtOnce - 1) / PointsAtOnce, forces)
                let z = Array.sum totals

                for i in 0 .. n - 1 do
                    fx[i] <- 4.0 * (exaggeration * ax[i] - fx[i] / z)
                    fy[i] <- 4.0 * (exaggeration * ay[i] - fy[i] / z)

                let momentum = if early then 0.5 else 0.8
                step rate momentum xs fx velocityX gainX
                step rate momentum ys fy velocityY gainY

            Array.map2 (fun x y -> [| x; y |]) xs ys
