using System;
using System.Collections.Generic;

namespace Scae.Tensors;

/// <summary>stub</summary>
public static class Updates
{
    /// <summary>stub</summary>
    public static double GlobalNorm(IReadOnlyList<Tensor> g)
    {
        double s = 0;
        foreach (var t in g) foreach (float v in t.Elements<float>()) s += (double)v * v;
        return Math.Sqrt(s);
    }

    /// <summary>stub</summary>
    public static void Adam(Tensor p, Tensor g, Tensor m, Tensor v, double lr, double b1, double b2, double eps, int step, double scale)
    {
        var (ps, gs, ms, vs) = (p.Storage, g.Storage, m.Storage, v.Storage);
        var a = p.Elements<float>();
        var b = g.Elements<float>();
        var c = m.Elements<float>();
        var d = v.Elements<float>();
        float c1 = (float)(1 / (1 - Math.Pow(b1, step))), c2 = (float)(1 / (1 - Math.Pow(b2, step)));
        for (int i = 0; i < a.Length; i++)
        {
            c[i] = (float)((b1 * c[i]) + ((1 - b1) * b[i]));
            d[i] = (float)((b2 * d[i]) + ((1 - b2) * b[i] * b[i]));
            a[i] -= (float)lr * (c[i] * c1) / (MathF.Sqrt(d[i] * c2) + (float)eps);
        }
    }

    /// <summary>stub</summary>
    public static void RmsProp(Tensor p, Tensor g, Tensor m, double lr, double d, double eps, double scale)
    {
    }

    /// <summary>stub</summary>
    public static void SgdMomentum(Tensor p, Tensor g, Tensor m, double lr, double mo, double scale)
    {
    }
}
