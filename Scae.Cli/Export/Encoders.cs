using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.FSharp.Core;
using Scae.Cli.Runs;
using Scae.Core.Configuration;
using Scae.Core.Experiments;
using Scae.Core.Training;

namespace Scae.Cli.Export;

/// <summary>The models whose encoder can be written as an ONNX graph.</summary>
internal static class Encoders
{
    private static readonly (string Experiment, string? Model, Func<RunIdentity, Weights, GraphBuilder> Graph)[] s_known =
    [
        ("constellations", "small", (_, weights) => ConstellationsEncoder.Graph(weights)),
        ("neural-em", "images", (run, weights) => NeuralEMEncoder.Graph(NeuralEMSettingsModule.measured(Settled(run, NeuralEMSettingsModule.published, NeuralEMSettingsModule.resolve)), weights)),
        ("air", null, (run, weights) => AirScenesEncoder.Graph(Settled(run, AirSettingsModule.published, AirSettingsModule.resolve), weights)),
        ("scae", null, (run, weights) => ObjectsEncoder.Graph(Settled(run, ScaeSettingsModule.paper, ScaeSettingsModule.resolve).Model, weights)),
        ("ccae", "network", (run, weights) => CcaeEncoder.Graph(Settled(run, CcaeSettingsModule.paper, CcaeSettingsModule.resolve).Model, weights)),
        ("tvae", null, (run, weights) => TopographicEncoder.Graph(Settled(run, TvaeSettingsModule.published, TvaeSettingsModule.resolve).Model, weights)),
    ];

    /// <summary>The encoder of a run. A model without one is refused in a line that names the models that have one.</summary>
    public static OnnxModel Of(RunIdentity identity, IEnumerable<KeyValuePair<string, TensorEntry>> tensors)
    {
        var experiment = RunFailure.Unless(Experiments.find(identity.Experiment));
        string? model = RunFailure.Unless(Experiments.preset(identity.Preset, experiment)).Model?.Value;
        var known = s_known.FirstOrDefault(known => known.Experiment == identity.Experiment && known.Model == model);
        if (known.Graph is null)
        {
            var others = s_known.Where(other => other.Experiment == identity.Experiment).SelectMany(other => Presets(experiment, other.Model));
            string whyNot = model == "moving" ? "goes through sequences, which aren't written as an ONNX graph" : "finds divisions of points by search, which isn't an ONNX graph";
            throw new RunFailure($"preset {identity.Preset} of {identity.Experiment} {whyNot}; of its presets {string.Join(", ", others)} can be written, and every run's parameters with --format npz");
        }

        return known.Graph(identity, Weights.Of(tensors, identity.Settings)).Model(
            RunIdentityModule.version,
            [("experiment", identity.Experiment), ("preset", identity.Preset), ("seed", $"{identity.Seed}")]);
    }

    /// <summary>The run's settings, resolved.</summary>
    private static T Settled<T>(RunIdentity run, T defaults, Func<T, FSharpResult<Tuple<T, Plan>, string>> resolve) =>
        RunFailure.Unless(resolve(RunFailure.Unless(Settings.apply(run.Settings, defaults)))).Item1;

    private static IEnumerable<string> Presets(Experiment experiment, string? model) =>
        experiment.Specification.Presets.Where(preset => preset.Model?.Value == model).Select(preset => preset.Name);
}
