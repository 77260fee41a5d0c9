/// A digest of the bits of every elementwise function and reduction, to be compared between processes that were told to
/// use other vectors, and between numbers of threads.
module Scae.Tests.Operations.Digest

open System
open System.Security.Cryptography
open Scae.Tensors

/// Every function of one tensor, by its name.
let functions: (string * (Tensor -> Tensor)) list =
    [
        "exp", _.exp()
        "expm1", _.expm1()
        "log", _.log()
        "log1p", _.log1p()
        "sigmoid", _.sigmoid()
        "softplus", _.softplus()
        "tanh", _.tanh()
        "sin", _.sin()
        "cos", _.cos()
        "sqrt", _.sqrt()
        "abs", _.abs()
        "relu", _.relu()
        "safelog", _.safelog()
    ]

/// Reductions of everything, of the last axis and of the first.
let reductions: (string * (Tensor -> Tensor)) list =
    [
        "sum", _.sum()
        "mean", _.mean()
        "var", _.var()
        "std", _.std()
        "norm", _.norm()
        "max", _.max()
        "min", _.min()
    ]

let private ofMatrices: (Tensor -> Tensor) list =
    [
        _.sum(0)
        _.sum(1)
        _.mean(0)
        _.mean(1)
        _.var(0)
        _.var(1)
        _.norm(1)
        _.softmax(1)
        _.logsoftmax(1)
        _.logsumexp(1)
        (fun x -> x.layerNorm (Tensor.ones ([| x.size 1 |], x.dtype), Tensor.zeros ([| x.size 1 |], x.dtype)))
        (fun x -> x.bernoulliLogLikelihood x)
        (fun x -> x.gaussianLogLikelihood (x * 0.5, x.abs () + 0.1))
    ]

/// Numbers of all magnitudes that the functions tell apart, and NaN, ∞, zeros and subnormal ones.
let numbers (count: int) : float[] =
    let special =
        [|
            0.0
            -0.0
            1.0
            -1.0
            nan
            infinity
            -infinity
            1e-310
            -1e-42
            88.7
            -103.9
            709.8
            -745.1
            0.5
            Math.PI
        |]

    Array.init count (fun i ->
        if i < special.Length then
            special[i]
        else
            let x = float i * 0.6180339887498949
            let size = x - floor x
            (if i % 2 = 0 then 1.0 else -1.0) * Math.Pow(10.0, 14.0 * size - 11.0))

/// SHA-256 of all results, in float32 and in float64.
let compute (count: int) : string =
    use hash = IncrementalHash.CreateHash HashAlgorithmName.SHA256

    // A NaN's sign and payload are the hardware's own.
    let add (y: Tensor) =
        for value in y.cast(Dtype.Float64).toArray<float>() do
            hash.AppendData(BitConverter.GetBytes(if Double.IsNaN value then 7.0 else value))

    for dtype in [ Dtype.Float32; Dtype.Float64 ] do
        let x = Tensor.``of``(numbers count).cast(dtype)

        let finite =
            Tensor.``of``(numbers count |> Array.filter (fun x -> Double.IsFinite x && abs x < 1e3)).cast(dtype)

        let rows = finite.nelement / 37
        let matrix = finite.slice(0, 0, rows * 37).view(rows, 37)

        for _, f in functions do
            add (f x)

        for _, f in reductions do
            add (f finite)

        for f in ofMatrices do
            add (f matrix)
            add (f (matrix.transpose (0, 1)))

        let a, b = matrix.reverseDiff (), matrix.select(0, 0).reverseDiff()
        (a * b + b.tanh () / (a.abs () + 1.0) + b.softplus () * a.sum (1, true)).sum().reverse()
        add a.derivative
        add b.derivative

        // Images of three slots: whole vectors and ragged ends.
        for pixels in [ 400; 403 ] do
            let images = finite.nelement / (3 * pixels)
            let slots = (finite.slice(0, 0, images * 3 * pixels).view(images, 3, pixels)).sigmoid().reverseDiff()
            let shares = (slots.noDiff () * 0.7).reverseDiff()
            let image = (slots.noDiff().select(1, 0)).gt(0.5)
            add (slots.bernoulliSlotLoss (shares, image))
            let residual = slots.bernoulliResidual (image, image, 1e-6, 0.1)
            let all = slots.bernoulliResponsibilities(image).sum 1 * slots.bernoulliMixture image
            add residual
            add all
            ((residual * residual).sum() + all.sum () + (slots.bernoulliSlotLoss (shares, image)).sum()).reverse()
            add slots.derivative
            add shares.derivative

        let gain, bias =
            (Tensor.ones ([| 37 |], dtype)).reverseDiff(), (Tensor.zeros ([| 37 |], dtype)).reverseDiff()

        let x = matrix.reverseDiff ()
        let normal = x.layerNorm (gain, bias)
        (normal * normal * matrix + x.softmax 1 * matrix).sum().reverse()

        for t in [ x; gain; bias ] do
            add t.derivative

        // Votes and densities of two capsules: 13 poses to a vector of 16 or 8.
        let images = finite.nelement / (2 * 87)
        let raw = ((finite.slice (0, 0, images * 2 * 87)).view(images, 2, 87) * 1e-3).reverseDiff()
        let added = (finite.slice (0, 0, 2 * 13 * 6)).view(2, 13, 6) * 1e-3
        let seen = (finite.slice (0, 0, images * 13 * 6)).view(images, 13, 6) * 1e-3

        for isSimilarity in [ false; true ] do
            let votes = raw.votePoses (added, added.select (1, 0), isSimilarity)
            let density = seen.isotropicLogLikelihood (votes, (votes.norm 3) * 0.1 + 0.5)
            add votes
            add density
            (density * 1e-3).sum().reverse()

        add raw.derivative

        let parameter, mean, square = finite.clone (), finite.zerosLike (), finite.zerosLike ()
        Updates.Adam(parameter, finite, mean, square, 0.1, 0.9, 0.999, 1e-8, 3L)
        Updates.RmsProp(parameter, finite, square, 0.1, 0.9, 1e-8, 1.0, mean, 0.9)
        Updates.SgdMomentum(parameter, finite, mean, 0.1, 0.9)
        add parameter
        add (matrix.linear (matrix.transpose(0, 1).slice(1, 0, 70), null, Activation.Tanh))

    Convert.ToHexString(hash.GetHashAndReset())
