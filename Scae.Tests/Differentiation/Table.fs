/// Every differentiable operation, one line each.
module Scae.Tests.Differentiation.Table

open Scae.Tensors
open Scae.Tests.Values
open Scae.Tests.Differentiation.Cases

let private elementwise =
    [
        unary "abs" AwayFromZero _.abs()
        unary "exp" Anywhere _.exp()
        unary "log" Positive _.log()
        unary "safelog" Positive _.safelog()
        unary "log1p" Positive _.log1p()
        unary "expm1" Anywhere _.expm1()
        unary "sqrt" Positive _.sqrt()
        unary "sin" Anywhere _.sin()
        unary "cos" Anywhere _.cos()
        unary "tanh" Anywhere _.tanh()
        unary "sigmoid" Anywhere _.sigmoid()
        unary "relu" AwayFromZero _.relu()
        unary "softplus" Anywhere _.softplus()
        unary "clamp" AwayFromZero (fun x -> x.clamp (-0.1, 0.1) + x.clamp (-10.0, 10.0))
        unary "scalar arithmetic" AwayFromZero (fun x -> 2.0 / (x * 3.0 + 20.0 - x / 7.0) + (1.0 - x))
        unary "max with a number" AwayFromZero (fun x -> x.max 0.1)
        unary "min with a number" AwayFromZero (fun x -> x.min 0.1)
    ]

let private binaries =
    [
        binary "add" Anywhere Anywhere (fun a b -> a + b)
        binary "sub" Anywhere Anywhere (fun a b -> a - b)
        binary "mul" Anywhere Anywhere (fun a b -> a * b)
        binary "div" Anywhere Positive (fun a b -> a / b)
        binary "max" Anywhere Anywhere (fun a b -> a.max b)
        binary "min" Anywhere Anywhere (fun a b -> a.min b)
    ]
    |> List.concat

let private views =
    [
        unary "view" Anywhere (fun x -> x.view x.nelement)
        unary "flatten" Anywhere _.flatten()
        unary "squeeze" Anywhere _.squeeze()
        along "unsqueeze" Anywhere (fun axis x -> x.unsqueeze axis)
        along "transpose" Anywhere (fun axis x -> x.transpose (axis, 0))
        unary "permute" Anywhere (fun x -> x.permute (Array.init x.dim (fun i -> (i + 1) % x.dim)))
        unary "expand" Anywhere (fun x -> x.expand (Array.append [| 3; 2 |] x.shape))
        along "slice" Anywhere (fun axis x -> x.slice (axis, 0, x.size axis, 2))
        along "slice of one" Anywhere (fun axis x -> x.slice (axis, x.size axis - 1, x.size axis))
        along "select" Anywhere (fun axis x -> x.select (axis, -1))
        along "split" Anywhere (fun axis x ->
            let parts = x.split ([| 1; x.size axis - 1 |], axis)
            parts[0] * 2.0 + parts[1].sum(axis, true))
        unary "contiguous" Anywhere _.contiguous()
        unary "view of a view" Anywhere (fun x -> x.view(x.nelement).view(x.shape) * x)
    ]

/// Positive numbers multiplied by 1, 10, 19, … along an axis, since the deviation of equal ones has no gradient.
let private apart (axis: int) (x: Tensor) =
    let n = x.size axis
    let shape = Array.create x.dim 1
    shape[Shape.Axis("apart", axis, x.dim)] <- n
    x * Tensor.arange(9.0 * float n, start = 1.0, step = 9.0, dtype = x.dtype).view shape

let private reductions =
    [
        unary "sum" Anywhere _.sum()
        along "sum along an axis" Anywhere (fun axis x -> x.sum axis)
        along "sum keeping the axis" Anywhere (fun axis x -> x.sum (axis, true))
        unary "sum over outer axes" Anywhere (fun x -> x.sum (if x.dim > 2 then [| 0; -1 |] else [||]))
        along "mean" Anywhere (fun axis x -> x.mean axis)
        along "var" Anywhere (fun axis x -> x.var (axis, true, false))
        along "var, biased" Anywhere (fun axis x -> (x.var (axis, false, false) + 0.5).sqrt())
        along "var, unbiased" Anywhere (fun axis x -> if x.size axis > 1 then x.var axis else x.sum axis)
        along "std" Positive (fun axis x ->
            if x.size axis > 1 then
                (apart axis x).std(axis, true)
            else
                x.sum axis)
        along "norm" Positive (fun axis x -> x.norm axis)
        along "max along an axis" Anywhere (fun axis x -> x.max axis)
        along "min along an axis" Anywhere (fun axis x -> x.min (axis, true))
        along "max of all" Anywhere (fun _ x -> if x.nelement = 0 then x.sum () else x.max () + x.min ())
        along "softmax" Anywhere (fun axis x -> x.softmax axis)
        along "logsoftmax" Anywhere (fun axis x -> x.logsoftmax axis)
        along "logsumexp" Anywhere (fun axis x -> x.logsumexp axis)
        along "logsumexp keeping the axis" Anywhere (fun axis x -> x.logsumexp (axis, true))
    ]

