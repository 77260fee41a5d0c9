using System;
using System.Globalization;

namespace Scae.Cli.Plots;

/// <summary>Prints the values of heatmap cells.</summary>
internal static class CellText
{
    /// <summary>A value in a .NET number format of the invariant culture, with a true minus; NaN is a dash.</summary>
    public static string Format(double value, string format)
    {
        if (double.IsNaN(value))
            return "–";
        try
        {
            string text = value.ToString(format, CultureInfo.InvariantCulture).Replace(" %", "%", StringComparison.Ordinal);
            return text.AsSpan().IndexOfAnyInRange('1', '9') < 0 ? text.TrimStart('-') : text.Replace('-', '−');
        }
        catch (FormatException)
        {
            throw new ArgumentException($"a heatmap's format is a .NET number format such as P0 or 0.0, got \"{format}\"");
        }
    }
}
