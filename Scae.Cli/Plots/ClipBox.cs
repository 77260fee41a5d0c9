namespace Scae.Cli.Plots;

/// <summary>The pixels that may be painted: columns in [X0, X1), rows in [Y0, Y1).</summary>
internal readonly record struct ClipBox(int X0, int Y0, int X1, int Y1)
{
    public bool IsEmpty => X1 <= X0 || Y1 <= Y0;
}
