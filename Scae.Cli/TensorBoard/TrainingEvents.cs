using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Scae.Cli.Plots;
using Scae.Cli.Runs;
using Scae.Core.Training;

namespace Scae.Cli.TensorBoard;

/// <summary>
/// A training as TensorBoard shows it: the hyperparameters, the scalars of each evaluation and, at the end, the metrics on
/// test scenes and the pictures. Checkpoints are written before events, so that a killed run has no events beyond its
/// checkpoint.
/// </summary>
internal sealed class TrainingEvents
{
    private const string Plugin = "hparams";
    private const string StartTag = "_hparams_/session_start_info";
    private const string EndTag = "_hparams_/session_end_info";
    private const int Float32 = 1;
    private const int Rgb = 3;
    private const int Success = 1;

    private readonly EventFile _file;

    private TrainingEvents(EventFile file) => _file = file;

    /// <summary>Opens the events of a run that has come to a step.</summary>
    /// <param name="path">The event file.</param>
    /// <param name="identity">Which run it is.</param>
    /// <param name="step">The step.</param>
    /// <param name="begun">When the run began, in seconds since 1970.</param>
    public static TrainingEvents Open(string path, RunIdentity identity, int step, double begun)
    {
        var start = Start(identity, begun);
        return new TrainingEvents(EventFile.Open(path, Of(0, begun, OfPlugin(StartTag, new HyperparametersData { SessionStartInfo = start })), IsSame, step));

        bool IsSame(Event first)
        {
            if (first.Summary?.Value is not [{ Tag: StartTag, Metadata.PluginData.Content: { } content }]) return false;
            try
            {
                return HyperparametersData.Parser.ParseFrom(content).SessionStartInfo?.Hparams.Equals(start.Hparams) == true;
            }
            catch (InvalidProtocolBufferException)
            {
                return false;
            }
        }
    }

    /// <summary>Writes the evaluations that the file doesn't have yet.</summary>
    /// <param name="evaluations">All evaluations of the run.</param>
    /// <param name="seconds">When each was made, in seconds of the run.</param>
    /// <param name="begun">When the run would have begun had it never been stopped, in seconds since 1970.</param>
    public void Evaluated(IEnumerable<Evaluation> evaluations, IReadOnlyList<double> seconds, double begun) =>
        _file.Append(evaluations.Select((evaluation, i) => Of(evaluation.Step, begun + seconds[i], [.. Scalars(evaluation, seconds[i])])));

    /// <summary>Writes the results of a finished run.</summary>
    public void Finished(Summary summary, IEnumerable<string> pictures, double now)
    {
        var end = OfPlugin(EndTag, new HyperparametersData { SessionEndInfo = new HyperparametersEnd { Status = Success, EndTimeSecs = now } });
        var scalars = summary.Metrics.Select(metric => Scalar("test/" + metric.Item1, metric.Item2));
        _file.Append([Of(summary.Steps, now, [.. scalars]), .. pictures.Select(path => Of(summary.Steps, now, Picture(path))), Of(summary.Steps, now, end)]);
    }

    private static Event Of(long step, double time, params EventValue[] values) =>
        new() { Step = step, WallTime = time, Summary = new EventSummary { Value = { values } } };

    private static HyperparametersStart Start(RunIdentity identity, double begun)
    {
        var start = new HyperparametersStart { GroupName = $"{identity.Experiment}, {identity.Preset}", StartTimeSecs = begun };
        start.Hparams.Add("experiment", Value.ForString(identity.Experiment));
        start.Hparams.Add("preset", Value.ForString(identity.Preset));
        start.Hparams.Add("seed", Value.ForNumber(identity.Seed));
        foreach (var (name, text) in identity.Settings) start.Hparams.Add(name, Typed(text));
        return start;
    }

    private static Value Typed(string text)
    {
        if (text is "true" or "false") return Value.ForBool(text == "true");
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? Value.ForNumber(number) : Value.ForString(text);
    }

    private static IEnumerable<EventValue> Scalars(Evaluation evaluation, double seconds) =>
    [
        Scalar("train/loss", evaluation.TrainLoss),
        .. evaluation.TrainTerms.Select(term => Scalar("train/" + term.Item1, term.Item2)),
        .. evaluation.Metrics.Select(metric => Scalar("validation/" + metric.Item1, metric.Item2)),
        Scalar("time/seconds", seconds),
        Scalar("time/epoch", evaluation.Epoch),
    ];

    private static EventValue Scalar(string tag, double value) => new() { Tag = tag, SimpleValue = (float)value };

    /// <summary>A value that holds only a plugin's data; TensorBoard wants an empty tensor beside it.</summary>
    private static EventValue OfPlugin(string tag, HyperparametersData data) => new()
    {
        Tag = tag,
        Tensor = new EventTensor { Dtype = Float32, TensorShape = new EventTensorShape { Dim = { new EventTensorShape.Types.Dimension() } } },
        Metadata = new EventMetadata { PluginData = new EventPluginData { PluginName = Plugin, Content = data.ToByteString() } },
    };

    private static EventValue Picture(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        var (width, height) = Path.GetExtension(path) == ".gif" ? ImageSize.OfGif(bytes) : ImageSize.OfPng(bytes);
        return new EventValue
        {
            Tag = "figures/" + Path.GetFileNameWithoutExtension(path),
            Image = new EventImage { Width = width, Height = height, Colorspace = Rgb, EncodedImageString = ByteString.CopyFrom(bytes) },
        };
    }
}
