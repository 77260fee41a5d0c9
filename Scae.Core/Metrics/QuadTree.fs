namespace Scae.Core.Metrics

open System

/// Points of the plane in nested squares, for sums over all points in which far ones are taken together (Barnes & Hut
/// 1986). There is one array element per node (four in Children). Trees are rebuilt in place.
type QuadTree =
    {
        mutable Nodes: int
        /// How many points are in a node's square.
        Count: int[]
        /// Sums of their coordinates.
        SumX: float[]
        SumY: float[]
        CentreX: float[]
        CentreY: float[]
        /// Half the side of a node's square.
        Half: float[]
        /// Four children per node, −1 for none; a node without children is a leaf.
        Children: int[]
    }

/// Builds trees, and computes the sums of t-SNE over them.
[<RequireQualifiedAccess>]
module QuadTree =
    // Squares are halved at most so often; points that still share one count as a single place.
    [<Literal>]
    let private MostLevels = 32

    /// Room for n points. Two points that lie close together need a node for every halving of their square. When
    /// nodes run out, points share a leaf.
    let allocate (n: int) : QuadTree =
        let most = 7 * n + 64

        {
            Nodes = 0
            Count = Array.zeroCreate most
            SumX = Array.zeroCreate most
            SumY = Array.zeroCreate most
            CentreX = Array.zeroCreate most
            CentreY = Array.zeroCreate most
            Half = Array.zeroCreate most
            Children = Array.zeroCreate (4 * most)
        }

    let private add (tree: QuadTree) (x: float) (y: float) (half: float) : int =
        let node = tree.Nodes
        tree.Nodes <- node + 1
        tree.Count[node] <- 0
        tree.SumX[node] <- 0.0
        tree.SumY[node] <- 0.0
        tree.CentreX[node] <- x
        tree.CentreY[node] <- y
        tree.Half[node] <- half
        Array.Fill(tree.Children, -1, 4 * node, 4)
        node

    let private child (tree: QuadTree) (node: int) (x: float) (y: float) : int =
        let right, below = x >= tree.CentreX[node], y >= tree.CentreY[node]
        let quarter = (if right then 1 else 0) + (if below then 2 else 0)
        let known = tree.Children[4 * node + quarter]

        if known >= 0 then
            known
        else
            let half = tree.Half[node] / 2.0
            let cx = tree.CentreX[node] + (if right then half else -half)
            let cy = tree.CentreY[node] + (if below then half else -half)
            let made = add tree cx cy half
            tree.Children[4 * node + quarter] <- made
            made

    let private isLeaf (tree: QuadTree) (node: int) =
        let c = tree.Children
        c[4 * node] < 0 && c[4 * node + 1] < 0 && c[4 * node + 2] < 0 && c[4 * node + 3] < 0

    let private put (tree: QuadTree) (node: int) (count: int) (x: float) (y: float) : unit =
        tree.Count[node] <- tree.Count[node] + count
        tree.SumX[node] <- tree.SumX[node] + float count * x
        tree.SumY[node] <- tree.SumY[node] + float count * y

    /// Whether no more leaves may be divided: a seventh of the nodes is kept for points that need a new child.
    let private isFull (tree: QuadTree) = tree.Nodes > tree.Count.Length / 7 * 6

    /// Inserts a point: goes down to a leaf that is free, or that can't be divided any more.
    let private insert (tree: QuadTree) (x: float) (y: float) : unit =
        let mutable node = 0
        let mutable level = 0
        let mutable placed = false

        while not placed do
            let count = tree.Count[node]
            placed <- count = 0 || (isLeaf tree node && (level = MostLevels || isFull tree))

            if not placed && isLeaf tree node then
                // The point that was here moves one level down.
                let oldX, oldY = tree.SumX[node] / float count, tree.SumY[node] / float count
                put tree (child tree node oldX oldY) count oldX oldY

            put tree node 1 x y

            if not placed then
                node <- child tree node x y
                level <- level + 1

    /// Builds the tree of points (x_i, y_i), which must be finite.
    let build (xs: float[]) (ys: float[]) (tree: QuadTree) : unit =
        tree.Nodes <- 0
        let x0, x1, y0, y1 = Array.min xs, Array.max xs, Array.min ys, Array.max ys
        let half = 0.5 * max (x1 - x0) (y1 - y0) * (1.0 + 1e-6) + 1e-12
        add tree ((x0 + x1) / 2.0) ((y0 + y1) / 2.0) half |> ignore

        for i in 0 .. xs.Length - 1 do
            insert tree xs[i] ys[i]

    /// For a place (x, y) that is one of the points: Σ q_j over all others, Σ q_j²·(x − x_j) and Σ q_j²·(y − y_j),
    /// where q = 1 / (1 + distance²). A node whose side is below θ times its distance counts as a single point.
    let repulsion
        (theta: float)
        (tree: QuadTree)
        (stack: int[])
        (x: float)
        (y: float)
        : struct (float * float * float) =
        let limit = theta * theta
        let mutable total = 0.0
        let mutable fx = 0.0
        let mutable fy = 0.0
        let mutable top = 1
        stack[0] <- 0

        while top > 0 do
            top <- top - 1
            let node = stack[top]
            let count = float tree.Count[node]
            let dx, dy = x - tree.SumX[node] / count, y - tree.SumY[node] / count
            let square = dx * dx + dy * dy
            let side = 2.0 * tree.Half[node]
            let first = 4 * node

            if side * side < limit * square || isLeaf tree node then
                let q = 1.0 / (1.0 + square)
                total <- total + count * q
                fx <- fx + count * q * q * dx
                fy <- fy + count * q * q * dy
            else
                for c in first .. first + 3 do
                    if tree.Children[c] >= 0 then
                        stack[top] <- tree.Children[c]
                        top <- top + 1

        // The point itself lies at distance 0 and was counted with weight 1.
        struct (total - 1.0, fx, fy)

    /// The most nodes that wait at once during a walk.
    [<Literal>]
    let StackSize = 256
