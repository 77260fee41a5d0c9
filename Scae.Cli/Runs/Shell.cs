using System;
using System.Linq;

namespace Scae.Cli.Runs;

/// <summary>Command lines for users to paste.</summary>
internal static class Shell
{
    /// <summary>A word as the system's shell wants it: plain where nothing in it is special, else between quotes.</summary>
    public static string Quote(string word) => Quote(word, OperatingSystem.IsWindows());

    /// <summary>
    /// The same for a POSIX shell, or for those of Windows: there the backslash separates folders, and programs read double quotes,
    /// which no name of a file contains, before which backslashes count twice. Names with $ or % in them aren't covered there.
    /// </summary>
    internal static string Quote(string word, bool isWindows) =>
        word.Length > 0 && word.All(symbol => IsPlain(symbol, isWindows)) ? word
        : isWindows ? $"\"{word}{new string('\\', word.Length - word.TrimEnd('\\').Length)}\""
        : "'" + word.Replace("'", "'\\''") + "'";

    private static bool IsPlain(char symbol, bool isWindows) =>
        char.IsLetterOrDigit(symbol) || "-_./:=+".Contains(symbol) || (isWindows ? "\\" : ",@%").Contains(symbol);
}
