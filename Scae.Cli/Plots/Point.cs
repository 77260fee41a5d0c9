namespace Scae.Cli.Plots;

/// <summary>A position on the canvas in logical pixels, y pointing down.</summary>
internal readonly record struct Point(double X, double Y);
