using System;
using System.Buffers.Binary;
using System.IO;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Scae.Cli.TensorBoard;

/// <summary>
/// A record of an event file: the length of its bytes (8 bytes, little-endian), the masked CRC-32C of these 8 bytes, the
/// bytes, and their masked CRC-32C.
/// </summary>
internal static class EventRecord
{
    private const int LengthSize = 8;
    private const int ChecksumSize = 4;

    public static void Write(Stream file, ReadOnlySpan<byte> bytes)
    {
        // Each record is written at once, so a process that is killed leaves whole records, except perhaps the last.
        byte[] record = new byte[LengthSize + ChecksumSize + bytes.Length + ChecksumSize];
        var length = record.AsSpan(0, LengthSize);
        BinaryPrimitives.WriteInt64LittleEndian(length, bytes.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(LengthSize), Checksum(length));
        bytes.CopyTo(record.AsSpan(LengthSize + ChecksumSize));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(record.Length - ChecksumSize), Checksum(bytes));
        file.Write(record);
    }

    /// <summary>The bytes of the next record; null at the end, or where a record is torn or damaged.</summary>
    public static byte[]? Read(Stream file)
    {
        byte[] head = new byte[LengthSize + ChecksumSize];
        if (file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length) return null;
        var length = head.AsSpan(0, LengthSize);
        long size = BinaryPrimitives.ReadInt64LittleEndian(length);
        if (Checksum(length) != BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(LengthSize)) || size < 0 || size > file.Length - file.Position - ChecksumSize) return null;
        byte[] bytes = new byte[size];
        file.ReadExactly(bytes);
        byte[] tail = new byte[ChecksumSize];
        file.ReadExactly(tail);
        return Checksum(bytes) == BinaryPrimitives.ReadUInt32LittleEndian(tail) ? bytes : null;
    }

    /// <summary>
    /// The CRC-32C, masked: rotated by 15 bits, and a constant added. Without the mask, a CRC over bytes that contain their
    /// own CRC would be useless.
    /// </summary>
    public static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint sum = uint.MaxValue;
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (ulong word in words) sum = BitOperations.Crc32C(sum, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));
        foreach (byte rest in bytes[(words.Length * sizeof(ulong))..]) sum = BitOperations.Crc32C(sum, rest);
        return BitOperations.RotateRight(~sum, 15) + 0xa282ead8;
    }
}
