using System.Linq;

namespace Scae.Cli.Runs;

/// <summary>Command lines to be pasted.</summary>
internal static class Shell
{
    /// <summary>A word as it is where a shell reads it so, between single quotes elsewhere.</summary>
    public static string Quote(string word) =>
        word.Length > 0 && word.All(IsPlain) ? word : "'" + word.Replace("'", "'\\''") + "'";

    private static bool IsPlain(char symbol) => char.IsLetterOrDigit(symbol) || "-_./,:=+@%".Contains(symbol);
}