let private products =
    let sizes inputs =
        fun (it: Instance) -> inputs it.Sizes |> List.map (fun shape -> Anywhere, shape)

    let matmul name inputs = general $"matmul {name}" (sizes inputs) (fun _ xs -> xs[0].matmul xs[1])

    let linear activation =
        general $"linear {activation}" (sizes (fun s -> [ s[0..2]; [ s[2]; s[3] ]; [ s[3] ] ])) (fun _ xs ->
            (xs[0] * 0.3).linear(xs[1], xs[2], activation))

    let linearEach activation =
        general
            $"linearEach {activation}"
            (sizes (fun s -> [ s[0..2]; [ s[1]; s[2]; s[3] ]; [ s[1]; s[3] ] ]))
            (fun _ xs -> (xs[0] * 0.3).linearEach(xs[1], xs[2], activation))

    [
        matmul "of matrices" (fun s -> [ [ s[0]; s[1] ]; [ s[1]; s[2] ] ])
        matmul "of batches" (fun s -> [ [ s[3]; s[0]; s[1] ]; [ s[3]; s[1]; s[2] ] ])
        matmul "of a batch with a matrix" (fun s -> [ [ s[3]; s[0]; s[1] ]; [ s[1]; s[2] ] ])
        matmul "of a matrix with a batch" (fun s -> [ [ s[0]; s[1] ]; [ s[3]; s[1]; s[2] ] ])
        matmul "broadcasting batches" (fun s -> [ [ s[3]; 1; s[0]; s[1] ]; [ 1; s[4]; s[1]; s[2] ] ])
        matmul "of vectors" (fun s -> [ [ s[0] ]; [ s[0] ] ])
        matmul "of a matrix with a vector" (fun s -> [ [ s[0]; s[1] ]; [ s[1] ] ])
        matmul "of a vector with a batch" (fun s -> [ [ s[1] ]; [ s[3]; s[1]; s[2] ] ])
        general "matmul of a tensor with its transpose" (sizes (fun s -> [ s[0..2] ])) (fun _ xs ->
            xs[0].matmul(xs[0].transpose()))
        general "bmm" (sizes (fun s -> [ s[0..2]; [ s[0]; s[2]; s[3] ] ])) (fun _ xs -> xs[0].bmm xs[1])
        linear Activation.None
        linear Activation.Relu
        linear Activation.Sigmoid
        linear Activation.Tanh
        linearEach Activation.None
        linearEach Activation.Relu
        linearEach Activation.Sigmoid
        linearEach Activation.Tanh
        general "linearEach without biases" (sizes (fun s -> [ s[0..2]; [ s[1]; s[2]; s[3] ] ])) (fun _ xs ->
            xs[0].linearEach xs[1])
        general "linearEach of a tensor with itself" (sizes (fun s -> [ [ s[0]; s[0]; s[0] ] ])) (fun _ xs ->
            xs[0].linearEach xs[0])
        general "linear without bias" (sizes (fun s -> [ s[0..2]; [ s[2]; s[3] ] ])) (fun _ xs -> xs[0].linear xs[1])
    ]

/// Absent items are chosen by the draw; packed rows go through all that takes them.
let private packed =
    let presence (it: Instance) (items: Tensor) =
        let b, n = items.shape[0], items.shape[1]
        let there = Array.init (b * n) (fun i -> if (i * i + it.Draw) % 3 = 0 then 0.0 else 1.0)
        (Tensor.``of`` (there, [| b; n |])).cast items.dtype

    let through name sizes layer =
        general
            $"packed rows through {name}"
            (fun it ->
                let s = it.Sizes
                let d = 2 * (1 + s[3])

                [ Anywhere, [ s[0]; s[1]; d ]; Anywhere, [ d ] ]
                @ (sizes d |> List.map (fun shape -> Anywhere, shape)))
            (fun it xs -> (layer (xs[0].pack(presence it xs[0])) xs: Tensor).unpack xs[1])

    [
        through "nothing" (fun _ -> []) (fun rows _ -> rows)
        through "linear" (fun d -> [ [ d; d ]; [ d ] ]) (fun rows xs ->
            (rows + rows).linear(xs[2], xs[3], Activation.Tanh))
        through "layerNorm" (fun d -> [ [ d ]; [ d ] ]) (fun rows xs -> rows.layerNorm (xs[2], xs[3]))
        through "attention" (fun _ -> []) (fun rows _ -> Tensor.attention (rows, rows * rows, rows, 2))
    ]

