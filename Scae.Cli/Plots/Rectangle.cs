using System;

namespace Scae.Cli.Plots;

/// <summary>An axis-aligned rectangle on the canvas in logical pixels, y pointing down.</summary>
internal readonly record struct Rectangle(double Left, double Top, double Right, double Bottom)
{
    public double Width => Right - Left;

    public double Height => Bottom - Top;

    public Point Centre => new((Left + Right) / 2, (Top + Bottom) / 2);

    public static Rectangle At(double left, double top, double width, double height) =>
        new(left, top, left + width, top + height);

    public Rectangle Inflate(double by) => new(Left - by, Top - by, Right + by, Bottom + by);

    public Rectangle Intersect(Rectangle other) => new(
        Math.Max(Left, other.Left),
        Math.Max(Top, other.Top),
        Math.Max(Math.Max(Left, other.Left), Math.Min(Right, other.Right)),
        Math.Max(Math.Max(Top, other.Top), Math.Min(Bottom, other.Bottom)));

    public bool Contains(Point p) => p.X >= Left && p.X <= Right && p.Y >= Top && p.Y <= Bottom;

    public bool Overlaps(Rectangle other) =>
        Left < other.Right && other.Left < Right && Top < other.Bottom && other.Top < Bottom;

    /// <summary>The four corners in order, as a closed outline needs them without its last point.</summary>
    public Point[] Corners() => [new(Left, Top), new(Right, Top), new(Right, Bottom), new(Left, Bottom)];

    /// <summary>The closed outline: five points, the last one equal to the first.</summary>
    public Point[] Outline() =>
        [new(Left, Top), new(Right, Top), new(Right, Bottom), new(Left, Bottom), new(Left, Top)];
}
