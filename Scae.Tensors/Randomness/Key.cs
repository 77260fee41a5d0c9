using System;

namespace Scae.Tensors;

/// <summary>
/// A random key: 128 bits from which any amount of randomness follows, as a pure function of the key.
/// </summary>
/// <remarks>
/// <para>
/// The generator is Threefry-4x32 with 20 rounds (Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3").
/// It has no state: element i of a fill is a function of key and i alone, so results depend neither on the number of
/// threads, nor on the width of a vector, nor on how long the span is. Deriving keys and drawing values use separate
/// counters and never meet.
/// </para>
/// <para>
/// A key is used once: two fills with the same key draw from the same words. Derive a key for each purpose by
/// <see cref="Named"/>, for each step or index by <see cref="Fold"/>, for a known number of parts by
/// <see cref="Split"/>. The default value is the key whose bits are zero, which is that of seed 0.
/// </para>
/// </remarks>
public readonly partial struct Key : IEquatable<Key>
{
    internal readonly uint K0;
    internal readonly uint K1;
    internal readonly uint K2;
    internal readonly uint K3;

    internal Key(uint k0, uint k1, uint k2, uint k3)
    {
        K0 = k0;
        K1 = k1;
        K2 = k2;
        K3 = k3;
    }

    /// <summary>What a counter is used for. This is the counter's third word, so different uses never share a counter.</summary>
    private static class Purpose
    {
        public const uint Words = 0;
        public const uint LowBits = 1;
        public const uint Redraw = 2;
        public const uint Split = 3;
        public const uint Fold = 4;
        public const uint Name = 5;
    }

    /// <summary>The key of a seed. Different seeds give different keys.</summary>
    public static Key OfSeed(long seed) => new((uint)seed, (uint)(seed >> 32), 0, 0);

    /// <summary>Whether two keys hold the same bits.</summary>
    public static bool operator ==(Key left, Key right) => left.Equals(right);

    /// <summary>Whether two keys differ in a bit.</summary>
    public static bool operator !=(Key left, Key right) => !left.Equals(right);

    /// <summary>
    /// <paramref name="count"/> keys, independent of each other and of this key's draws. Key i doesn't depend on
    /// <paramref name="count"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    public Key[] Split(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var keys = new Key[count];
        for (int i = 0; i < keys.Length; i++) keys[i] = Derive(Purpose.Split, (ulong)i);
        return keys;
    }

    /// <summary>The key of a step or an index under this key; any 64-bit number is allowed.</summary>
    public Key Fold(long data) => Derive(Purpose.Fold, (ulong)data);

    /// <summary>
    /// The key of a name under this key: folds in the 64-bit FNV-1a hash of its UTF-16 code units (low byte first).
    /// </summary>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    public Key Named(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        ulong hash = 0xCBF29CE484222325;
        foreach (char unit in name)
        {
            hash = (hash ^ (byte)unit) * 0x100000001B3;
            hash = (hash ^ (byte)(unit >> 8)) * 0x100000001B3;
        }

        return Derive(Purpose.Name, hash);
    }

    /// <summary>A sequential reader of this key's words, for code that draws one value after the other.</summary>
    public KeyStream Stream() => new(this);

    /// <inheritdoc/>
    public bool Equals(Key other) => K0 == other.K0 && K1 == other.K1 && K2 == other.K2 && K3 == other.K3;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Key other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => (int)(K0 ^ (K1 * 0x9E3779B1) ^ (K2 * 0x85EBCA77) ^ (K3 * 0xC2B2AE3D));

    /// <summary>The 128 bits as 32 hexadecimal digits, most significant word first.</summary>
    public override string ToString() => $"{K3:x8}{K2:x8}{K1:x8}{K0:x8}";

    private Key Derive(uint purpose, ulong data)
    {
        var (k0, k1, k2, k3) = Threefry.Block(this, (uint)data, (uint)(data >> 32), purpose, 0);
        return new Key(k0, k1, k2, k3);
    }
}
