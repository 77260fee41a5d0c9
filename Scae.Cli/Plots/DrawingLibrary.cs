using System;
using System.IO;

namespace Scae.Cli.Plots;

/// <summary>SkiaSharp's native library, which a system may be unable to load.</summary>
internal static class DrawingLibrary
{
    /// <summary>
    /// Draws. If the library can't be loaded, an IOException says so: whoever writes a picture then tells of it as of a file that can't
    /// be written.
    /// </summary>
    public static void Use(Action draw)
    {
        try
        {
            draw();
        }
        catch (Exception problem) when (Missing(problem) is { } missing)
        {
            // The runtime's message goes on with advice on how to look for the reason.
            string reason = missing.Message.Split(['\n'], 2)[0].Split(". ", 2)[0].Trim().TrimEnd('.');
            throw new IOException($"the library for drawing can't be loaded ({reason})", problem);
        }
    }

    private static Exception? Missing(Exception problem) => problem switch
    {
        DllNotFoundException or BadImageFormatException or EntryPointNotFoundException => problem,
        TypeInitializationException or AggregateException => problem.InnerException is { } inner ? Missing(inner) : null,
        _ => null,
    };
}
