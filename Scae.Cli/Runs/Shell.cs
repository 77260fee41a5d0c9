using System.Linq;

namespace Scae.Cli.Runs;

/// <summary>Command lines for users to paste.</summary>
internal static class Shell
{
    /// <summary>A word as a shell wants it: plain where nothing in it is special, else between single quotes.</summary>
    public static string Quote(string word) =>
        word.Length > 0 && word.All(IsPlain) ? word : "'" + word.Replace("'", "'\\''") + "'";

    private static bool IsPlain(char symbol) => char.IsLetterOrDigit(symbol) || "-_./,:=+@%".Contains(symbol);
}
