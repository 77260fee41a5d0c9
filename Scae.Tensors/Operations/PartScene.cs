namespace Scae.Tensors;

/// <summary>
/// What images of many parts are made of (Kosiorek et al. 2019, the part decoder of SCAE): m small templates that affine
/// poses put on a canvas, a background of one colour, and how likely each part is at a pixel.
/// </summary>
/// <param name="Templates">[m, c, h, w], the same for all images, or [b, m, c, h, w].</param>
/// <param name="Poses">
/// [b, m, 6], rows (a, b, t_x, c, d, t_y) of the maps from template to canvas, (x, y) ↦ (a·x + b·y + t_x, c·x + d·y + t_y);
/// −1 and 1 are the centres of the outermost pixels on either side, x to the right and y down.
/// </param>
/// <param name="LogPresence">[b, m], the logarithms of the parts' presences.</param>
/// <param name="Background">[c], the background's colour, or [b, c].</param>
/// <param name="Mixing">Where the mixing logits come from.</param>
public sealed record PartScene(Tensor Templates, Tensor Poses, Tensor LogPresence, Tensor Background, PartMixing Mixing)
{
    /// <summary>[b, m, c], by which each image multiplies its templates' channels; 1 when null.</summary>
    public Tensor? Colour { get; init; }

    /// <summary>The standard deviation of a pixel, a scalar; 1 when null.</summary>
    public Tensor? Scale { get; init; }
}

/// <summary>Where the mixing logits of parts and background come from.</summary>
public sealed record PartMixing
{
    private PartMixing(Tensor? alpha, Tensor? backgroundLogit, Tensor? temperature) =>
        (AlphaLogits, BackgroundLogit, Temperature) = (alpha, backgroundLogit, temperature);

    /// <summary>Whether logits are tied to values.</summary>
    public bool IsCoupled => Temperature is not null;

    /// <summary>The parts' logits over their templates, null when coupled.</summary>
    public Tensor? AlphaLogits { get; }

    /// <summary>The background's logit, null when coupled.</summary>
    public Tensor? BackgroundLogit { get; }

    /// <summary>What pixel values are divided by, null with maps of logits.</summary>
    public Tensor? Temperature { get; }

    /// <summary>
    /// Logits of their own: maps [m, h, w] or [b, m, h, w], sampled as the templates are and 0 outside of them, and a
    /// scalar for the background.
    /// </summary>
    public static PartMixing Alpha(Tensor logits, Tensor backgroundLogit) => new(logits, backgroundLogit, null);

    /// <summary>Logits tied to what is drawn: the value of part or background (the mean over channels), over a scalar temperature.</summary>
    public static PartMixing Coupled(Tensor temperature) => new(null, null, temperature);
}
