using System;

namespace Scae.Tensors;

/// <content>Images as mixtures of parts that are drawn.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// The log-likelihood of images x [b, c, H, W] under parts and background → [b], a sum over pixels i of log Σ_k π_ik
    /// Π_c N(x_ic; v_ikc, σ²), k over the m parts and the background. v is a part's template sampled at the pixel's place
    /// (bilinear, zero outside), π the softmax over k of the mixing logits l_ik + log presence_k; outside of a template
    /// value and logit l are 0, so that a part there is a black background (Kosiorek et al. 2019). No gradient to x.
    /// </summary>
    /// <remarks>A singular pose or a NaN anywhere makes an image's likelihood NaN.</remarks>
    /// <exception cref="ShapeError">The shapes or dtypes don't fit.</exception>
    public Tensor partMixture(PartScene scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        CheckParts("partMixture", this, scene);
        int b = _shape[0], m = scene.Poses._shape[1], c = _shape[1], height = _shape[2], width = _shape[3];
        Tensor value = Draw(scene.Templates, c, scene.Poses, height, width);
        if (scene.Colour is not null) value = value * scene.Colour.view(b, m, c, 1, 1);
        Tensor ground = (scene.Background.dim == 1 ? scene.Background.view(1, 1, c, 1, 1) : scene.Background.view(b, 1, c, 1, 1)).expand(b, 1, c, height, width);
        var mixing = scene.Mixing;
        Tensor logits, groundLogits;
        if (mixing.Temperature is { } temperature)
        {
            logits = value.mean(2) / temperature.view(1, 1, 1, 1);
            groundLogits = ground.mean(2) / temperature.view(1, 1, 1, 1);
        }
        else
        {
            logits = Draw(mixing.AlphaLogits!.unsqueeze(-3), 1, scene.Poses, height, width).squeeze(2);
            groundLogits = mixing.BackgroundLogit!.view(1, 1, 1, 1).expand(b, 1, height, width);
        }

        Tensor mix = cat([logits + scene.LogPresence.view(b, m, 1, 1), groundLogits], 1).logsoftmax(1);
        Tensor all = cat([value, ground], 1), x = view(b, 1, c, height, width);
        Tensor likelihood = scene.Scale is { } scale ? x.gaussianLogLikelihood(all, scale.view(1, 1, 1, 1, 1)) : x.gaussianLogLikelihood(all, 1.0);
        return (mix + likelihood.sum(2)).logsumexp(1).sum(2).sum(1);
    }

    /// <summary>Templates [m, n, h, w] or [b, m, n, h, w] through poses [b, m, 6] → [b, m, n, height, width].</summary>
    private static Tensor Draw(Tensor templates, int n, Tensor poses, int height, int width)
    {
        int b = poses._shape[0], m = poses._shape[1], h = templates._shape[^2], w = templates._shape[^1];
        Tensor Entry(int i) => poses.slice(2, i, i + 1).view(b * m, 1, 1);
        Tensor a = Entry(0), q = Entry(1), tx = Entry(2), c = Entry(3), d = Entry(4), ty = Entry(5), det = (a * d) - (q * c);
        Tensor u = linspace(-1, 1, width, poses.dtype).view(1, 1, width) - tx, v = linspace(-1, 1, height, poses.dtype).view(1, height, 1) - ty;
        Tensor x = ((d * u) - (q * v)) / det, y = ((a * v) - (c * u)) / det;
        return templates.expand(b, m, n, h, w).contiguous().view(b * m, n, h, w).gridSample(stack([x, y], -1)).view(b, m, n, height, width);
    }

    private static void CheckParts(string operation, Tensor x, PartScene scene)
    {
        var (templates, poses, presence, background, mixing) = scene;
        foreach (var one in new[] { templates, poses, presence, background, scene.Colour, scene.Scale, mixing.AlphaLogits, mixing.BackgroundLogit, mixing.Temperature })
        {
            if (one is not null) CheckSameDtype(operation, x, one);
        }

        if (x.dim != 4 || poses.dim != 3 || poses._shape[0] != x._shape[0] || poses._shape[2] != 6 || x._shape[2] < 1 || x._shape[3] < 1)
            throw ShapeError.Of(operation, $"images {Scae.Tensors.Shape.Text(x.Shape)} with poses {Scae.Tensors.Shape.Text(poses.Shape)}; needs [b, c, H, W] with at least one pixel and [b, m, 6]");
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

        void Check(string what, Tensor given, bool filled, int[] shape, int[]? other)
        {
            if (filled && (given.Shape.SequenceEqual(shape) || (other is not null && given.Shape.SequenceEqual(other)))) return;
            string wanted = other is null ? Scae.Tensors.Shape.Text(shape) : $"{Scae.Tensors.Shape.Text(shape)} or {Scae.Tensors.Shape.Text(other)}";
            throw ShapeError.Of(operation, $"{what} {Scae.Tensors.Shape.Text(given.Shape)} for images {Scae.Tensors.Shape.Text(x.Shape)} and poses {Scae.Tensors.Shape.Text(poses.Shape)}; needs {wanted}{(filled ? "" : " with at least one pixel")}");
        }
    }
}
