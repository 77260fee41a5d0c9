using System;

namespace Scae.Cli.Plots;

/// <summary>Room around a drawing area for what is written beside it.</summary>
internal readonly record struct Insets(double Left, double Top, double Right, double Bottom)
{
    public Insets Union(Insets other) => new(
        Math.Max(Left, other.Left),
        Math.Max(Top, other.Top),
        Math.Max(Right, other.Right),
        Math.Max(Bottom, other.Bottom));
}
