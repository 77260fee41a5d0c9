namespace Scae.Cli.Plots;

/// <summary>Which part of a line of text stands at its anchor.</summary>
internal enum TextAlign
{
    Start,
    Middle,
    End,
}
