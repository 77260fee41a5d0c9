using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using Google.Protobuf;

namespace Scae.Cli.Export;

/// <summary>
/// Builds an ONNX graph of a run's network. Each method adds something and returns the name of its value, by which others
/// refer to it.
/// </summary>
internal sealed class GraphBuilder(string name, Weights weights)
{
    // The versions of the format and of the operators: old enough for every runtime of recent years.
    private const int FormatVersion = 8, OperatorsVersion = 17;

    private const int Float32 = 1, Int64 = 7;
    private const int OfInteger = 2, OfIntegers = 7;

    private readonly OnnxGraph _graph = new() { Name = name };
    private readonly HashSet<string> _constants = [];

    /// <summary>The network's parameters. The graph gets only those that are asked for.</summary>
    public Weights Weights => weights;

    /// <summary>An input. A dimension is a number, or a name if it is known only when the model runs.</summary>
    public string Input(string name, params object[] shape)
    {
        _graph.Input.Add(Value(name, Float32, shape));
        return name;
    }

    public void Output(string name, string value, params object[] shape) => Output(name, value, Float32, shape);

    /// <summary>An output of whole numbers.</summary>
    public void OutputIntegers(string name, string value, params object[] shape) => Output(name, value, Int64, shape);

    /// <summary>A float32 constant. If the graph has a constant of this name already, that one is used.</summary>
    public string Constant(string name, IEnumerable<int> shape, ReadOnlySpan<float> values)
    {
        if (_constants.Add(name))
            _graph.Initializer.Add(new OnnxTensor { Name = name, DataType = Float32, Dims = { shape.Select(size => (long)size) }, RawData = Bytes(values) });
        return name;
    }

    /// <summary>A constant that has no name of its own.</summary>
    public string Constant(IEnumerable<int> shape, ReadOnlySpan<float> values) => Constant(Fresh("constant"), shape, values);

    /// <summary>A single number.</summary>
    public string Number(double value) => Constant(Fresh("number"), [], [(float)value]);

    /// <summary>Whole numbers, for shapes and axes.</summary>
    public string Integers(params long[] values)
    {
        string name = Fresh("integers");
        _graph.Initializer.Add(new OnnxTensor { Name = name, DataType = Int64, Dims = { values.Length }, RawData = Bytes<long>(values) });
        return name;
    }

    /// <summary>An operation with one result.</summary>
    public string Node(string operation, string[] inputs, params OnnxAttribute[] attributes) => Nodes(operation, inputs, 1, attributes)[0];

    /// <summary>An operation with several results.</summary>
    public string[] Nodes(string operation, string[] inputs, int outputs, params OnnxAttribute[] attributes)
    {
        string name = Fresh(operation.ToLowerInvariant());
        string[] results = [.. Enumerable.Range(0, outputs).Select(i => outputs == 1 ? name : $"{name}_{i}")];
        _graph.Node.Add(new OnnxNode { OpType = operation, Name = name, Input = { inputs }, Output = { results }, Attribute = { attributes } });
        return results;
    }

    public static OnnxAttribute Attribute(string name, long value) => new() { Name = name, I = value, Type = OfInteger };

    public static OnnxAttribute Attribute(string name, params long[] values) => new() { Name = name, Ints = { values }, Type = OfIntegers };

    public string MatMul(string a, string b) => Node("MatMul", [a, b]);

    public string Add(string a, string b) => Node("Add", [a, b]);

    public string Subtract(string a, string b) => Node("Sub", [a, b]);

    public string Multiply(string a, string b) => Node("Mul", [a, b]);

    public string Divide(string a, string b) => Node("Div", [a, b]);

    public string Relu(string x) => Node("Relu", [x]);

    public string Sigmoid(string x) => Node("Sigmoid", [x]);

    public string Tanh(string x) => Node("Tanh", [x]);

    public string Exp(string x) => Node("Exp", [x]);

    /// <summary>Limits values to a range.</summary>
    public string Clip(string x, double least, double most) => Node("Clip", [x, Number(least), Number(most)]);

    /// <summary>Sums over an axis, which is removed, or stays with length 1.</summary>
    public string Sum(string x, long axis, bool stays = false) => Node("ReduceSum", [x, Integers(axis)], Attribute("keepdims", stays ? 1 : 0));

    /// <summary>Maxima over an axis, which is removed.</summary>
    public string Max(string x, long axis) => Node("ReduceMax", [x], Attribute("axes", [axis]), Attribute("keepdims", 0));

