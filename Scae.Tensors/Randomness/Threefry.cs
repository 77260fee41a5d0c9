using System;
using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Scae.Tensors;

/// <summary>
/// Threefry-4x32-20: a keyed bijection on 128-bit counters (Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As
/// Easy as 1, 2, 3", SC 2011). Only additions, rotations and exclusive ors, so that a vector lane computes exactly what
/// the scalar form does. The tests hold it to the authors' known answers.
/// </summary>
internal static class Threefry
{
    /// <summary>Words in a group: 16 counters of 4 words.</summary>
    internal const int GroupLength = 64;

    private const int GroupCounters = 16;
    private const uint Parity = 0x1BD11BDA;

    // The paper's rotation distances: the pair of round r is (s_left[r % 8], s_right[r % 8]). Written out below, because
    // a rotation by a constant is one instruction.
    //   left   10 11 13 23  6 17 25 18
    //   right  26 21 27  5 20 11 10 20

    /// <summary>The four words of one counter: the definition that <see cref="FillGroup"/> agrees with.</summary>
    internal static (uint W0, uint W1, uint W2, uint W3) Block(in Key key, uint c0, uint c1, uint c2, uint c3)
    {
        uint k0 = key.K0, k1 = key.K1, k2 = key.K2, k3 = key.K3;
        uint k4 = Parity ^ k0 ^ k1 ^ k2 ^ k3;
        uint x0 = c0 + k0, x1 = c1 + k1, x2 = c2 + k2, x3 = c3 + k3;

        FirstFour(ref x0, ref x1, ref x2, ref x3);
        x0 += k1; x1 += k2; x2 += k3; x3 += k4 + 1;
        NextFour(ref x0, ref x1, ref x2, ref x3);
        x0 += k2; x1 += k3; x2 += k4; x3 += k0 + 2;
        FirstFour(ref x0, ref x1, ref x2, ref x3);
        x0 += k3; x1 += k4; x2 += k0; x3 += k1 + 3;
        NextFour(ref x0, ref x1, ref x2, ref x3);
        x0 += k4; x1 += k0; x2 += k1; x3 += k2 + 4;
        FirstFour(ref x0, ref x1, ref x2, ref x3);
        x0 += k0; x1 += k1; x2 += k2; x3 += k3 + 5;
        return (x0, x1, x2, x3);
    }