let private attentions =
    let shaped name queries heads =
        general
            name
            (fun it ->
                let s = it.Sizes
                let m, d, e = max 1 s[2], heads * max 1 s[3], heads * s[4]
                [ Anywhere, queries s d; Anywhere, [ s[0]; m; d ]; Anywhere, [ s[0]; m; e ] ])
            (fun _ xs -> Tensor.attention (xs[0], xs[1], xs[2], heads))

    let masked mask degree =
        general
            $"masked attention, {mask}"
            (fun it ->
                let s = it.Sizes
                let m, d, e = max 1 s[2], 2 * max 1 s[3], 2 * s[4]
                let queries = if it.Draw % 2 = 0 then [ s[0]; s[1]; d ] else [ s[1]; d ]
                [ Anywhere, queries; Anywhere, [ s[0]; m; d ]; Anywhere, [ s[0]; m; e ]; Positive, [ s[0]; m ] ])
            (fun _ xs -> Tensor.maskedAttention (xs[0], xs[1], xs[2], degree xs[3], mask, 2))

    [
        masked PresenceMask.Log (fun d -> d * 0.4)
        // A step function, since no gradient passes to the presence. One key is there: absent ones swallow the scores.
        masked PresenceMask.Hard (fun d ->
            let there = d.gt(1.0).cast(d.dtype)
            Tensor.cat ([ (there.slice (1, 0, 1)).onesLike(); there.slice (1, 1, there.size 1) ], 1))
        shaped "attention" (fun s d -> [ s[0]; s[1]; d ]) 1
        shaped "attention with two heads" (fun s d -> [ s[0]; s[1]; d ]) 2
        shaped "attention with shared queries" (fun s d -> [ s[1]; d ]) 2
        general "self-attention" (fun it -> let s = it.Positive in [ Anywhere, [ s[0]; s[1]; 4 ] ]) (fun _ xs ->
            Tensor.attention (xs[0], xs[0], xs[0], 2))
        general
            "chamfer"
            (fun it ->
                let s = it.Positive in [ Anywhere, [ it.Sizes[0]; s[1]; s[2] ]; Anywhere, [ it.Sizes[0]; s[3]; s[2] ] ])
            (fun _ xs -> xs[0].chamfer xs[1])
    ]

let private choices = [ yield! binary "where" Anywhere Anywhere (fun a b -> a.gt(0.3).where(a * b, b)) ]

/// Positions below count, of the given shape.
let private positions (it: Instance) count (shape: int[]) =
    let n = Array.fold (*) 1 shape
    Tensor.``of`` (Array.init n (fun i -> (i * i + it.Draw / 3) % count), shape)

let private joining =
    [
        along "cat" Anywhere (fun axis x -> Tensor.cat ([ x; x * 2.0; x.slice (axis, 0, 1) ], axis))
        along "stack" Anywhere (fun axis x -> Tensor.stack ([ x; x * x; x ], axis))
        along "repeat" Anywhere (fun axis x -> x.repeat (axis, 3))
        along "pad" Anywhere (fun axis x -> x.pad (Array.init x.dim (fun i -> (i + abs axis) % 3)))
        general "gather" (fun it -> [ Anywhere, it.Positive[0..2] ]) (fun it xs ->
            let axis, shape = it.Draw % 3, xs[0].shape
            let index = shape |> Array.mapi (fun i n -> if i = axis then it.Sizes[4] else min n (1 + it.Sizes[5]))
            xs[0].gather(axis, positions it shape[axis] index))
        general "indexSelect" (fun it -> [ Anywhere, it.Positive[0..2] ]) (fun it xs ->
            let axis = it.Draw % 3
            xs[0].indexSelect(axis, positions it (xs[0].size axis) [| it.Sizes[3] |]))
        general "neighbourSum" (fun it -> [ Anywhere, it.Sizes[0..3] ]) (fun it xs ->
            xs[0].neighbourSum [| struct (0, 0); struct (it.Draw % 3, -1); struct (-it.Draw % 5, 2) |])
        along "cumsum" Anywhere (fun axis x -> x.cumsum axis)
        along "cumprod" Anywhere (fun axis x -> x.cumprod axis)
        along "cumprod with zeros" Anywhere (fun axis x -> (x * x.gt 0.0).cumprod axis)
    ]

