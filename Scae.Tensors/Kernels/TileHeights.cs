namespace Scae.Tensors.Kernels;

/// <summary>
/// Distributes rows evenly over as few tiles as can hold them: the first <see cref="Taller"/> tiles have one row more than
/// <see cref="Rows"/>.
/// </summary>
/// <remarks>
/// m = 30 makes 10 + 10 + 10 and not 14 + 14 + 2: a tile of few rows waits for its own sums, since a fused multiply-add
/// takes four cycles and two start in each.
/// </remarks>
internal readonly struct TileHeights
{
    /// <summary>Distributes m ≥ 1 rows over tiles of at most <paramref name="most"/>.</summary>
    public TileHeights(int m, int most)
    {
        Tiles = (int)((uint)(m + most - 1) / (uint)most);
        Rows = (int)((uint)m / (uint)Tiles);
        Taller = m - Rows * Tiles;
    }

    /// <summary>How many tiles there are.</summary>
    public int Tiles { get; }

    /// <summary>Rows of the lower tiles.</summary>
    public int Rows { get; }

    /// <summary>How many of the tiles have one row more; they come first.</summary>
    public int Taller { get; }

    /// <summary>The rows of a tile.</summary>
    public int Of(int tile) => tile < Taller ? Rows + 1 : Rows;
}
