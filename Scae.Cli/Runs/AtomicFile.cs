using System;
using System.IO;
using System.Text;

namespace Scae.Cli.Runs;

/// <summary>
/// Files that are there whole or not at all: the bytes go to a neighbouring file, are flushed to the disk, and take the
/// name in one step. A process that is killed at any moment leaves what was there before.
/// </summary>
internal static class AtomicFile
{
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        string unfinished = path + ".unfinished";
        using (var file = new FileStream(unfinished, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            file.Write(bytes);
            file.Flush(flushToDisk: true);
        }

        File.Move(unfinished, path, overwrite: true);
    }

    public static void Write(string path, string text) => Write(path, Encoding.UTF8.GetBytes(text));

    public static void Write(string path, Action<Stream> write)
    {
        using var memory = new MemoryStream();
        write(memory);
        Write(path, memory.GetBuffer().AsSpan(0, (int)memory.Length));
    }
}
