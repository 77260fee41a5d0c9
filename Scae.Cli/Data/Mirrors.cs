using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.FSharp.Core;
using Scae.Core.Data;

namespace Scae.Cli.Data;

/// <summary>Where the files of MNIST can be downloaded. All are asked at once, and the first that answers serves.</summary>
/// <param name="addresses">Folders on the network, each with a slash at its end.</param>
/// <param name="patience">How long to wait until one of them answers.</param>
/// <param name="quiet">How long a download may be silent.</param>
/// <param name="stop">Ends a download at once, with <see cref="OperationCanceledException"/>.</param>
internal sealed class Mirrors(IReadOnlyList<Uri> addresses, TimeSpan patience, TimeSpan quiet, CancellationToken stop)
{
    private const int LargestFile = 20_000_000;

    /// <summary>The public ones.</summary>
    public static Mirrors Public(CancellationToken stop) => new(
        [
            new("https://storage.googleapis.com/cvdf-datasets/mnist/"),
            new("https://ossci-datasets.s3.amazonaws.com/mnist/"),
            new("https://azureopendatastorage.blob.core.windows.net/mnist/"),
        ],
        patience: TimeSpan.FromSeconds(5),
        quiet: TimeSpan.FromSeconds(30),
        stop);

    public string Names => string.Join(", ", addresses.Select(address => address.Host));

    /// <summary>The bytes of a file's .gz, from the first mirror that has it undamaged. The error is one line.</summary>
    public FSharpResult<byte[], string> Download(MnistFile file)
    {
        // On a thread of the pool, so that no caller's synchronization context is waited for.
        return Task.Run(() => DownloadAsync(file)).GetAwaiter().GetResult();
    }

    private async Task<FSharpResult<byte[], string>> DownloadAsync(MnistFile file)
    {
        using var client = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        using var answer = CancellationTokenSource.CreateLinkedTokenSource(stop);
        answer.CancelAfter(patience);
        var asked = addresses.Select(address => client.GetAsync(new Uri(address, file.Name + ".gz"), HttpCompletionOption.ResponseHeadersRead, answer.Token)).ToList();
        var result = Failed($"none of {Names} can be reached");
        try
        {
            await foreach (var answered in Task.WhenEach(asked))
            {
                if (!answered.IsCompletedSuccessfully || !answered.Result.IsSuccessStatusCode) continue;
                result = await ReadAsync(answered.Result, file, quiet, stop);
                if (result.IsOk) break;
            }
        }
        finally
        {
            await answer.CancelAsync();
            foreach (var other in asked) _ = other.ContinueWith(DisposeAnswer, TaskScheduler.Default);
        }

        stop.ThrowIfCancellationRequested();
        return result;
    }

    private static async Task<FSharpResult<byte[], string>> ReadAsync(HttpResponseMessage answer, MnistFile file, TimeSpan patience, CancellationToken stop)
    {
        string address = answer.RequestMessage!.RequestUri!.ToString();
        try
        {
            using var silence = CancellationTokenSource.CreateLinkedTokenSource(stop);
            silence.CancelAfter(patience);
            await using var body = await answer.Content.ReadAsStreamAsync(silence.Token);
            using var whole = new MemoryStream();
            var chunk = new byte[65536];
            for (int read; (read = await body.ReadAsync(chunk, silence.Token)) > 0; silence.CancelAfter(patience))
            {
                whole.Write(chunk, 0, read);
                if (whole.Length > LargestFile) return Failed($"{address}: more than {LargestFile} bytes, which MNIST has not");
            }

            byte[] bytes = whole.ToArray();
            var verified = Mnist.verified(file, address, bytes);
            return verified.IsOk ? FSharpResult<byte[], string>.NewOk(bytes) : verified;
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException)
        {
            return Failed($"{address}: the connection broke");
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return Failed($"{address}: nothing came for {patience.TotalSeconds:0.#} s");
        }
    }

    private static void DisposeAnswer(Task<HttpResponseMessage> answered)
    {
        if (answered.IsCompletedSuccessfully) answered.Result.Dispose();
        else _ = answered.Exception;
    }

    private static FSharpResult<byte[], string> Failed(string message) => FSharpResult<byte[], string>.NewError(message);
}
