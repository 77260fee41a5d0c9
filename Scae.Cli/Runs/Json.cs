using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Scae.Cli.Runs;

/// <summary>How this program writes JSON.</summary>
internal static class Json
{
    public static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        // A run's files are the same on every system.
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Whether an exception means that a text isn't JSON, or doesn't have the expected form.</summary>
    public static bool IsDamage(Exception problem) =>
        problem is JsonException or InvalidOperationException or NullReferenceException or FormatException or ArgumentException;

    /// <summary>A number; null for NaN and infinities, which JSON doesn't have.</summary>
    public static JsonNode? Number(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;

    // Numbers of code pages.
    private const int Utf8 = 65001;
    private const int Utf16 = 1200;

    /// <summary>Writes JSON to standard output.</summary>
    public static void Print(JsonNode json) => Print(json.ToJsonString(Indented));

    /// <summary>Writes a text in JSON to standard output.</summary>
    public static void Print(string json) => Console.Out.WriteLine(Text(json, Console.Out.Encoding));

    /// <summary>
    /// A text in JSON for an encoding: one that doesn't have all of Unicode gets what is beyond ASCII, which occurs in JSON's strings
    /// alone, as escapes. So what is printed can be read as UTF-8 whatever the locale. (Texts in memory are UTF-16.)
    /// </summary>
    internal static string Text(string json, Encoding encoding) => encoding.CodePage is Utf8 or Utf16
        ? json
        : string.Concat(json.Select(symbol => char.IsAscii(symbol) ? symbol.ToString() : $"\\u{(int)symbol:x4}"));

    /// <summary>Hyperparameters as an object of texts.</summary>
    public static JsonObject Object(IEnumerable<Tuple<string, string>> settings) =>
        new(settings.Select(pair => KeyValuePair.Create(pair.Item1, (JsonNode?)pair.Item2)));

    /// <summary>Named numbers as an object.</summary>
    public static JsonObject Object(IEnumerable<Tuple<string, double>> values)
    {
        var result = new JsonObject();
        foreach (var (name, value) in values) result[name] = Number(value);
        return result;
    }
}