    /// <summary>The entries at the given places of an axis.</summary>
    public string Gather(string x, string places, long axis) => Node("Gather", [x, places], Attribute("axis", axis));

    /// <summary>The same elements in another shape; 0 keeps a dimension, −1 takes what is left.</summary>
    public string Reshape(string x, params long[] shape) => Node("Reshape", [x, Integers(shape)]);

    public string Transpose(string x, params long[] axes) => Node("Transpose", [x], Attribute("perm", axes));

    public string Softmax(string x, long axis = -1) => Node("Softmax", [x], Attribute("axis", axis));

    /// <summary>Joins values along the last axis.</summary>
    public string Concat(params string[] xs) => Concat(-1, xs);

    public string Concat(long axis, params string[] xs) => Node("Concat", xs, Attribute("axis", axis));

    /// <summary>The entries along an axis from one place up to another, which is excluded.</summary>
    public string Slice(string x, long from, long to, long axis = -1) => Node("Slice", [x, Integers(from), Integers(to), Integers(axis)]);

    /// <summary>Appends one entry with the given value at the end of an axis.</summary>
    public string Append(string x, int rank, int axis, double value)
    {
        long[] margins = new long[2 * rank];
        margins[rank + axis] = 1;
        return Node("Pad", [x, Integers(margins), Number(value)]);
    }

    /// <summary>Repeats a value [1, ..] of the given rank for each item of another value's first axis.</summary>
    public string Repeat(string x, int rank, string like)
    {
        string items = Node("Shape", [like], Attribute("end", 1));
        return Node("Expand", [x, Concat(0, items, Integers([.. Enumerable.Repeat(1L, rank - 1)]))]);
    }

    /// <summary>The parameter with the given name.</summary>
    public string Weight(string name) => Constant(name, weights.Shape(name), weights.Values(name));

    /// <summary>x·W + b of a linear layer.</summary>
    public string Linear(string layer, string x) => Add(MatMul(x, Weight(layer + ".weight")), Weight(layer + ".bias"));

    /// <summary>x_k·W_k + b_k of a layer with weights of its own for each of K capsules: [b, K, in] → [b, K, out].</summary>
    public string LinearEach(string layer, string x)
    {
        int[] shape = weights.Shape(layer + ".weight");
        string product = MatMul(Reshape(x, 0, shape[0], 1, shape[1]), Weight(layer + ".weight"));
        string said = Reshape(product, 0, shape[0], shape[2]);
        return weights.Has(layer + ".bias") ? Add(said, Weight(layer + ".bias")) : said;
    }

    /// <summary>A layer norm, or the value itself if the network has no such layer.</summary>
    public string NormalisedIfAny(string layer, string x) =>
        weights.Has(layer + ".gain") ? Node("LayerNormalization", [x, Weight(layer + ".gain"), Weight(layer + ".bias")]) : x;

    /// <summary>The finished model, with metadata that identify the run it comes from.</summary>
    public OnnxModel Model(string version, IEnumerable<(string Key, string Value)> metadata) => new()
    {
        IrVersion = FormatVersion,
        ProducerName = "scae",
        ProducerVersion = version,
        Graph = _graph,
        OpsetImport = { new OnnxOperators { Version = OperatorsVersion } },
        MetadataProps = { metadata.Select(pair => new OnnxText { Key = pair.Key, Value = pair.Value }) },
    };

    private void Output(string name, string value, int type, object[] shape)
    {
        _graph.Node.Add(new OnnxNode { OpType = "Identity", Name = name, Input = { value }, Output = { name } });
        _graph.Output.Add(Value(name, type, shape));
    }

    private string Fresh(string kind) => $"{kind}_{_graph.Node.Count + _graph.Initializer.Count}";

    private static ByteString Bytes<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        if (!BitConverter.IsLittleEndian) throw new PlatformNotSupportedException("ONNX files are written on little-endian machines alone");
        return ByteString.CopyFrom(MemoryMarshal.AsBytes(values));
    }

    private static OnnxValue Value(string name, int type, object[] shape) => new()
    {
        Name = name,
        Type = new OnnxType
        {
            TensorType = new OnnxTensorType
            {
                ElemType = type,
                Shape = new OnnxShape { Dim = { shape.Select(size => size is string word ? new OnnxDimension { DimParam = word } : new OnnxDimension { DimValue = Convert.ToInt64(size) }) } },
            },
        },
    };
}
