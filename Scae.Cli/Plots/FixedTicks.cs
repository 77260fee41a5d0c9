using ScottPlot;

namespace Scae.Cli.Plots;

/// <summary>Ticks that stay as they were when the room for their labels was measured.</summary>
internal sealed class FixedTicks(Tick[] ticks) : ITickGenerator
{
    public Tick[] Ticks => ticks;

    public int MaxTickCount { get; set; }

    public void Regenerate(CoordinateRange range, Edge edge, PixelLength size, Paint paint, LabelStyle labelStyle)
    {
    }
}
