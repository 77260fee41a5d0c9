using System;
using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Sums to which many terms are added one after the other, each in T. After every few terms the sums move to totals in
/// double, so that long sums don't drift. Short sums have the same bits as without this.
/// </summary>
internal ref struct LongSums<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>How many terms are added in T by default: the error is at most half of this many units in the last place.</summary>
    public const int Few = 16;

    private readonly Span<T> _sums;
    private readonly int _slot;
    private readonly int _few;
    private Span<double> _totals;
    private int _terms;

    /// <param name="sums">The sums to which the caller adds.</param>
    /// <param name="slot">The slot of doubles in which the totals are kept.</param>
    /// <param name="few">How many terms are added in T before the sums move to the totals.</param>
    public LongSums(Span<T> sums, int slot, int few = Few)
    {
        _sums = sums;
        _slot = slot;
        _few = few;
    }

    /// <summary>Must be called before each term is added.</summary>
    public void Next()
    {
        if (_terms++ < _few) return;
        if (_totals.IsEmpty)
        {
            _totals = Scratch.Take<double>(_slot, _sums.Length);
            _totals.Clear();
        }

        for (int i = 0; i < _sums.Length; i++) _totals[i] += double.CreateTruncating(_sums[i]);
        _sums.Clear();
        _terms = 1;
    }

    /// <summary>Must be called after the last term: adds the totals to the sums.</summary>
    public readonly void Finish()
    {
        for (int i = 0; i < _totals.Length; i++) _sums[i] = T.CreateTruncating(_totals[i] + double.CreateTruncating(_sums[i]));
    }
}
