using System;
using System.IO;
using System.Text;
using Scae.Cli.Runs;
using Spectre.Console;

namespace Scae.Cli.Reports;

/// <summary>
/// The terminal as Spectre.Console sees it. Its width is asked for at each drawing, so that displays follow a window that
/// changes its size.
/// </summary>
internal sealed class TerminalOutput(TextWriter writer) : IAnsiConsoleOutput
{
    // Where the terminal doesn't say.
    private const int UsualWidth = 80, UsualHeight = 24;

    public TextWriter Writer => writer;

    public bool IsTerminal => true;

    public int Width => Terminal.Width ?? UsualWidth;

    public int Height => Terminal.Height ?? UsualHeight;

    public void SetEncoding(Encoding encoding) => Console.OutputEncoding = encoding;
}

/// <summary>
/// Writes what a live display draws. If the terminal goes away, as when its window is closed, nobody reads that, and a training
/// goes on without it.
/// </summary>
internal sealed class LiveWriter(TextWriter inner) : TextWriter(inner.FormatProvider)
{
    private volatile bool _isGone;

    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Try(() => inner.Write(value));

    public override void Write(string? value) => Try(() => inner.Write(value));

    public override void Write(char[] buffer, int index, int count) => Try(() => inner.Write(buffer, index, count));

    public override void WriteLine(string? value) => Try(() => inner.WriteLine(value));

    public override void Flush() => Try(inner.Flush);

    private void Try(Action write)
    {
        if (_isGone) return;
        try
        {
            write();
        }
        catch (Exception problem) when (problem is RunFailure || FileProblem.Is(problem))
        {
            _isGone = true;
        }
    }
}