/// Poses (s, t_x, t_y) with a scale around 0.8 from three free columns.
let private pose (x: Tensor) = Tensor.cat ([ x.slice (1, 0, 1) * 0.2 + 0.8; x.slice (1, 1, 3) * 0.3 ], 1)

let private images =
    let transform inverse =
        general
            $"spatialTransform, inverse {inverse}"
            (fun it -> [ Anywhere, it.Sizes[0..3]; Anywhere, [ it.Sizes[0]; 3 ] ])
            (fun it xs -> xs[0].spatialTransform(pose xs[1], it.Positive[4], it.Positive[5], inverse))

    let grown (it: Instance) = [ it.Sizes[0]; it.Positive[1]; it.Positive[2] + 2; it.Positive[3] + 2 ]
    let filter (it: Instance) outer inner = [ outer; inner; 1 + it.Draw % 3; 1 + it.Draw / 3 % 3 ]

    [
        general
            "gridSample"
            (fun it -> [ Anywhere, it.Sizes[0..3]; Anywhere, [ it.Sizes[0]; it.Sizes[4]; it.Sizes[5]; 2 ] ])
            (fun _ xs -> xs[0].gridSample(xs[1] * 0.6))
        general "affineGrid" (fun it -> [ Anywhere, [ it.Sizes[0]; 3 ] ]) (fun it xs ->
            (pose xs[0]).affineGrid(it.Positive[1], it.Positive[2], it.Draw % 2 = 0))
        transform false
        transform true
        general
            "conv2d"
            (fun it -> [ Anywhere, grown it; Anywhere, filter it it.Sizes[4] it.Positive[1] ])
            (fun it xs -> xs[0].conv2d(xs[1], 1 + it.Draw / 9 % 2, it.Draw / 18 % 2))
        for activation in [ Activation.Relu; Activation.Sigmoid; Activation.Tanh ] do
            general
                $"conv2d with bias and {activation}"
                (fun it ->
                    [ Anywhere, grown it; Anywhere, filter it it.Sizes[4] it.Positive[1]; Anywhere, [ it.Sizes[4] ] ])
                (fun it xs -> (xs[0] * 0.3).conv2d(xs[1], 1 + it.Draw / 9 % 2, it.Draw / 18 % 2, xs[2], activation))
        general
            "convTranspose2d"
            (fun it -> [ Anywhere, grown it; Anywhere, filter it it.Positive[1] it.Sizes[4] ])
            (fun it xs -> xs[0].convTranspose2d(xs[1], 1 + it.Draw / 9 % 2, it.Draw / 18 % 2))
    ]

/// Affine poses [b, m, 6] of about half the canvas from free numbers: scales in (0.3, 0.7), shears in (−0.2, 0.2).
let private affine (x: Tensor) =
    let entry i = x.slice (2, i, i + 1)
    let scale i = entry i * 0.1 + 0.5
    let shear i = entry i * 0.1
    Tensor.cat ([ scale 0; shear 1; entry 2 * 0.3; shear 3; scale 4; entry 5 * 0.3 ], 2)

let private parts =
    let image (it: Instance) (x: Tensor) =
        tensorOf x.dtype 77 [| it.Sizes[0]; it.Positive[1]; 1 + it.Sizes[4] % 3; 1 + it.Sizes[5] % 3 |]
        * 0.5

    // Few places: differences must not straddle one where a template has a kink. The twin is compared on whole canvases.
    let m (it: Instance) = min 2 it.Sizes[2]
    let template (it: Instance) = [ it.Positive[3]; 1 + it.Draw % 4 ]

    let shared inputs =
        fun it ->
            [
                Anywhere, [ it.Sizes[0]; m it; 6 ]
                Anywhere, [ it.Sizes[0]; m it ]
                Anywhere, [ it.Positive[1] ]
            ]
            @ inputs it

    [
        general
            "partMixture with logits of its own"
            (shared (fun it ->
                [ Anywhere, [ m it; it.Positive[1] ] @ template it; Anywhere, m it :: template it; Anywhere, [] ]))
            (fun it xs ->
                (image it xs[0])
                    .partMixture(PartScene(xs[3], affine xs[0], xs[1], xs[2], PartMixing.Alpha(xs[4], xs[5]))))
        general
            "partMixture with logits and templates of each image"
            (shared (fun it ->
                [
                    Anywhere, [ it.Sizes[0]; m it; it.Positive[1] ] @ template it
                    Anywhere, [ it.Sizes[0]; m it ] @ template it
                    Anywhere, [ 1 ]
                    Anywhere, [ it.Sizes[0]; it.Positive[1] ]
                ]))
            (fun it xs ->
                let mixing = PartMixing.Alpha(xs[4], xs[5])
                (image it xs[0]).partMixture(PartScene(xs[3], affine xs[0], xs[1], xs[6], mixing)))
        general
            "partMixture with logits tied to coloured values, and a scale"
            (shared (fun it ->
                [
                    Anywhere, [ m it; it.Positive[1] ] @ template it
                    Anywhere, [ it.Sizes[0]; m it; it.Positive[1] ]
                    Positive, []
                    Positive, []
                ]))
            (fun it xs ->
                let mixing = PartMixing.Coupled xs[5]
                let scene = PartScene(xs[3], affine xs[0], xs[1], xs[2], mixing, Colour = xs[4], Scale = xs[6])
                (image it xs[0]).partMixture scene)
    ]

