using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Scae.Cli.Runs;
using Scae.Core.Training;

namespace Scae.Cli.Export;

/// <summary>A run's parameters by name, and its hyperparameters.</summary>
internal sealed record Weights(IReadOnlyDictionary<string, TensorEntry> Tensors, IReadOnlyDictionary<string, string> Settings)
{
    public static Weights Of(IEnumerable<KeyValuePair<string, TensorEntry>> tensors, IEnumerable<Tuple<string, string>> settings) =>
        new(tensors.ToDictionary(pair => pair.Key, pair => pair.Value), settings.ToDictionary(pair => pair.Item1, pair => pair.Item2));

    public bool Has(string name) => Tensors.ContainsKey(name);

    public int[] Shape(string name) => Entry(name).Shape;

    public float[] Values(string name) => Entry(name).Data switch
    {
        TensorData.F32 single => single.Item,
        _ => throw new InvalidOperationException($"{name}: the tensor isn't float32"),
    };

    private TensorEntry Entry(string name) => Tensors.TryGetValue(name, out var entry)
        ? entry
        : throw new RunFailure($"the run has no parameter {name}; export it with the version of scae that trained it");

    public int Integer(string setting) => int.Parse(Settings[setting], CultureInfo.InvariantCulture);
}
