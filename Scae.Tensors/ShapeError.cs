using System;

namespace Scae.Tensors;

/// <summary>
/// Raised when the shapes or dtypes of the operands don't fit an operation. The message is one line that names the
/// operation, what came, and what would have fitted.
/// </summary>
public sealed class ShapeError : ArgumentException
{
    /// <summary>An error with the given one-line message.</summary>
    public ShapeError(string message)
        : base(message)
    {
    }

    /// <summary>An error of <paramref name="operation"/>: "matmul: [2, 3] and [4, 5] …".</summary>
    internal static ShapeError Of(string operation, string message) => new($"{operation}: {message}");
}