let private votes =
    let raw (it: Instance) = [ it.Sizes[0]; it.Sizes[1]; 6 * it.Sizes[2] + 6 + it.Sizes[3] ]

    [
        for isSimilarity in [ false; true ] do
            general
                $"votePoses, similarity {isSimilarity}"
                (fun it ->
                    let s = it.Sizes
                    [ Anywhere, raw it; Anywhere, [ s[1]; s[2]; 6 ]; Anywhere, [ s[1]; 6 ] ])
                (fun _ xs -> (xs[0] * 0.1).votePoses(xs[1] * 0.1, xs[2] * 0.1, isSimilarity))
        general
            "isotropicLogLikelihood"
            (fun it ->
                let s = it.Sizes
                let n = 1 + s[3]
                [ Anywhere, [ s[0]; s[2]; n ]; Anywhere, [ s[0]; s[1]; s[2]; n ]; Positive, [ s[0]; s[1]; s[2] ] ])
            (fun _ xs -> xs[0].isotropicLogLikelihood(xs[1], xs[2]))
    ]

let private likelihoods =
    [
        general
            "layerNorm"
            (fun it ->
                let n = it.Positive[2] + 1
                [ Anywhere, [ it.Sizes[0]; it.Sizes[1]; n ]; Anywhere, [ n ]; Anywhere, [ n ] ])
            (fun _ xs -> xs[0].layerNorm(xs[1], xs[2], 0.1))
        yield! binary "bernoulliLogLikelihood" Anywhere Anywhere (fun x l -> x.bernoulliLogLikelihood l)
        yield! binary "gaussianLogLikelihood" Anywhere Positive (fun x s -> x.gaussianLogLikelihood (x * 0.5 + s, s))
        unary "gaussianLogLikelihood with a number" Anywhere (fun x -> x.gaussianLogLikelihood (x * x, 0.7))
    ]

/// Means in (0, 1), responsibilities, and a binary image beside them.
let private mixtures =
    let means (x: Tensor) = (x * 0.8).sigmoid()

    let image (it: Instance) (x: Tensor) = (positions it 2 [| x.size 0; x.size 2 |]).cast(x.dtype)

    let slots (it: Instance) = [ it.Sizes[0]; it.Positive[1]; it.Sizes[2] ]

    let mixture name (apply: Tensor list -> Tensor -> Tensor) =
        general name (fun it -> [ Anywhere, slots it; Anywhere, slots it ]) (fun it xs ->
            apply [ means xs[0]; means xs[1] ] (image it xs[0]))

    [
        mixture "bernoulliResponsibilities" (fun xs image -> xs[0].bernoulliResponsibilities(image, 0.02, 0.05) * xs[1])
        mixture "bernoulliMixture" (fun xs image -> xs[0].bernoulliMixture(image, 0.02) * xs[1].sum(1))
        // Without a gradient through γ its rule is no derivative of its value; MixtureTests compares that one with a twin.
        mixture "bernoulliResidual" (fun xs image ->
            xs[0].bernoulliResidual(image, image * 0.7 + 0.1, 0.02, 0.05) * xs[1])
        mixture "bernoulliSlotLoss" (fun xs image -> xs[0].bernoulliSlotLoss(xs[1], image, 0.7, 0.02))
    ]

/// All cases.
let cases =
    List.concat
        [
            elementwise
            binaries
            views
            reductions
            products
            packed
            attentions
            choices
            joining
            images
            parts
            votes
            likelihoods
            mixtures
        ]
