using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using Google.Protobuf;

namespace Scae.Cli.Export;

/// <summary>Puts an ONNX graph together: each method adds something and returns the name by which others call its value.</summary>
internal sealed class GraphBuilder(string name)
{
    // The versions of format and operators: old enough for every runtime of the last years.
    private const int FormatVersion = 8, OperatorsVersion = 17;

    private const int Float32 = 1, Int64 = 7;
    private const int OfInteger = 2, OfIntegers = 7;

    private readonly OnnxGraph _graph = new() { Name = name };

    /// <summary>An input; a dimension is a number, or a name for what is known only when the model runs.</summary>
    public string Input(string name, params object[] shape)
    {
        _graph.Input.Add(Value(name, shape));
        return name;
    }

    public void Output(string name, string value, params object[] shape)
    {
        _graph.Node.Add(new OnnxNode { OpType = "Identity", Name = name, Input = { value }, Output = { name } });
        _graph.Output.Add(Value(name, shape));
    }

    /// <summary>A constant of float32.</summary>
    public string Constant(string name, IEnumerable<int> shape, ReadOnlySpan<float> values)
    {
        _graph.Initializer.Add(new OnnxTensor { Name = name, DataType = Float32, Dims = { shape.Select(size => (long)size) }, RawData = Bytes(values) });
        return name;
    }

    /// <summary>A single number.</summary>
    public string Number(double value) => Constant(Fresh("number"), [], [(float)value]);

    /// <summary>Whole numbers, as shapes and axes are.</summary>
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

    public string Relu(string x) => Node("Relu", [x]);

    /// <summary>The same elements in another shape; 0 keeps a dimension, −1 takes what is left.</summary>
    public string Reshape(string x, params long[] shape) => Node("Reshape", [x, Integers(shape)]);

    public string Transpose(string x, params long[] axes) => Node("Transpose", [x], Attribute("perm", axes));

    public string Softmax(string x) => Node("Softmax", [x], Attribute("axis", -1));

    public string Concat(params string[] xs) => Node("Concat", xs, Attribute("axis", -1));

    /// <summary>What lies from one place to before another along the last axis.</summary>
    public string Slice(string x, long from, long to) => Node("Slice", [x, Integers(from), Integers(to), Integers(-1)]);

    /// <summary>The model, with what identifies the run that it comes from.</summary>
    public OnnxModel Model(string version, IEnumerable<(string Key, string Value)> metadata) => new()
    {
        IrVersion = FormatVersion,
        ProducerName = "scae",
        ProducerVersion = version,
        Graph = _graph,
        OpsetImport = { new OnnxOperators { Version = OperatorsVersion } },
        MetadataProps = { metadata.Select(pair => new OnnxText { Key = pair.Key, Value = pair.Value }) },
    };

    private string Fresh(string kind) => $"{kind}_{_graph.Node.Count + _graph.Initializer.Count}";

    private static ByteString Bytes<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        if (!BitConverter.IsLittleEndian) throw new PlatformNotSupportedException("ONNX files are written on little-endian machines alone");
        return ByteString.CopyFrom(MemoryMarshal.AsBytes(values));
    }

    private static OnnxValue Value(string name, object[] shape) => new()
    {
        Name = name,
        Type = new OnnxType
        {
            TensorType = new OnnxTensorType
            {
                ElemType = Float32,
                Shape = new OnnxShape { Dim = { shape.Select(size => size is string word ? new OnnxDimension { DimParam = word } : new OnnxDimension { DimValue = Convert.ToInt64(size) }) } },
            },
        },
    };
}
