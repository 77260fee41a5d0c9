using System;
using System.Numerics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// Sums to which many terms are added one after the other, each in T. After some terms what has come together goes to totals
/// in double, so that long sums don't drift; short ones are as they would be without.
/// </summary>
internal ref struct LongSums<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Terms that are added in T: the error is at most half of this many units in the last place.</summary>
    public const int Few = 16;

    private readonly Span<T> _sums;
    private readonly int _slot;
    private readonly int _few;
    private Span<double> _totals;
    private int _terms;

    /// <param name="sums">The sums to which the caller adds.</param>
    /// <param name="slot">The slot of doubles in which the totals are kept.</param>
    /// <param name="few">Terms that are added in T.</param>
    public LongSums(Span<T> sums, int slot, int few = Few)
    {
        _sums = sums;
        _slot = slot;
        _few = few;
    }

    /// <summary>To be called before a term is added.</summary>
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

    /// <summary>To be called after the last term: the sums are whole.</summary>
    public readonly void Finish()
    {
        for (int i = 0; i < _totals.Length; i++) _sums[i] = T.CreateTruncating(_totals[i] + double.CreateTruncating(_sums[i]));
    }
}
