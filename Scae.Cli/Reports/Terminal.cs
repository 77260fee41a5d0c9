using System;
using System.IO;
using System.Linq;

namespace Scae.Cli.Reports;

/// <summary>What the terminal can show.</summary>
internal static class Terminal
{
    /// <summary>Whether output goes elsewhere. Tests that call the program set this, wherever their own output goes.</summary>
    internal static bool IsElsewhere { get; set; } = Console.IsOutputRedirected;

    /// <summary>How many columns the terminal has; null if output goes elsewhere, or the terminal doesn't say.</summary>
    public static int? Width
    {
        get
        {
            if (IsElsewhere) return null;
            try
            {
                return Console.WindowWidth is var width and > 0 ? width : null;
            }
            catch (IOException)
            {
                return null;
            }
        }
    }

    /// <summary>
    /// Whether characters beyond ASCII are shown. They aren't if the locale's variables name another encoding than UTF-8,
    /// or C. If none is set, as in most containers, UTF-8 is more likely.
    /// </summary>
    public static bool SpeaksUnicode(Func<string, string?> variable)
    {
        string? locale = new[] { "LC_ALL", "LC_CTYPE", "LANG" }.Select(variable).FirstOrDefault(value => !string.IsNullOrEmpty(value));
        return OperatingSystem.IsWindows() || locale is null || locale.Replace("-", string.Empty, StringComparison.Ordinal).Contains("utf8", StringComparison.OrdinalIgnoreCase);
    }
}
