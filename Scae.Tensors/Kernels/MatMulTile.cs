using System.Numerics;
using System.Runtime.CompilerServices;

namespace Scae.Tensors.Kernels;

/// <summary>A number known to the compiler: how many rows a tile has.</summary>
internal interface IRows
{
    /// <summary>The number.</summary>
    static abstract int Count { get; }
}

/// <summary>How wide a tile is, known to the compiler: one vector or two, the last of them whole or masked.</summary>
internal interface IColumns
{
    /// <summary>Whether the tile is two vectors wide.</summary>
    static abstract bool Two { get; }

    /// <summary>Whether the last vector is masked.</summary>
    static abstract bool Masked { get; }
}

/// <summary>
/// The innermost part of every matrix product: a tile of C that stays in registers while k runs.
/// </summary>
internal static unsafe class MatMulTile
{
    /// <summary>The most rows that <see cref="Multiply"/> is written for.</summary>
    public const int MaxRows = 14;

    /// <summary>
    /// C[r, j] = fma(… fma(fma(start, A[r, 0], B[0, j]) …), A[r, k−1], B[k−1, j]), start = accumulate ? C[r, j] : 0, for
    /// <paramref name="tiles"/> tiles of TRows rows; the operands of the next are aNext, bNext and cNext elements further.
    /// </summary>
    /// <remarks>
    /// Strides are in elements; B's columns lie side by side. Only <paramref name="last"/> numbers of the last vector
    /// are read and written when TColumns is masked. With cNext = 0 the tiles are summed. Each local below is a register
    /// (28 sums, two of B, one of A make 31 of AVX-512's 32); an array or a struct of them would live in memory.
    /// </remarks>
    // AggressiveOptimization: without it the first calls run unoptimised code that keeps every local in memory, a
    // hundred times slower, until the tiers catch up. There is nothing here for a profile to improve.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<T, TVector, TLanes, TRows, TColumns>(
        int tiles, int k, T* a, nint aNext, nint aRow, nint aCol, T* b, nint bNext, nint bRow, T* c, nint cNext, nint ldc,
        int last, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
        where TRows : struct, IRows
        where TColumns : struct, IColumns
    {
        TVector mask = TColumns.Masked ? TLanes.First(last) : TLanes.Zero;
        int right = TLanes.Count;
        for (; tiles > 0; tiles--)
        {
            TVector l0 = TLanes.Zero, r0 = TLanes.Zero;
            TVector l1 = TLanes.Zero, r1 = TLanes.Zero;
            TVector l2 = TLanes.Zero, r2 = TLanes.Zero;
            TVector l3 = TLanes.Zero, r3 = TLanes.Zero;
            TVector l4 = TLanes.Zero, r4 = TLanes.Zero;
            TVector l5 = TLanes.Zero, r5 = TLanes.Zero;
            TVector l6 = TLanes.Zero, r6 = TLanes.Zero;
            TVector l7 = TLanes.Zero, r7 = TLanes.Zero;
            TVector l8 = TLanes.Zero, r8 = TLanes.Zero;
            TVector l9 = TLanes.Zero, r9 = TLanes.Zero;
            TVector l10 = TLanes.Zero, r10 = TLanes.Zero;
            TVector l11 = TLanes.Zero, r11 = TLanes.Zero;
            TVector l12 = TLanes.Zero, r12 = TLanes.Zero;
            TVector l13 = TLanes.Zero, r13 = TLanes.Zero;
            if (accumulate)
            {
                T* from = c;
                (l0, r0) = LoadRow<T, TVector, TLanes, TColumns>(from, mask);
                if (TRows.Count > 1) (l1, r1) = LoadRow<T, TVector, TLanes, TColumns>(from += ldc, mask);
                if (TRows.Count > 2) (l2, r2) = LoadRow<T, TVector, TLanes, TColumns>(from += ldc, mask);
                if (TRows.Count > 3) (l3, r3) = LoadRow<T, TVector, TLanes, TColumns>(from += ldc, mask);
                if (TRows.Count > 4) (l4, r4) = LoadRow<T, TVector, TLanes, TColumns>(from += ldc, mask);
                if (TRows.Count > 5) (l5, r5) = LoadRow<T, TVector, TLanes, TColumns>(from += ldc, mask);
                if (TRows.Count > 6) (l6, r6) = LoadRow<T, TVector, TLanes, TColumns>(from += ldc, mask);
                if (TRows.Count > 7) (l7, r7) = LoadRow<T, TVector, TLanes, TColumns>(from += ldc, mask);
                if (TRows.Count > 8) (l8, r8) = LoadRow<T, TVector, TLanes, TColumns>(from += ldc, mask);
                if (TRows.Count > 9) (l9, r9) = LoadRow<T, TVector, TLanes, TColumns>(from += ldc, mask);
                if (TRows.Count > 10) (l10, r10) = LoadRow<T, TVector, TLanes, TColumns>(from += ldc, mask);
                if (TRows.Count > 11) (l11, r11) = LoadRow<T, TVector, TLanes, TColumns>(from += ldc, mask);
                if (TRows.Count > 12) (l12, r12) = LoadRow<T, TVector, TLanes, TColumns>(from += ldc, mask);
                if (TRows.Count > 13) (l13, r13) = LoadRow<T, TVector, TLanes, TColumns>(from += ldc, mask);
            }

            // Five pointers and multiples 1 and 2 of the stride reach all rows with x86's addressing modes.
            T* a0 = a, a3 = a + 3 * aRow, a6 = a + 6 * aRow, a9 = a + 9 * aRow, a12 = a + 12 * aRow;
            T* bp = b;
            for (int p = k; p > 0; p--)
            {
                TVector bl = !TColumns.Two && TColumns.Masked ? TLanes.LoadFirst(bp, mask) : TLanes.Load(bp);
                TVector br = !TColumns.Two ? TLanes.Zero
                    : TColumns.Masked ? TLanes.LoadFirst(bp + right, mask) : TLanes.Load(bp + right);

                AddRow<T, TVector, TLanes, TColumns>(*a0, bl, br, ref l0, ref r0);
                if (TRows.Count > 1) AddRow<T, TVector, TLanes, TColumns>(*(a0 + aRow), bl, br, ref l1, ref r1);
                if (TRows.Count > 2) AddRow<T, TVector, TLanes, TColumns>(*(a0 + 2 * aRow), bl, br, ref l2, ref r2);
                if (TRows.Count > 3) AddRow<T, TVector, TLanes, TColumns>(*a3, bl, br, ref l3, ref r3);
                if (TRows.Count > 4) AddRow<T, TVector, TLanes, TColumns>(*(a3 + aRow), bl, br, ref l4, ref r4);
                if (TRows.Count > 5) AddRow<T, TVector, TLanes, TColumns>(*(a3 + 2 * aRow), bl, br, ref l5, ref r5);
                if (TRows.Count > 6) AddRow<T, TVector, TLanes, TColumns>(*a6, bl, br, ref l6, ref r6);
                if (TRows.Count > 7) AddRow<T, TVector, TLanes, TColumns>(*(a6 + aRow), bl, br, ref l7, ref r7);
                if (TRows.Count > 8) AddRow<T, TVector, TLanes, TColumns>(*(a6 + 2 * aRow), bl, br, ref l8, ref r8);
                if (TRows.Count > 9) AddRow<T, TVector, TLanes, TColumns>(*a9, bl, br, ref l9, ref r9);
                if (TRows.Count > 10) AddRow<T, TVector, TLanes, TColumns>(*(a9 + aRow), bl, br, ref l10, ref r10);
                if (TRows.Count > 11) AddRow<T, TVector, TLanes, TColumns>(*(a9 + 2 * aRow), bl, br, ref l11, ref r11);
                if (TRows.Count > 12) AddRow<T, TVector, TLanes, TColumns>(*a12, bl, br, ref l12, ref r12);
                if (TRows.Count > 13) AddRow<T, TVector, TLanes, TColumns>(*(a12 + aRow), bl, br, ref l13, ref r13);
                a0 += aCol;
                if (TRows.Count > 3) a3 += aCol;
                if (TRows.Count > 6) a6 += aCol;
                if (TRows.Count > 9) a9 += aCol;
                if (TRows.Count > 12) a12 += aCol;
                bp += bRow;
            }

            T* to = c;
            StoreRow<T, TVector, TLanes, TColumns>(to, mask, l0, r0);
            if (TRows.Count > 1) StoreRow<T, TVector, TLanes, TColumns>(to += ldc, mask, l1, r1);
            if (TRows.Count > 2) StoreRow<T, TVector, TLanes, TColumns>(to += ldc, mask, l2, r2);
            if (TRows.Count > 3) StoreRow<T, TVector, TLanes, TColumns>(to += ldc, mask, l3, r3);
            if (TRows.Count > 4) StoreRow<T, TVector, TLanes, TColumns>(to += ldc, mask, l4, r4);
            if (TRows.Count > 5) StoreRow<T, TVector, TLanes, TColumns>(to += ldc, mask, l5, r5);
            if (TRows.Count > 6) StoreRow<T, TVector, TLanes, TColumns>(to += ldc, mask, l6, r6);
            if (TRows.Count > 7) StoreRow<T, TVector, TLanes, TColumns>(to += ldc, mask, l7, r7);
            if (TRows.Count > 8) StoreRow<T, TVector, TLanes, TColumns>(to += ldc, mask, l8, r8);
            if (TRows.Count > 9) StoreRow<T, TVector, TLanes, TColumns>(to += ldc, mask, l9, r9);
            if (TRows.Count > 10) StoreRow<T, TVector, TLanes, TColumns>(to += ldc, mask, l10, r10);
            if (TRows.Count > 11) StoreRow<T, TVector, TLanes, TColumns>(to += ldc, mask, l11, r11);
            if (TRows.Count > 12) StoreRow<T, TVector, TLanes, TColumns>(to += ldc, mask, l12, r12);
            if (TRows.Count > 13) StoreRow<T, TVector, TLanes, TColumns>(to += ldc, mask, l13, r13);
            a += aNext;
            b += bNext;
            c += cNext;
            accumulate |= cNext == 0;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (TVector Left, TVector Right) LoadRow<T, TVector, TLanes, TColumns>(T* c, TVector mask)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
        where TColumns : struct, IColumns
    {
        if (!TColumns.Two)
            return (TColumns.Masked ? TLanes.LoadFirst(c, mask) : TLanes.Load(c), TLanes.Zero);
        T* right = c + TLanes.Count;
        return (TLanes.Load(c), TColumns.Masked ? TLanes.LoadFirst(right, mask) : TLanes.Load(right));
    }

    /// <summary>Adds the products of one number of A to a row of sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddRow<T, TVector, TLanes, TColumns>(T a, TVector bl, TVector br, ref TVector left, ref TVector right)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
        where TColumns : struct, IColumns
    {
        TVector x = TLanes.Fill(a);
        left = TLanes.FusedMultiplyAdd(x, bl, left);
        if (TColumns.Two) right = TLanes.FusedMultiplyAdd(x, br, right);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreRow<T, TVector, TLanes, TColumns>(T* c, TVector mask, TVector left, TVector right)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
        where TColumns : struct, IColumns
    {
        if (!TColumns.Two)
        {
            if (TColumns.Masked) TLanes.StoreFirst(c, mask, left);
            else TLanes.Store(c, left);
            return;
        }

        TLanes.Store(c, left);
        if (TColumns.Masked) TLanes.StoreFirst(c + TLanes.Count, mask, right);
        else TLanes.Store(c + TLanes.Count, right);
    }
}
