using System;

namespace Scae.Tensors;

/// <content>Values that a plain function computes.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// A float32 tensor that a function fills from the elements of others, for what tensor operations can't express: a
    /// search, a sort, a decision. The function runs again at every replay, and no gradient passes. It gets the inputs'
    /// values, dense and cast to float32, and the output, which holds whatever it held before: every element must be
    /// written. The result must depend on the inputs, and on arrays that are overwritten in place whenever they are,
    /// otherwise a resumed run would differ. The function may use tensors of its own, also while a recording is under way.
    /// </summary>
    /// <exception cref="ShapeError">An input holds integers, or the shape isn't possible.</exception>
    public static Tensor computed(int[] shape, Tensor[] inputs, Action<ReadOnlyMemory<float>[], Memory<float>> function)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(function);
        foreach (var input in inputs)
        {
            if (input.dtype == Dtype.Int32) throw ShapeError.Of("computed", "integers aren't among what a function may get; needs Float32 or Float64");
        }

        return new ComputedOperation(Array.ConvertAll(inputs, input => input.contiguous()), function).Run(Dtype.Float32, (int[])shape.Clone());
    }

    /// <summary>Copies the inputs in and the result out, so that the function never holds memory of a tensor.</summary>
    private sealed class ComputedOperation(Tensor[] inputs, Action<ReadOnlyMemory<float>[], Memory<float>> function) : CutOperation(inputs)
    {
        private readonly float[][] _values = Array.ConvertAll(inputs, input => new float[input.nelement]);
        private ReadOnlyMemory<float>[]? _memories;
        private float[]? _result;

        protected override void Forward<T>()
        {
            for (int i = 0; i < Inputs.Length; i++)
            {
                if (Inputs[i].dtype == Dtype.Float32) Inputs[i].Data<float>().CopyTo(_values[i]);
                else
                {
                    var source = Inputs[i].Data<double>();
                    for (int j = 0; j < source.Length; j++) _values[i][j] = (float)source[j];
                }
            }

            _memories ??= Array.ConvertAll(_values, values => (ReadOnlyMemory<float>)values);
            _result ??= new float[Output.nelement];
            // What the function does with tensors of its own belongs to no recording: it does it anew at every replay.
            bool wasRecording = Recording.Suspend();
            try
            {
                function(_memories, _result);
            }
            finally
            {
                Recording.Resume(wasRecording);
            }

            _result.CopyTo(Output.Data<float>());
        }
    }
}