    /// <summary>
    /// A group of 64 words: word 16·w + l is word w of counter (16·group + l, purpose, attempt), for w in 0..3 and l in
    /// 0..15. Lanes lie side by side, so nothing needs to be transposed, whatever the width of a vector.
    /// </summary>
    internal static void FillGroup(in Key key, ulong group, uint purpose, uint attempt, Span<uint> words)
    {
        Debug.Assert(words.Length == GroupLength);
        uint low = (uint)(group * GroupCounters), high = (uint)(group * GroupCounters >> 32);

        // A lane's counter never carries into the high word: low is a multiple of 16.
        if (!Vector.IsHardwareAccelerated || Vector<uint>.Count > GroupCounters)
        {
            for (int lane = 0; lane < GroupCounters; lane++)
            {
                (words[lane], words[16 + lane], words[32 + lane], words[48 + lane]) =
                    Block(key, low + (uint)lane, high, purpose, attempt);
            }

            return;
        }

        uint k0 = key.K0, k1 = key.K1, k2 = key.K2, k3 = key.K3;
        uint k4 = Parity ^ k0 ^ k1 ^ k2 ^ k3;
        ref uint destination = ref MemoryMarshal.GetReference(words);
        for (int lane = 0; lane < GroupCounters; lane += Vector<uint>.Count)
        {
            var x0 = Vector<uint>.Indices + new Vector<uint>(low + (uint)lane + k0);
            var x1 = new Vector<uint>(high + k1);
            var x2 = new Vector<uint>(purpose + k2);
            var x3 = new Vector<uint>(attempt + k3);

            FirstFour(ref x0, ref x1, ref x2, ref x3);
            Inject(ref x0, ref x1, ref x2, ref x3, k1, k2, k3, k4 + 1);
            NextFour(ref x0, ref x1, ref x2, ref x3);
            Inject(ref x0, ref x1, ref x2, ref x3, k2, k3, k4, k0 + 2);
            FirstFour(ref x0, ref x1, ref x2, ref x3);
            Inject(ref x0, ref x1, ref x2, ref x3, k3, k4, k0, k1 + 3);
            NextFour(ref x0, ref x1, ref x2, ref x3);
            Inject(ref x0, ref x1, ref x2, ref x3, k4, k0, k1, k2 + 4);
            FirstFour(ref x0, ref x1, ref x2, ref x3);
            Inject(ref x0, ref x1, ref x2, ref x3, k0, k1, k2, k3 + 5);

            x0.StoreUnsafe(ref destination, (nuint)lane);
            x1.StoreUnsafe(ref destination, (nuint)(16 + lane));
            x2.StoreUnsafe(ref destination, (nuint)(32 + lane));
            x3.StoreUnsafe(ref destination, (nuint)(48 + lane));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FirstFour(ref uint x0, ref uint x1, ref uint x2, ref uint x3)
    {
        x0 += x1; x1 = BitOperations.RotateLeft(x1, 10) ^ x0;
        x2 += x3; x3 = BitOperations.RotateLeft(x3, 26) ^ x2;
        x0 += x3; x3 = BitOperations.RotateLeft(x3, 11) ^ x0;
        x2 += x1; x1 = BitOperations.RotateLeft(x1, 21) ^ x2;
        x0 += x1; x1 = BitOperations.RotateLeft(x1, 13) ^ x0;
        x2 += x3; x3 = BitOperations.RotateLeft(x3, 27) ^ x2;
        x0 += x3; x3 = BitOperations.RotateLeft(x3, 23) ^ x0;
        x2 += x1; x1 = BitOperations.RotateLeft(x1, 5) ^ x2;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void NextFour(ref uint x0, ref uint x1, ref uint x2, ref uint x3)
    {
        x0 += x1; x1 = BitOperations.RotateLeft(x1, 6) ^ x0;
        x2 += x3; x3 = BitOperations.RotateLeft(x3, 20) ^ x2;
        x0 += x3; x3 = BitOperations.RotateLeft(x3, 17) ^ x0;
        x2 += x1; x1 = BitOperations.RotateLeft(x1, 11) ^ x2;
        x0 += x1; x1 = BitOperations.RotateLeft(x1, 25) ^ x0;
        x2 += x3; x3 = BitOperations.RotateLeft(x3, 10) ^ x2;
        x0 += x3; x3 = BitOperations.RotateLeft(x3, 18) ^ x0;
        x2 += x1; x1 = BitOperations.RotateLeft(x1, 20) ^ x2;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FirstFour(ref Vector<uint> x0, ref Vector<uint> x1, ref Vector<uint> x2, ref Vector<uint> x3)
    {
        x0 += x1; x1 = Rotate(x1, 10) ^ x0;
        x2 += x3; x3 = Rotate(x3, 26) ^ x2;
        x0 += x3; x3 = Rotate(x3, 11) ^ x0;
        x2 += x1; x1 = Rotate(x1, 21) ^ x2;
        x0 += x1; x1 = Rotate(x1, 13) ^ x0;
        x2 += x3; x3 = Rotate(x3, 27) ^ x2;
        x0 += x3; x3 = Rotate(x3, 23) ^ x0;
        x2 += x1; x1 = Rotate(x1, 5) ^ x2;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void NextFour(ref Vector<uint> x0, ref Vector<uint> x1, ref Vector<uint> x2, ref Vector<uint> x3)
    {
        x0 += x1; x1 = Rotate(x1, 6) ^ x0;
        x2 += x3; x3 = Rotate(x3, 20) ^ x2;
        x0 += x3; x3 = Rotate(x3, 17) ^ x0;
        x2 += x1; x1 = Rotate(x1, 11) ^ x2;
        x0 += x1; x1 = Rotate(x1, 25) ^ x0;
        x2 += x3; x3 = Rotate(x3, 10) ^ x2;
        x0 += x3; x3 = Rotate(x3, 18) ^ x0;
        x2 += x1; x1 = Rotate(x1, 20) ^ x2;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Inject(
        ref Vector<uint> x0, ref Vector<uint> x1, ref Vector<uint> x2, ref Vector<uint> x3, uint a, uint b, uint c, uint d)
    {
        x0 += new Vector<uint>(a);
        x1 += new Vector<uint>(b);
        x2 += new Vector<uint>(c);
        x3 += new Vector<uint>(d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<uint> Rotate(Vector<uint> x, int distance) =>
        Vector.ShiftLeft(x, distance) | Vector.ShiftRightLogical(x, 32 - distance);
}
