using System.Collections.Generic;
using System.Linq;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Scae.Cli.Reports;

/// <summary>
/// A table, if the terminal is wide enough for every word; otherwise a list in which each row's cells stand below each
/// other, with the names of their columns. Spectre.Console would break words when a table doesn't fit.
/// </summary>
/// <param name="columns">The names of the columns, as markup.</param>
internal sealed class FittedTable(params string[] columns) : Renderable
{
    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row: a cell for each column, as markup.</summary>
    public FittedTable AddRow(params string[] cells)
    {
        _rows.Add(cells);
        return this;
    }

    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth) =>
        ((IRenderable)(Widths(maxWidth) is { } widths ? AsTable(widths, options.Unicode) : AsList())).Render(options, maxWidth);

    /// <summary>
    /// How wide each column becomes: its longest word, and as much more as its longest line wants and the room allows. Null
    /// if the words alone are too long.
    /// </summary>
    private int[]? Widths(int room)
    {
        int[] widths = Longest(' ', '\n'), wanted = Longest('\n');

        // A border and two spaces for each column, and the last border.
        int spare = room - 1 - (3 * columns.Length) - widths.Sum();
        if (spare < 0) return null;

        // Columns that lack least are served first: a value then stays on one line, and long texts share what is left.
        foreach (int i in Enumerable.Range(0, columns.Length).OrderBy(i => wanted[i] - widths[i]).ToArray())
        {
            int more = System.Math.Min(spare, wanted[i] - widths[i]);
            widths[i] += more;
            spare -= more;
        }

        return widths;
    }

    private int[] Longest(params char[] separators) =>
        [.. columns.Select((column, i) => _rows.Select(row => row[i]).Append(column).Max(markup => Markup.Remove(markup).Split(separators).Max(part => part.Length)))];

    private Table AsTable(int[] widths, bool unicode)
    {
        var table = new Table().Border(unicode ? TableBorder.Rounded : TableBorder.Ascii);
        for (int i = 0; i < columns.Length; i++) table.AddColumn(new TableColumn(columns[i]) { Width = widths[i] });
        foreach (string[] row in _rows) table.AddRow(row);
        return table;
    }

    private Rows AsList() => new(_rows.Select(row => new Markup(string.Join('\n', row.Select(Line).Where(line => line.Length > 0)) + "\n")));

    private string Line(string cell, int column) =>
        cell.Length == 0 ? string.Empty : columns[column].Length == 0 ? cell : $"{columns[column]}: {cell.Replace("\n", ", ", System.StringComparison.Ordinal)}";
}
