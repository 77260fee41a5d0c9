using System;
using System.Numerics;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Images as mixtures of parts that are drawn.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// The log-likelihood of images x [b, c, H, W] under parts and background → [b]: the sum over pixels i of log Σ_k π_ik
    /// Π_c N(x_ic; v_ikc, σ²), where k runs over the m parts and the background. v is a part's template sampled at the
    /// pixel's place (bilinear, zero outside), and π is the softmax over k of the mixing logits l_ik + log presence_k.
    /// Outside its template a part has value 0 and logit 0: there it is a black background (Kosiorek et al. 2019). No
    /// gradient flows to x.
    /// </summary>
    /// <remarks>A singular pose or a NaN anywhere makes an image's likelihood NaN.</remarks>
    /// <exception cref="ShapeError">The shapes or dtypes don't fit.</exception>
    public Tensor partMixture(PartScene scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        CheckParts("partMixture", this, scene);
        Tensor[] inputs =
        [
            contiguous(), scene.Templates.contiguous(), scene.Poses.contiguous(), scene.LogPresence.contiguous(), scene.Background.contiguous(),
            .. scene.Mixing.IsCoupled ? new[] { scene.Mixing.Temperature! } : [scene.Mixing.AlphaLogits!.contiguous(), scene.Mixing.BackgroundLogit!],
            .. scene.Colour is { } colour ? new[] { colour.contiguous() } : [],
            .. scene.Scale is { } scale ? new[] { scale } : [],
        ];
        return new PartMixtureOperation(inputs, scene.Mixing.IsCoupled, scene.Colour is not null, scene.Scale is not null).Run(dtype, [_shape[0]]);
    }

    /// <summary>
    /// Computes one image at a time (see PartImage). Nothing of size [b, m, H, W] is kept, but the slopes of each image's
    /// likelihood by every argument are. They are computed in the forward run if the run before was reversed, as in
    /// training, and otherwise when they are needed; the bits are the same. The constructor decides once which input has
    /// which position.
    /// </summary>
    private sealed class PartMixtureOperation : Operation
    {
        private const int Templates = 1, Poses = 2, Presence = 3, Background = 4;
        private readonly int _alpha, _logit, _temperature, _colour, _scale;
        private readonly PartSizes _sizes;
        private readonly Tensor? _slopes;
        private bool _isReversed, _hasSlopes;

        public PartMixtureOperation(Tensor[] inputs, bool coupled, bool coloured, bool scaled)
            : base(inputs)
        {
            int next = Background + 1;
            _temperature = coupled ? next++ : -1;
            _alpha = coupled ? -1 : next++;
            _logit = coupled ? -1 : next++;
            _colour = coloured ? next++ : -1;
            _scale = scaled ? next : -1;
            var (x, templates) = (inputs[0], inputs[Templates]);
            _sizes = new(x._shape[0], inputs[Poses]._shape[1], x._shape[1], templates._shape[^2], templates._shape[^1], x._shape[2], x._shape[3]);
            if (Array.Exists(inputs, input => input.RequiresGradient)) _slopes = Allocate(x.dtype, [_sizes.Images, PartMixtureKernel.SlopesLength(_sizes)]);
        }

        protected override void Forward<T>()
        {
            if (_sizes.Images == 0) return;
            Explain<T>(_isReversed);
            _isReversed = false;
        }

        protected override void Backward<T>()
        {
            if (_sizes.Images == 0) return;
            if (!_hasSlopes) Explain<T>(withSlopes: true);
            PartMixtureKernel.Backward(_sizes, OutputGradient<T>(), _slopes!.Data<T>(), new PartSpans<T>
            {
                Templates = Gradient<T>(Templates),
                Poses = Gradient<T>(Poses),
                LogPresence = Gradient<T>(Presence),
                Background = Gradient<T>(Background),
                Alpha = Gradient<T>(_alpha),
                BackgroundLogit = Gradient<T>(_logit),
                Temperature = Gradient<T>(_temperature),
                Colour = Gradient<T>(_colour),
                Scale = Gradient<T>(_scale),
            });

            // The slopes have become gradients, so they can't be used again.
            (_hasSlopes, _isReversed) = (false, true);
        }

        private void Explain<T>(bool withSlopes)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            PartMixtureKernel.Forward(_sizes, Values<T>(), Output.Data<T>(), withSlopes ? _slopes!.Data<T>() : default);
            _hasSlopes = withSlopes;
        }

        private PartSpans<T> Values<T>()
            where T : unmanaged => new()
            {
                Images = Inputs[0].Data<T>(),
                Templates = Inputs[Templates].Data<T>(),
                Poses = Inputs[Poses].Data<T>(),
                LogPresence = Inputs[Presence].Data<T>(),
                Background = Inputs[Background].Data<T>(),
                Alpha = Value<T>(_alpha),
                BackgroundLogit = Value<T>(_logit),
                Temperature = Value<T>(_temperature),
                Colour = Value<T>(_colour),
                Scale = Value<T>(_scale),
                IsCoupled = _temperature >= 0,
            };

        private Span<T> Value<T>(int input)
            where T : unmanaged => input < 0 ? default : Inputs[input].Data<T>();

        private Span<T> Gradient<T>(int input)
            where T : unmanaged => input < 0 || !Wants(input) ? default : InputGradientToAdd<T>(input);
    }

    private static void CheckParts(string operation, Tensor x, PartScene scene)
    {
        var (templates, poses, presence, background, mixing) = scene;
        foreach (var one in new[] { templates, poses, presence, background, scene.Colour, scene.Scale, mixing.AlphaLogits, mixing.BackgroundLogit, mixing.Temperature })
        {
            if (one is not null) CheckSameDtype(operation, x, one);
        }

        if (x.dim != 4 || poses.dim != 3 || poses._shape[0] != x._shape[0] || poses._shape[2] != 6 || x._shape[2] < 1 || x._shape[3] < 1)
            throw ShapeError.Of(operation, $"images {Shape.Text(x.Sizes)} with poses {Shape.Text(poses.Sizes)}; needs [b, c, H, W] with at least one pixel and [b, m, 6]");
        int b = x._shape[0], c = x._shape[1], m = poses._shape[1];
        int h = templates.dim < 2 ? 0 : templates._shape[^2], w = templates.dim < 2 ? 0 : templates._shape[^1];
        Check("templates", templates, h > 0 && w > 0, [m, c, h, w], [b, m, c, h, w]);
        Check("presences", presence, true, [b, m], null);
        Check("background", background, true, [c], [b, c]);
        if (scene.Colour is { } colour) Check("colour", colour, true, [b, m, c], null);
        if (scene.Scale is { } scale) Check("scale", scale, true, [], [1]);
        if (mixing.AlphaLogits is { } alpha) Check("mixing logits", alpha, true, [m, h, w], [b, m, h, w]);
        if (mixing.BackgroundLogit is { } logit) Check("background's logit", logit, true, [], [1]);
        if (mixing.Temperature is { } temperature) Check("temperature", temperature, true, [], [1]);

        // Everything of one image lies in one buffer, and a cell's number must be exact in the dtype.
        long plane = (x._shape[3] + 16L) * x._shape[2], cells = (h + 2L) * (w + 2L) + 16;
        if ((m + 10.0) * (c + 3) * (plane + (4 * cells)) > Array.MaxLength || (x.dtype == Dtype.Float32 && cells > 1 << 24))
            throw ShapeError.Of(operation, $"{m} parts of {h} × {w} pixels on images {Shape.Text(x.Sizes)}; one image has more than 2^31 numbers, or a part more than 2^24 pixels");

        void Check(string what, Tensor given, bool filled, int[] shape, int[]? other)
        {
            if (filled && (given.Sizes.SequenceEqual(shape) || (other is not null && given.Sizes.SequenceEqual(other)))) return;
            string wanted = other is null ? Shape.Text(shape) : $"{Shape.Text(shape)} or {Shape.Text(other)}";
            throw ShapeError.Of(operation, $"{what} {Shape.Text(given.Sizes)} for images {Shape.Text(x.Sizes)} and poses {Shape.Text(poses.Sizes)}; needs {wanted}{(filled ? "" : " with at least one pixel")}");
        }
    }
}
