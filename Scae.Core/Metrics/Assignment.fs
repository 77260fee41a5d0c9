namespace Scae.Core.Metrics

open System

/// The state of the search in which rows find their columns.
type private AssignmentRoom =
    {
        /// The dual variables of rows, and in V of columns.
        U: float[]
        V: float[]
        /// The row of each column; 0 for none.
        RowOf: int[]
        Previous: int[]
        Distance: float[]
        Visited: bool[]
    }

/// The linear assignment problem.
[<RequireQualifiedAccess>]
module Assignment =

    let private roomFor (rows: int) (columns: int) : AssignmentRoom =
        {
            U = Array.zeroCreate (rows + 1)
            V = Array.zeroCreate (columns + 1)
            RowOf = Array.zeroCreate (columns + 1)
            Previous = Array.zeroCreate (columns + 1)
            Distance = Array.zeroCreate (columns + 1)
            Visited = Array.zeroCreate (columns + 1)
        }

    /// From a visited column's row, updates the distances of the columns that aren't visited yet. Returns the nearest
    /// of these and its distance.
    let private reach (room: AssignmentRoom) columns column (cost: int -> int -> float) : struct (int * float) =
        let u, v, distance = room.U, room.V, room.Distance
        let i = room.RowOf[column]
        let mutable delta = infinity
        let mutable nearest = 0

        for j in 1..columns do
            if not room.Visited[j] then
                let reduced = cost (i - 1) (j - 1) - u[i] - v[j]

                if reduced < distance[j] then
                    distance[j] <- reduced
                    room.Previous[j] <- column

                if distance[j] < delta then
                    delta <- distance[j]
                    nearest <- j

        struct (nearest, delta)

    /// Shifts the dual variables by the distance of the nearest column, which becomes 0.
    let private shift (room: AssignmentRoom) (columns: int) (delta: float) : unit =
        for j in 0..columns do
            if room.Visited[j] then
                let i = room.RowOf[j]
                room.U[i] <- room.U[i] + delta
                room.V[j] <- room.V[j] - delta
            else
                room.Distance[j] <- room.Distance[j] - delta

    /// Shortest augmenting paths for at most as many rows as columns. Indices are shifted by one: column 0 is where a
    /// row starts that has no column yet.
    let private augment (room: AssignmentRoom) rows columns (cost: int -> int -> float) : unit =
        let rowOf, previous = room.RowOf, room.Previous
        Array.Clear room.U
        Array.Clear room.V
        Array.Clear rowOf
        Array.Clear previous

        for row in 1..rows do
            rowOf[0] <- row
            Array.fill room.Distance 0 (columns + 1) infinity
            Array.fill room.Visited 0 (columns + 1) false
            let mutable column = 0

            while rowOf[column] <> 0 do
                room.Visited[column] <- true
                let struct (nearest, delta) = reach room columns column cost
                shift room columns delta
                column <- nearest

            while column <> 0 do
                rowOf[column] <- rowOf[previous[column]]
                column <- previous[column]

    /// Solves assignments of n rows to n columns, one problem after the other, in memory that is reused: from finite
    /// costs, writes the column of each row.
    let square (n: int) : (int -> int -> float) -> int[] -> unit =
        let room = roomFor n n

        fun cost columnOf ->
            augment room n n cost

            for j in 1..n do
                columnOf[room.RowOf[j] - 1] <- j - 1

    /// The assignment of rows to columns with the least total cost, in which each column is taken at most once (Kuhn
    /// 1955, by the shortest augmenting paths of Jonker & Volgenant 1987): O(min² · max) in the two sides. cost :
    /// [R, C], finite, of either sign → R columns, of which R − C are −1 if R exceeds C. Among several best
    /// assignments the choice is always the same. Raises ArgumentException if a cost is NaN or infinite.
    let hungarian (cost: float[,]) : int[] =
        let rows, columns = Array2D.length1 cost, Array2D.length2 cost

        cost
        |> Array2D.iteri (fun i j value ->
            if not (Double.IsFinite value) then
                invalidArg (nameof cost) $"hungarian: cost[{i}, {j}] is {value}; every cost must be finite")

        let columnOf = Array.create rows -1

        if rows <= columns then
            let room = roomFor rows columns
            augment room rows columns (fun i j -> cost[i, j])

            for j in 1..columns do
                if room.RowOf[j] <> 0 then
                    columnOf[room.RowOf[j] - 1] <- j - 1
        else
            let room = roomFor columns rows
            augment room columns rows (fun j i -> cost[i, j])

            for i in 1..rows do
                columnOf[i - 1] <- room.RowOf[i] - 1

        columnOf

    /// The total cost of an assignment; rows at −1 cost nothing.
    let totalCost (cost: float[,]) (columns: int[]) : float =
        columns |> Array.mapi (fun i j -> if j < 0 then 0.0 else cost[i, j]) |> Array.sum
