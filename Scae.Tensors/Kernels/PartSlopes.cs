namespace Scae.Tensors.Kernels;

/// <summary>Slopes of one image's likelihood by each argument of a part mixture, a record of numbers that lie side by side.</summary>
internal unsafe struct PartSlopes<T>
    where T : unmanaged
{
    public T* Poses, LogPresence, Colour, Templates, Alpha, Background, BackgroundLogit, Temperature, Scale;

    /// <summary>Elements of a record.</summary>
    public static int Length(in PartSizes sizes) =>
        (sizes.Parts * (7 + sizes.Channels + ((sizes.Channels + 1) * sizes.Texels))) + sizes.Channels + 3;

    /// <summary>The record that begins there.</summary>
    public static PartSlopes<T> In(T* record, in PartSizes sizes)
    {
        var slopes = new PartSlopes<T> { Poses = record };
        slopes.LogPresence = slopes.Poses + (6 * sizes.Parts);
        slopes.Colour = slopes.LogPresence + sizes.Parts;
        slopes.Templates = slopes.Colour + (sizes.Parts * sizes.Channels);
        slopes.Alpha = slopes.Templates + (sizes.Parts * sizes.Channels * sizes.Texels);
        slopes.Background = slopes.Alpha + (sizes.Parts * sizes.Texels);
        slopes.BackgroundLogit = slopes.Background + sizes.Channels;
        slopes.Temperature = slopes.BackgroundLogit + 1;
        slopes.Scale = slopes.Temperature + 1;
        return slopes;
    }
}
