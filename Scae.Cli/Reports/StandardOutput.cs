using System;
using System.IO;
using System.Text;
using Scae.Cli.Runs;

namespace Scae.Cli.Reports;

/// <summary>
/// Standard output that names itself when it can't be written. The system's own message names neither file nor stream, and
/// would be taken for a problem of the run's folder.
/// </summary>
internal sealed class StandardOutput(TextWriter inner) : TextWriter(inner.FormatProvider)
{
    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Named(() => inner.Write(value));

    public override void Write(string? value) => Named(() => inner.Write(value));

    public override void Write(char[] buffer, int index, int count) => Named(() => inner.Write(buffer, index, count));

    public override void WriteLine(string? value) => Named(() => inner.WriteLine(value));

    public override void Flush() => Named(inner.Flush);

    private static void Named(Action write)
    {
        try
        {
            write();
        }
        catch (Exception problem) when (FileProblem.Is(problem) || problem is ObjectDisposedException)
        {
            throw new RunFailure($"standard output can't be written ({FileProblem.Text(problem)}); train and sweep write nothing there with --quiet");
        }
    }
}
