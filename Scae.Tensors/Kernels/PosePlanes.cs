using System;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Poses (a, b, t_x, c, d, t_y) of the plane, stored as six planes and computed from six free numbers (p_x, p_y, θ, q, u_x,
/// u_y) each: scales σ(p) + 0.01, angle 2πθ, shear tanh 5q, shift tanh 5u. The linear part is Shear·Scale·Rotation (the
/// released program of Kosiorek et al. 2019). A similarity has one scale, p_x's, and no shear.
/// </summary>
/// <remarks>The functions of the free numbers are kept for the backward pass, in the planes named below.</remarks>
internal static unsafe class PosePlanes
{
    /// <summary>Numbers of a pose.</summary>
    public const int Numbers = 6;

    /// <summary>Functions of a pose's free numbers.</summary>
    public const int Functions = 7;

    // σ(p_x), σ(p_y), cos and sin of the angle, shear, shifts.
    private const int ScaleX = 0, ScaleY = 1, Cosine = 2, Sine = 3, Shear = 4, ShiftX = 5, ShiftY = 6;
    private const double LeastScale = 0.01, Steepness = 5;

    /// <summary>Computes the functions of free numbers; all planes have the same pitch.</summary>
    [MethodImpl(VectorLoop.Options)]
    public static void Evaluate<T>(T* raw, T* functions, int pitch, bool isSimilarity)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Vector512<T> turn = Lanes.Constant<T>(2 * Math.PI), steepness = Lanes.Constant<T>(Steepness);
        int width = Vector512<T>.Count;
        for (int i = 0; i < pitch; i += width) Lanes.Sigmoid(Vector512.Load(raw + i)).Store(functions + i);
        for (int i = 0; i < pitch; i += width)
        {
            var angle = Vector512.Load(raw + (2 * pitch) + i) * turn;
            Lanes.Cos(angle).Store(functions + (Cosine * pitch) + i);
            Lanes.Sin(angle).Store(functions + (Sine * pitch) + i);
        }

        T* shifts = functions + (ShiftX * pitch);
        for (int i = 0; i < 2 * pitch; i += width) Lanes.Tanh(Vector512.Load(raw + (4 * pitch) + i) * steepness).Store(shifts + i);
        if (isSimilarity) return;
        T* scales = functions + (ScaleY * pitch), shears = functions + (Shear * pitch);
        for (int i = 0; i < pitch; i += width)
        {
            Lanes.Sigmoid(Vector512.Load(raw + pitch + i)).Store(scales + i);
            Lanes.Tanh(Vector512.Load(raw + (3 * pitch) + i) * steepness).Store(shears + i);
        }
    }

    /// <summary>Computes poses from the functions.</summary>
    [MethodImpl(VectorLoop.Options)]
    public static void Poses<T>(T* functions, T* poses, int pitch, bool isSimilarity)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var least = Lanes.Constant<T>(LeastScale);
        for (int i = 0; i < pitch; i += Vector512<T>.Count, functions += Vector512<T>.Count, poses += Vector512<T>.Count)
        {
            Vector512<T> c = At(functions, Cosine, pitch), n = At(functions, Sine, pitch), sx = At(functions, ScaleX, pitch) + least;
            At(functions, ShiftX, pitch).Store(poses + (2 * pitch));
            At(functions, ShiftY, pitch).Store(poses + (5 * pitch));
            if (isSimilarity)
            {
                var scaled = sx * n;
                (sx * c).Store(poses);
                (-scaled).Store(poses + pitch);
                scaled.Store(poses + (3 * pitch));
                (sx * c).Store(poses + (4 * pitch));
                continue;
            }

            Vector512<T> h = At(functions, Shear, pitch), sy = At(functions, ScaleY, pitch) + least, sn = sy * n, sc = sy * c;
            ((sx * c) + (h * sn)).Store(poses);
            ((h * sc) - (sx * n)).Store(poses + pitch);
            sn.Store(poses + (3 * pitch));
            sc.Store(poses + (4 * pitch));
        }
    }

    /// <summary>Turns gradients of poses into gradients of the free numbers, in place, given the functions.</summary>
    [MethodImpl(VectorLoop.Options)]
    public static void ToRaw<T>(T* functions, T* gradient, int pitch, bool isSimilarity)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Vector512<T> one = Vector512<T>.One, least = Lanes.Constant<T>(LeastScale);
        Vector512<T> turn = Lanes.Constant<T>(2 * Math.PI), steepness = Lanes.Constant<T>(Steepness);
        for (int i = 0; i < pitch; i += Vector512<T>.Count, functions += Vector512<T>.Count, gradient += Vector512<T>.Count)
        {
            Vector512<T> a = At(gradient, 0, pitch), b = At(gradient, 1, pitch), x = At(gradient, 2, pitch);
            Vector512<T> c = At(gradient, 3, pitch), d = At(gradient, 4, pitch), y = At(gradient, 5, pitch);
            Vector512<T> cos = At(functions, Cosine, pitch), sin = At(functions, Sine, pitch), unit = At(functions, ScaleX, pitch), sx = unit + least;
            Vector512<T> shiftX = At(functions, ShiftX, pitch), shiftY = At(functions, ShiftY, pitch);
            Vector512<T> toScale, toCos, toSin, toScaleY = Vector512<T>.Zero, toShear = Vector512<T>.Zero;
            if (isSimilarity)
            {
                Vector512<T> scaledCos = a + d, scaledSin = c - b;
                (toCos, toSin) = (scaledCos * sx, scaledSin * sx);
                toScale = (scaledCos * cos) + (scaledSin * sin);
            }
            else
            {
                Vector512<T> h = At(functions, Shear, pitch), unitY = At(functions, ScaleY, pitch), sy = unitY + least;
                Vector512<T> scaledSin = (h * a) + c, scaledCos = (h * b) + d;
                (toCos, toSin) = ((a * sx) + (scaledCos * sy), (scaledSin * sy) - (b * sx));
                toScale = (a * cos) - (b * sin);
                toScaleY = ((scaledSin * sin) + (scaledCos * cos)) * (unitY * (one - unitY));
                toShear = ((a * (sy * sin)) + (b * (sy * cos))) * (one - (h * h)) * steepness;
            }

            (toScale * (unit * (one - unit))).Store(gradient);
            toScaleY.Store(gradient + pitch);
            (((toSin * cos) - (toCos * sin)) * turn).Store(gradient + (2 * pitch));
            toShear.Store(gradient + (3 * pitch));
            (x * (one - (shiftX * shiftX)) * steepness).Store(gradient + (4 * pitch));
            (y * (one - (shiftY * shiftY)) * steepness).Store(gradient + (5 * pitch));
        }
    }

    /// <summary>right becomes left ∘ right.</summary>
    [MethodImpl(VectorLoop.Options)]
    public static void Compose<T>(T* left, T* right, int pitch)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < pitch; i += Vector512<T>.Count, left += Vector512<T>.Count, right += Vector512<T>.Count)
        {
            for (int j = 0; j < 3; j++)
            {
                Vector512<T> upper = At(right, j, pitch), lower = At(right, j + 3, pitch);
                var first = (At(left, 0, pitch) * upper) + (At(left, 1, pitch) * lower);
                var second = (At(left, 3, pitch) * upper) + (At(left, 4, pitch) * lower);
                (j == 2 ? first + At(left, 2, pitch) : first).Store(right + (j * pitch));
                (j == 2 ? second + At(left, 5, pitch) : second).Store(right + ((j + 3) * pitch));
            }
        }
    }

    /// <summary>
    /// The backward rule of composition, from the gradient of left ∘ right: right becomes the gradient of left, and
    /// gradient that of right.
    /// </summary>
    [MethodImpl(VectorLoop.Options)]
    public static void Decompose<T>(T* left, T* right, T* gradient, int pitch)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < pitch; i += Vector512<T>.Count, left += Vector512<T>.Count, right += Vector512<T>.Count, gradient += Vector512<T>.Count)
        {
            Vector512<T> a = At(left, 0, pitch), b = At(left, 1, pitch), c = At(left, 3, pitch), d = At(left, 4, pitch);
            Vector512<T> toA = default, toB = default, toC = default, toD = default, toX = default, toY = default;
            for (int j = 0; j < 3; j++)
            {
                Vector512<T> upper = At(right, j, pitch), lower = At(right, j + 3, pitch);
                Vector512<T> first = At(gradient, j, pitch), second = At(gradient, j + 3, pitch);
                (toA, toB) = (toA + (first * upper), toB + (first * lower));
                (toC, toD) = (toC + (second * upper), toD + (second * lower));
                (toX, toY) = (first, second);
                ((a * first) + (c * second)).Store(gradient + (j * pitch));
                ((b * first) + (d * second)).Store(gradient + ((j + 3) * pitch));
            }

            toA.Store(right);
            toB.Store(right + pitch);
            toX.Store(right + (2 * pitch));
            toC.Store(right + (3 * pitch));
            toD.Store(right + (4 * pitch));
            toY.Store(right + (5 * pitch));
        }
    }

    private static Vector512<T> At<T>(T* first, int plane, int pitch)
        where T : unmanaged => Vector512.Load(first + (plane * pitch));
}
