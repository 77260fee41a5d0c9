using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Scae.Core.Training;

namespace Scae.Cli.Export;

/// <summary>A run's parameters by name, and its hyperparameters.</summary>
internal sealed record Weights(IReadOnlyDictionary<string, TensorEntry> Tensors, IReadOnlyDictionary<string, string> Settings)
{
    public static Weights Of(IEnumerable<KeyValuePair<string, TensorEntry>> tensors, IEnumerable<Tuple<string, string>> settings) =>
        new(tensors.ToDictionary(pair => pair.Key, pair => pair.Value), settings.ToDictionary(pair => pair.Item1, pair => pair.Item2));

    public bool Has(string name) => Tensors.ContainsKey(name);

    public int[] Shape(string name) => Tensors[name].Shape;

    public float[] Values(string name) => Tensors[name].Data switch
    {
        TensorData.F32 single => single.Item,
        _ => throw new InvalidOperationException($"{name}: the tensor isn't float32"),
    };

    public int Integer(string setting) => int.Parse(Settings[setting], CultureInfo.InvariantCulture);

    /// <summary>The tensor of a name as a constant of the graph.</summary>
    public string In(GraphBuilder graph, string name) => graph.Constant(name, Shape(name), Values(name));

    /// <summary>x·W + b of a linear layer.</summary>
    public string Linear(GraphBuilder graph, string layer, string x) =>
        graph.Add(graph.MatMul(x, In(graph, layer + ".weight")), In(graph, layer + ".bias"));

    /// <summary>A layer norm, or the value itself where there is none.</summary>
    public string NormalisedIfAny(GraphBuilder graph, string layer, string x) =>
        Has(layer + ".gain") ? graph.Node("LayerNormalization", [x, In(graph, layer + ".gain"), In(graph, layer + ".bias")]) : x;

    /// <summary>x_k·W_k + b_k of a layer with weights of its own for each of K capsules: [b, K, in] → [b, K, out].</summary>
    public string LinearEach(GraphBuilder graph, string layer, string x)
    {
        int[] shape = Shape(layer + ".weight");
        string product = graph.MatMul(graph.Reshape(x, 0, shape[0], 1, shape[1]), In(graph, layer + ".weight"));
        string said = graph.Reshape(product, 0, shape[0], shape[2]);
        return Has(layer + ".bias") ? graph.Add(said, In(graph, layer + ".bias")) : said;
    }
}
