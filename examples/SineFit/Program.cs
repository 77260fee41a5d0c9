using System;
using System.Linq;
using Scae.Tensors;

namespace Scae.Examples.SineFit;

/// <summary>A small model of one's own in C#: two layers that learn the sine of a number.</summary>
internal static class Program
{
    private static void Main()
    {
        var key = Key.OfSeed(0);
        var model = new Model(32, key.Named("init"));
        var input = Tensor.zeros([64, 1]);
        var target = Tensor.zeros([64, 1]);

        // Recorded once, replayed each step over whatever the inputs then hold.
        var step = Recording.Of(() =>
        {
            var error = model.Forward(input) - target;
            return [(error * error).mean()];
        });
        var first = model.Parameters.Select(parameter => parameter.zerosLike()).ToArray();
        var second = model.Parameters.Select(parameter => parameter.zerosLike()).ToArray();

        for (int i = 1; i <= 1000; i++)
        {
            key.Named("data").Fold(i).FillUniform(input.Elements<float>(), -3f, 3f);
            for (int j = 0; j < 64; j++) target.Elements<float>()[j] = MathF.Sin(input.Elements<float>()[j]);
            step.Forward();
            step.Reverse();
            for (int p = 0; p < first.Length; p++)
                Updates.Adam(model.Parameters[p], model.Parameters[p].derivative, first[p], second[p], 1e-2, 0.9, 0.999, 1e-8, i);
            if (i % 250 == 0) Console.WriteLine($"step {i}: mean squared error {step.Outputs[0].toScalar():0.00000}");
        }

        double at = model.Forward(Tensor.of([1f], 1, 1)).toScalar();
        Console.WriteLine($"sin 1 = {Math.Sin(1):0.000}, the model says {at:0.000}");
    }

    /// <summary>tanh(x·W₁ + b₁)·W₂ + b₂.</summary>
    private sealed class Model
    {
        public Model(int width, Key key)
        {
            Parameters =
            [
                Draw(key.Named("hidden"), 1, width).reverseDiff(),
                Tensor.zeros([width]).reverseDiff(),
                Draw(key.Named("output"), width, 1).reverseDiff(),
                Tensor.zeros([1]).reverseDiff(),
            ];
        }

        public Tensor[] Parameters { get; }

        public Tensor Forward(Tensor x) =>
            x.linear(Parameters[0], Parameters[1], Activation.Tanh).linear(Parameters[2], Parameters[3]);

        private static Tensor Draw(Key key, int inputs, int outputs)
        {
            float[] weights = new float[inputs * outputs];
            key.FillNormal(weights, 0f, 1f / MathF.Sqrt(inputs));
            return Tensor.of(weights, inputs, outputs);
        }
    }
}
