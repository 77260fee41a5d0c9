using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using Scae.Core.Training;

namespace Scae.Cli.Export;

/// <summary>
/// NumPy's archive of arrays: a zip file with one .npy file per array, not compressed. The bytes depend only on the
/// tensors.
/// </summary>
internal static class NpzFile
{
    // The earliest day that a zip file can hold.
    private static readonly DateTimeOffset s_day = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // A .npy header ends at a multiple of this, so that what follows is aligned.
    private const int Alignment = 64;

    public static void Write(Stream file, IEnumerable<KeyValuePair<string, TensorEntry>> tensors)
    {
        using var archive = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true);
        foreach (var (name, tensor) in tensors)
        {
            var entry = archive.CreateEntry(name + ".npy", CompressionLevel.NoCompression);
            entry.LastWriteTime = s_day;
            using var stream = entry.Open();
            var (kind, bytes) = Elements(tensor.Data);
            stream.Write(Header(kind, tensor.Shape));
            stream.Write(bytes);
        }
    }

    private static (string Kind, byte[] Bytes) Elements(TensorData data) => data switch
    {
        TensorData.F32 single => ("<f4", Bytes<float>(single.Item)),
        TensorData.F64 real => ("<f8", Bytes<double>(real.Item)),
        TensorData.I32 small => ("<i4", Bytes<int>(small.Item)),
        TensorData.I64 whole => ("<i8", Bytes<long>(whole.Item)),
        TensorData.U8 bytes => ("|u1", bytes.Item),
        _ => throw new InvalidOperationException($"there is no element type {data}"),
    };

    private static byte[] Bytes<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        if (!BitConverter.IsLittleEndian) throw new PlatformNotSupportedException("npz files are written on little-endian machines alone");
        return MemoryMarshal.AsBytes(values).ToArray();
    }

    /// <summary>Version 1.0: magic, version, the length of the text, and the text of a Python dictionary padded with spaces.</summary>
    private static byte[] Header(string kind, int[] shape)
    {
        string sizes = string.Concat(shape.Select(size => $"{size}, ")).TrimEnd();
        if (shape.Length > 1) sizes = sizes.TrimEnd(',');
        string text = $"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({sizes}), }}";
        int length = (10 + text.Length + 1 + Alignment - 1) / Alignment * Alignment - 10;
        return [0x93, .. "NUMPY"u8, 1, 0, (byte)(length & 255), (byte)(length >> 8), .. Encoding.ASCII.GetBytes(text.PadRight(length - 1) + "\n")];
    }
}
