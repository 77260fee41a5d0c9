using System;

namespace Scae.Tensors;

/// <summary>
/// What a scene of parts looks like, for pictures. It holds all of [b, m, H, W], so it is meant for a few images rather
/// than for a training batch.
/// </summary>
public sealed class PartPictures
{
    private readonly Tensor _logits;
    private readonly Tensor _values;
    private readonly double _scale;

    private PartPictures(Tensor logits, Tensor values, double scale) => (_logits, _values, _scale) = (logits, values, scale);

    /// <summary>Draws a scene on canvases of height × width.</summary>
    /// <exception cref="ShapeError">The shapes or dtypes don't fit.</exception>
    public static PartPictures Of(PartScene scene, int height, int width)
    {
        ArgumentNullException.ThrowIfNull(scene);
        var poses = scene.Poses;
        int b = poses.dim > 0 ? poses.shape[0] : 0, c = scene.Background.dim > 0 ? scene.Background.shape[^1] : 0;
        Tensor.CheckParts("PartPictures", Tensor.zeros([b, c, Math.Max(0, height), Math.Max(0, width)], poses.dtype), scene);
        int m = poses.shape[1];
        Tensor values = Draw(scene.Templates, c, poses, height, width);
        if (scene.Colour is { } colour) values = values * colour.view(b, m, c, 1, 1);
        Tensor ground = (scene.Background.dim == 1 ? scene.Background.view(1, 1, c, 1, 1) : scene.Background.contiguous().view(b, 1, c, 1, 1)).expand(b, 1, c, height, width);
        Tensor logits, groundLogits;
        if (scene.Mixing.Temperature is { } temperature)
        {
            logits = values.mean(2) / temperature.view(1, 1, 1, 1);
            groundLogits = ground.mean(2) / temperature.view(1, 1, 1, 1);
        }
        else
        {
            logits = Draw(scene.Mixing.AlphaLogits!.unsqueeze(-3), 1, poses, height, width).squeeze(2);
            groundLogits = scene.Mixing.BackgroundLogit!.view(1, 1, 1, 1).expand(b, 1, height, width);
        }

        double scale = scene.Scale is { } given ? given.cast(Dtype.Float64).toArray<double>()[0] : 1;
        return new(Tensor.cat([logits + scene.LogPresence.contiguous().view(b, m, 1, 1), groundLogits], 1), Tensor.cat([values, ground], 1), scale);
    }

    /// <summary>[b, m + 1, H, W]: how likely each part and, last, the background is at each pixel; sums to 1 over them.</summary>
    public Tensor Weights => _logits.softmax(1);

    /// <summary>[b, c, H, W], the value of the likeliest component at each pixel.</summary>
    public Tensor Mode => Chosen(Likeliest);

    /// <summary>[b, c, H, W], the components' values weighed by how likely they are.</summary>
    public Tensor Mean => (Weights.unsqueeze(2) * _values).sum(1);

    /// <summary>[b, H, W] integers, the likeliest component of each pixel, m being the background.</summary>
    public Tensor Likeliest => _logits.argmax(1);

    /// <summary>[b, H, W] integers, the component that explains each pixel of images [b, c, H, W] best, m being the background.</summary>
    public Tensor Winners(Tensor images) =>
        (_logits + images.unsqueeze(1).gaussianLogLikelihood(_values, _scale).sum(2)).argmax(1);

    private Tensor Chosen(Tensor component)
    {
        int[] shape = _values.shape;
        return _values.gather(1, component.view(shape[0], 1, 1, shape[3], shape[4]).repeat(2, shape[2])).squeeze(1);
    }

    /// <summary>Templates [m, n, h, w] or [b, m, n, h, w] through poses [b, m, 6] → [b, m, n, height, width].</summary>
    private static Tensor Draw(Tensor templates, int n, Tensor poses, int height, int width)
    {
        int b = poses.shape[0], m = poses.shape[1], h = templates.shape[^2], w = templates.shape[^1];
        Tensor Entry(int i) => poses.slice(2, i, i + 1).contiguous().view(b * m, 1, 1);
        Tensor a = Entry(0), q = Entry(1), tx = Entry(2), c = Entry(3), d = Entry(4), ty = Entry(5), det = (a * d) - (q * c);
        Tensor u = Tensor.linspace(-1, 1, width, poses.dtype).view(1, 1, width) - tx, v = Tensor.linspace(-1, 1, height, poses.dtype).view(1, height, 1) - ty;
        Tensor x = ((d * u) - (q * v)) / det, y = ((a * v) - (c * u)) / det;
        return templates.expand(b, m, n, h, w).contiguous().view(b * m, n, h, w).gridSample(Tensor.stack([x, y], -1)).view(b, m, n, height, width);
    }
}
