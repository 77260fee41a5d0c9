using System;
using System.Numerics;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Where pixel (i, j) of a canvas, column i and row j, lies on a part's template, in texels: at (x0 + xi·i + xj·j, y0 +
/// yi·i + yj·j). This is the inverse of the part's pose.
/// </summary>
internal readonly record struct PartPlacement<T>(T X0, T Xi, T Xj, T Y0, T Yi, T Yj)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Whether the pose could be inverted.</summary>
    public bool IsFinite => T.IsFinite(X0) && T.IsFinite(Xi) && T.IsFinite(Xj) && T.IsFinite(Y0) && T.IsFinite(Yi) && T.IsFinite(Yj);

    /// <summary>The placement of a pose (a, b, t_x, c, d, t_y).</summary>
    public static PartPlacement<T> Of(ReadOnlySpan<T> pose, in PartSizes sizes)
    {
        T two = T.One + T.One, one = T.One;
        T a = pose[0], b = pose[1], tx = pose[2], c = pose[3], d = pose[4], ty = pose[5], det = (a * d) - (b * c);
        T stepI = Step(sizes.Width), stepJ = Step(sizes.Height), u0 = First(sizes.Width) - tx, v0 = First(sizes.Height) - ty;
        T right = T.CreateChecked(sizes.TemplateWidth - 1) / two, down = T.CreateChecked(sizes.TemplateHeight - 1) / two;
        return new(
            ((((d * u0) - (b * v0)) / det) + one) * right,
            d * stepI / det * right,
            -b * stepJ / det * right,
            ((((a * v0) - (c * u0)) / det) + one) * down,
            -c * stepI / det * down,
            a * stepJ / det * down);
    }

    /// <summary>Where the first of n pixels lies on −1 … 1; a single pixel lies at 0, as where images are sampled.</summary>
    public static T First(int n) => n < 2 ? T.Zero : -T.One;

    /// <summary>The step between pixels of n.</summary>
    public static T Step(int n) => n < 2 ? T.Zero : (T.One + T.One) / T.CreateChecked(n - 1);

    /// <summary>
    /// The blocks of row j, each of one vector's pixels, that may see the template, as [first, end). There is a pixel to
    /// spare on either side, since places are rounded.
    /// </summary>
    public (int First, int End) Blocks(int j, in PartSizes sizes)
    {
        T row = T.CreateChecked(j), low = T.Zero, high = T.CreateChecked(sizes.Width - 1);
        Narrow(X0 + (Xj * row), Xi, sizes.TemplateWidth, ref low, ref high);
        Narrow(Y0 + (Yj * row), Yi, sizes.TemplateHeight, ref low, ref high);
        if (!(low <= high)) return (0, 0);
        int from = int.Max(0, int.CreateTruncating(T.Floor(low)) - 1), to = int.Min(sizes.Width - 1, int.CreateTruncating(T.Ceiling(high)) + 1);
        return (from / Vector512<T>.Count, (to / Vector512<T>.Count) + 1);
    }

    /// <summary>Narrows low ≤ i ≤ high to where −1 ≤ start + step·i ≤ n.</summary>
    private static void Narrow(T start, T step, int n, ref T low, ref T high)
    {
        T first = -T.One - start, last = T.CreateChecked(n) - start;
        if (step == T.Zero)
        {
            if (first > T.Zero || last < T.Zero) high = -T.One;
            return;
        }

        (first, last) = step > T.Zero ? (first / step, last / step) : (last / step, first / step);
        low = T.Max(low, first);
        high = T.Min(high, last);
    }
}
