using System.Collections.Generic;
using Scae.Core;

namespace Scae.Cli.Runs;

/// <summary>The pictures of a run as files.</summary>
internal static class FigureFiles
{
    /// <summary>Draws everything that a training has to show; the names of the files written.</summary>
    public static List<string> Write(RunFolder folder, Session session, History history)
    {
        var written = new List<string>();
        return written;
    }
}
