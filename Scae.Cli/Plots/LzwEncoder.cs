using System;
using System.IO;

namespace Scae.Cli.Plots;

/// <summary>Compresses indices of eight bits as GIF wants them: variable-length codes in blocks of 255 bytes.</summary>
internal sealed class LzwEncoder
{
    private const int Clear = 256, End = 257, First = 258, MaxCodes = 4096;

    // An open hash table from (code, next index) to code; 4,096 codes leave it three quarters empty.
    private const int Slots = 16384;

    private readonly int[] _keys = new int[Slots];
    private readonly short[] _codes = new short[Slots];
    private readonly byte[] _block = new byte[255];
    private readonly Stream _stream;
    private int _used;
    private uint _bits;
    private int _bitCount;

    public LzwEncoder(Stream stream) => _stream = stream;

    /// <summary>Writes the minimum code size, the codes and the end of the data.</summary>
    public void Write(ReadOnlySpan<byte> indices)
    {
        _stream.WriteByte(8);
        int next = Reset(), width = 9;
        Put(Clear, width);
        if (indices.Length > 0)
        {
            int prefix = indices[0];
            foreach (byte index in indices[1..])
            {
                int slot = Find(prefix, index);
                if (_keys[slot] != -1)
                {
                    prefix = _codes[slot];
                    continue;
                }

                Put(prefix, width);
                if (next == MaxCodes)
                {
                    Put(Clear, width);
                    (next, width) = (Reset(), 9);
                }
                else
                {
                    if (next == 1 << width)
                        width++;
                    _keys[slot] = (prefix << 8) | index;
                    _codes[slot] = (short)next++;
                }

                prefix = index;
            }

            Put(prefix, width);
            if (next == 1 << width && width < 12)
                width++; // the reader has added its code by then
        }

        Put(End, width);
        Flush();
    }

    private int Reset()
    {
        Array.Fill(_keys, -1);
        return First;
    }

    private int Find(int prefix, byte index)
    {
        int key = (prefix << 8) | index, slot = (int)((uint)key * 2654435761u >> 18);
        while (_keys[slot] != -1 && _keys[slot] != key)
            slot = (slot + 1) & (Slots - 1);
        return slot;
    }

    private void Put(int code, int width)
    {
        _bits |= (uint)code << _bitCount;
        _bitCount += width;
        while (_bitCount >= 8)
            PutByte();
    }

    private void PutByte()
    {
        _block[_used++] = (byte)_bits;
        _bits >>= 8;
        _bitCount = Math.Max(0, _bitCount - 8);
        if (_used == _block.Length)
            PutBlock();
    }

    private void PutBlock()
    {
        _stream.WriteByte((byte)_used);
        _stream.Write(_block, 0, _used);
        _used = 0;
    }

    private void Flush()
    {
        if (_bitCount > 0)
            PutByte();
        if (_used > 0)
            PutBlock();
        _stream.WriteByte(0);
    }
}
