using System;
using System.Runtime.CompilerServices;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <summary>
/// Numbers along any number of axes, float32 by default and float64 for checking gradients. New tensors are dense and in
/// row-major order; views may have other strides. Operations are methods with DiffSharp's names. A tensor's values never
/// change after it was made, except those of parameters and of the inputs of a recorded step, which are written in place.
/// </summary>
public sealed partial class Tensor
{
    private readonly int[] _shape;
    private readonly int[] _strides;
    private readonly int _offset;

    private Tensor(Storage storage, int[] shape, int[] strides, int offset)
    {
        Storage = storage;
        _shape = shape;
        _strides = strides;
        nelement = Shape.Count(shape);

        // An empty slice may begin behind its storage's end.
        _offset = nelement == 0 ? 0 : offset;
        IsDense = Shape.IsDense(shape, strides);
    }

    /// <summary>The element type.</summary>
    public Dtype dtype => Storage.Dtype;

    /// <summary>The size of each axis; a copy, empty for a scalar.</summary>
    public int[] shape => (int[])_shape.Clone();

    /// <summary>The number of axes.</summary>
    public int dim => _shape.Length;

    /// <summary>The number of elements.</summary>
    public int nelement { get; }

    internal Storage Storage { get; }

    /// <summary>Which rows are valid, when only some are: see <see cref="pack"/>.</summary>
    internal PackedRows? Packed { get; set; }

    /// <summary>The sizes without a copy.</summary>
    internal ReadOnlySpan<int> Sizes => _shape;

    /// <summary>Elements between neighbours along each axis; 0 where an axis was expanded.</summary>
    internal ReadOnlySpan<int> Strides => _strides;

    /// <summary>Whether the elements lie densely in row-major order, so that one span covers them.</summary>
    internal bool IsDense { get; }

    /// <summary>The size of one axis, which may count from the back.</summary>
    /// <exception cref="ShapeError">There is no such axis.</exception>
    public int size(int axis) => _shape[Shape.Axis("size", axis, dim)];

    /// <summary>The value of a tensor of one element, as a double.</summary>
    /// <exception cref="ShapeError">The tensor doesn't have exactly one element.</exception>
    /// <exception cref="InvalidOperationException">A recording is under way.</exception>
    public double toScalar()
    {
        if (nelement != 1) throw ShapeError.Of("toScalar", $"a tensor of shape {Shape.Text(_shape)} has {nelement} elements, not one");
        RefuseReadingWhileRecording("toScalar");
        return dtype switch
        {
            Dtype.Float32 => Storage.Span<float>(_offset, 1)[0],
            Dtype.Float64 => Storage.Span<double>(_offset, 1)[0],
            _ => Storage.Span<int>(_offset, 1)[0],
        };
    }

    /// <summary>A copy of the elements in row-major order.</summary>
    /// <exception cref="ShapeError">T isn't the element type: float for Float32, double for Float64, int for Int32.</exception>
    /// <exception cref="InvalidOperationException">A recording is under way.</exception>
    public T[] toArray<T>()
        where T : unmanaged
    {
        RefuseReadingWhileRecording("toArray");
        CheckElement<T>("toArray");
        T[] result = new T[nelement];
        CopyElements<T>(result);
        return result;
    }

    /// <summary>Copies the elements in row-major order into a span of the same length.</summary>
    /// <exception cref="ShapeError">T isn't the element type, or the length differs.</exception>
    /// <exception cref="InvalidOperationException">A recording is under way.</exception>
    public void CopyTo<T>(Span<T> destination)
        where T : unmanaged
    {
        RefuseReadingWhileRecording("CopyTo");
        CheckElement<T>("CopyTo");
        if (destination.Length != nelement) throw ShapeError.Of("CopyTo", $"{nelement} elements into a span of {destination.Length}");
        CopyElements(destination);
    }

    /// <summary>
    /// The elements themselves, to be read or, for parameters and for inputs of a recorded step, written in place.
    /// </summary>
    /// <exception cref="ShapeError">T isn't the element type, or the tensor is a view that isn't dense.</exception>
    /// <exception cref="InvalidOperationException">A recording is under way, and the tensor is the result of an operation.</exception>
    public Span<T> Elements<T>()
        where T : unmanaged
    {
        if (Creator is not null) RefuseReadingWhileRecording("Elements");
        CheckElement<T>("Elements");
        if (!IsDense) throw ShapeError.Of("Elements", $"a view of shape {Shape.Text(_shape)} isn't dense; call contiguous() first");
        return Storage.Span<T>(_offset, nelement);
    }

    /// <summary>The elements of a dense tensor, unchecked: kernels have checked before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Span<T> Data<T>()
        where T : unmanaged => Storage.Span<T>(_offset, nelement);

    /// <summary>Everything from the first element to the storage's end, for kernels that walk strides.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Span<T> FromFirst<T>()
        where T : unmanaged => Storage.Span<T>(_offset, Storage.Length - _offset);

    /// <summary>A new tensor over other strides of the same storage.</summary>
    internal Tensor Reinterpret(int[] shape, int[] strides, int offset) => new(Storage, shape, strides, offset);

    internal static Tensor Allocate(Dtype dtype, int[] shape) =>
        new(Storage.Zeros(dtype, Shape.Count(shape)), shape, Shape.DenseStrides(shape), 0);

    internal static Tensor Over(Storage storage, int[] shape) =>
        new(storage, shape, Shape.DenseStrides(shape), 0);

    internal int Offset => _offset;

    /// <summary>Shape, type and elements; of large tensors the ends of each axis. While an operation is recorded, no elements.</summary>
    public override string ToString()
    {
        string head = $"tensor {Shape.Text(_shape)} {dtype}";
        if (Recording.IsActive) return head;
        string elements = dtype switch
        {
            Dtype.Float32 => Text<float>(),
            Dtype.Float64 => Text<double>(),
            _ => Text<int>(),
        };
        return head + (dim > 1 ? "\n" : ": ") + elements;
    }

    private string Text<T>()
        where T : unmanaged, IFormattable => TensorText.Of(at => Storage.Span<T>(at, 1)[0], _shape, _strides, _offset);

    private void CopyElements<T>(Span<T> destination)
        where T : unmanaged
    {
        if (IsDense) Storage.Span<T>(_offset, nelement).CopyTo(destination);
        else Kernels.StridedCopy.Gather<T>(Storage.Span<T>(0, Storage.Length), _offset, _shape, _strides, destination);
    }

    private void CheckElement<T>(string operation)
    {
        var expected = dtype switch { Dtype.Float32 => typeof(float), Dtype.Float64 => typeof(double), _ => typeof(int) };
        if (typeof(T) != expected)
            throw ShapeError.Of(operation, $"a {dtype} tensor holds {expected.Name}, not {typeof(T).Name}; cast it first");
    }

    private void RefuseReadingWhileRecording(string operation)
    {
        if (Recording.IsActive)
            throw new InvalidOperationException($"{operation}: a recorded step is replayed with other data, so it can't depend on a value read while recording; use where, gather or a mask instead");
    }
}
