using System;

namespace Scae.Tensors;

/// <content>stub</content>
public sealed partial class Tensor
{
    /// <summary>stub</summary>
    public static Tensor cat(Tensor[] tensors, int axis = 0)
    {
        int[] shape = tensors[0].shape;
        shape[axis] = 0;
        foreach (var t in tensors) shape[axis] += t._shape[axis];
        return new CatOperation(Array.ConvertAll(tensors, t => t.contiguous()), axis).Run(tensors[0].dtype, shape);
    }

    private sealed class CatOperation(Tensor[] parts, int axis) : Operation(parts)
    {
        protected override void Forward<T>()
        {
            int outer = 1, row = 1;
            for (int i = 0; i < axis; i++) outer *= Output._shape[i];
            for (int i = axis; i < Output.dim; i++) row *= Output._shape[i];
            var y = Output.Data<T>();
            int at = 0;
            foreach (var part in Inputs)
            {
                int n = part.nelement / outer;
                for (int o = 0; o < outer; o++) part.Data<T>().Slice(o * n, n).CopyTo(y[((o * row) + at)..]);
                at += n;
            }
        }

        protected override void Backward<T>()
        {
            int outer = 1, row = 1;
            for (int i = 0; i < axis; i++) outer *= Output._shape[i];
            for (int i = axis; i < Output.dim; i++) row *= Output._shape[i];
            var g = OutputGradient<T>();
            int at = 0;
            for (int p = 0; p < Inputs.Length; p++)
            {
                int n = Inputs[p].nelement / outer;
                if (Wants(p))
                {
                    var into = InputGradientToAdd<T>(p);
                    for (int o = 0; o < outer; o++) System.Numerics.Tensors.TensorPrimitives.Add(into.Slice(o * n, n), g.Slice((o * row) + at, n), into.Slice(o * n, n));
                }

                at += n;
            }
        }
    }
}
