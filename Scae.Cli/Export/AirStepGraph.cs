using System;
using System.Collections.Generic;
using System.Linq;
using Scae.Core.Experiments;
using Scae.Core.Models;

namespace Scae.Cli.Export;

/// <summary>The paper's recurrent inference of scenes, one glimpse per step; see Scae.Core's AirEncoder.</summary>
internal sealed class AirStepGraph
{
    // See AirEncoder's constants of the same names.
    private const double EvidenceScale = 0.02, ContextScale = 2, FinderReach = 3.5, FarAway = -1e4;

    private readonly GraphBuilder _graph;
    private readonly AirConfig _config;
    private readonly string _images;
    private readonly string _ofImage;
    private readonly int _overview;
    private readonly double _temperature;

    private AirStepGraph(GraphBuilder graph, AirSettings settings, string images)
    {
        (_graph, _config, _images, _temperature) = (graph, settings.Model, images, settings.TemperatureEnd);
        _overview = AirModule.overview(_config);
        _ofImage = graph.Linear("recurrent.image", Overview(images));
    }

    /// <summary>What one step passes on to the next.</summary>
    private sealed record State(string Hidden, string Cell, string Where, string What, string Drawn, string? Present);

    /// <summary>
    /// Images [b, D] → the logits of presence [b, T], where the steps look [b, 3·T], and the mean codes of what they see
    /// [b, Z·T]. ofScene [b, T], if there is any, is added to the logits.
    /// </summary>
    public static (string Logits, string Where, string What) Unroll(GraphBuilder graph, AirSettings settings, string images, string? ofScene)
    {
        var config = settings.Model;
        AirStepGraph steps = new(graph, settings, images);
        string Zeros(int count) => graph.Repeat(graph.Constant([1, count], new float[count]), 2, images);
        string nothing = Zeros(config.Features);
        State state = new(nothing, nothing, Zeros(3), Zeros(config.What), Zeros(config.Canvas * config.Canvas), null);
        List<string> logits = [], where = [], what = [];
        for (int t = 0; t < config.Steps; t++)
        {
            (state, string logit) = steps.Next(state, ofScene is null ? null : graph.Slice(ofScene, t, t + 1));
            logits.Add(logit);
            where.Add(state.Where);
            what.Add(state.What);
        }

        return (graph.Concat([.. logits]), graph.Concat([.. where]), graph.Concat([.. what]));
    }

    private (State State, string Logit) Next(State previous, string? ofScene)
    {
        int side = _config.Canvas;
        string residual = _graph.Subtract(_images, previous.Drawn), shown = Overview(residual);
        string seen = _graph.Relu(_graph.Add(_ofImage, _graph.MatMul(shown, _graph.Weight("recurrent.residual"))));
        var (hidden, cell) = Remember(previous, _graph.Concat(seen, previous.Where, previous.What));
        string where = Locate(shown, hidden);
        string pictures = _graph.Concat(1, Square(_images, side), Square(residual, side));
        string glimpse = _graph.Relu(_graph.Linear("recurrent.glimpse", Glimpse(pictures, where)));
        string what = _graph.Slice(_graph.Linear("recurrent.what", glimpse), 0, _config.What);
        string render = Flat(SamplingGraph.Put(_graph, Square(Decode(what), _config.Patch), where, side));
        string addition = Addition(previous.Drawn, render);

        List<string> features = [hidden, glimpse];
        if (_config.Evidence) features.Add(Evidence(residual, addition));
        if (_config.Context > 0) features.Add(Context(where, pictures, addition));
        string logit = _graph.Linear("recurrent.presence", _graph.Concat([.. features]));
        if (ofScene is not null) logit = _graph.Add(logit, ofScene);
        string? present = null;
        if (_config.Presence.IsRelaxed)
        {
            string here = _graph.Sigmoid(_graph.Divide(logit, _graph.Number(_temperature)));
            present = previous.Present is null ? here : _graph.Multiply(previous.Present, here);
            addition = Addition(previous.Drawn, _graph.Multiply(present, render));
        }

        return (new(hidden, cell, where, what, _graph.Add(previous.Drawn, addition), present), logit);
    }

    /// <summary>LongShortTermMemory.step.</summary>
    private (string Hidden, string Cell) Remember(State previous, string inputs)
    {
        int units = _config.Features;
        string ofState = _graph.MatMul(previous.Hidden, _graph.Weight("recurrent.cell.recurrent"));
        string sums = _graph.Add(_graph.Linear("recurrent.cell.input", inputs), ofState);
        string Part(int i) => _graph.Slice(sums, i * units, (i + 1) * units);
        string Gate(int i) => _graph.Sigmoid(Part(i));
        string cell = _graph.Add(_graph.Multiply(Gate(1), previous.Cell), _graph.Multiply(Gate(0), _graph.Tanh(Part(3))));
        return (_graph.Multiply(Gate(2), _graph.Tanh(cell)), cell);
    }

    /// <summary>The mean of z_where.</summary>
    private string Locate(string shown, string hidden)
    {
        string sums = _graph.Linear("recurrent.where", hidden);
        if (_config.Finder == 0) return _graph.Slice(sums, 0, 3);
        return _graph.Concat(_graph.Slice(sums, 0, 1), _graph.Add(_graph.Slice(sums, 1, 3), Find(shown)));
    }

    /// <summary>The mean place [b, 2] under the softmax of a map, taken only over places near the map's peak.</summary>
    private string Find(string shown)
    {
        int side = _overview, pixels = side * side, margin = AirModule.FinderSide / 2;
        string channels = _graph.Node(
            "Conv", [Square(shown, side), _graph.Weight("recurrent.finder.filters")], GraphBuilder.Attribute("pads", margin, margin, margin, margin));
        channels = _graph.Relu(_graph.Add(channels, _graph.Weight("recurrent.finder.bias")));
        string map = _graph.Reshape(_graph.MatMul(_graph.Weight("recurrent.finder.output"), _graph.Reshape(channels, 0, _config.Finder, pixels)), 0, pixels);

        // Distances are measured in pixels, where they are exact.
        float[] columnAndRow = [.. Enumerable.Range(0, 2 * pixels).Select(i => (float)(i % 2 == 0 ? i / 2 % side : i / 2 / side))];
        string places = _graph.Constant("pixels of the overview", [pixels, 2], columnAndRow);
        string peak = _graph.Gather(places, _graph.Node("ArgMax", [map], GraphBuilder.Attribute("axis", 1), GraphBuilder.Attribute("keepdims", 0)), 0);
        string offsets = _graph.Subtract(places, _graph.Reshape(peak, 0, 1, 2));
        string isFar = _graph.Node("Greater", [_graph.Sum(_graph.Multiply(offsets, offsets), 2), _graph.Number(FinderReach * FinderReach)]);
        string around = _graph.Softmax(_graph.Add(map, _graph.Node("Where", [isFar, _graph.Number(FarAway), _graph.Number(0)])));
        float[] ticks = [.. columnAndRow.Select(place => (float)((2.0 * place / (side - 1)) - 1))];
        return _graph.MatMul(around, _graph.Constant("places of the overview", [pixels, 2], ticks));
    }

    /// <summary>Air.decode: [b, Z] → [b, P²].</summary>
    private string Decode(string what)
    {
        if (_config.Decoding.IsMlp)
            return _graph.Sigmoid(_graph.Linear("decoder.output", _graph.Relu(_graph.Linear("decoder.hidden", what))));
        int quarter = _config.Patch / 4;
        string start = _graph.Reshape(_graph.Relu(_graph.Linear("convolutions.start", what)), 0, _config.DecoderHidden, quarter, quarter);
        return Flat(_graph.Sigmoid(Doubled("last", _graph.Relu(Doubled("middle", start)))));

        string Doubled(string layer, string x)
        {
            string said = _graph.Node(
                "ConvTranspose", [x, _graph.Weight("convolutions." + layer)], GraphBuilder.Attribute("strides", 2, 2), GraphBuilder.Attribute("pads", 1, 1, 1, 1));
            return _graph.Add(said, _graph.Weight($"convolutions.{layer}Bias"));
        }
    }

    /// <summary>By how much the addition raises the log-likelihood, scaled, [b, 1].</summary>
    private string Evidence(string residual, string addition)
    {
        string twice = _graph.Subtract(_graph.Multiply(_graph.Number(2), residual), addition);
        return _graph.Multiply(_graph.Sum(_graph.Multiply(addition, twice), 1, stays: true), _graph.Number(EvidenceScale / (2 * _config.Sigma * _config.Sigma)));
    }

    /// <summary>Features of the surroundings of a place, [b, Context].</summary>
    private string Context(string where, string pictures, string addition)
    {
        string scale = _graph.Repeat(_graph.Constant([1, 1], [(float)(_config.LogScale + Math.Log(ContextScale))]), 2, where);
        string wider = Glimpse(_graph.Concat(1, pictures, Square(addition, _config.Canvas)), _graph.Concat(scale, _graph.Slice(where, 1, 3)));
        string hidden = _graph.Relu(_graph.Linear("recurrent.context.hidden", wider));
        return _graph.Relu(_graph.Linear("recurrent.context.output", hidden));
    }

    private string Addition(string drawn, string render) =>
        _config.Composition.IsSum ? render : _graph.Multiply(_graph.Subtract(_graph.Number(1), drawn), render);

    private string Glimpse(string pictures, string where) => Flat(SamplingGraph.Cut(_graph, pictures, where, _config.Patch));

    private string Overview(string picture) =>
        _overview == _config.Canvas ? picture : Flat(SamplingGraph.Resize(_graph, Square(picture, _config.Canvas), _overview));

    private string Square(string picture, int side) => _graph.Reshape(picture, 0, 1, side, side);

    private string Flat(string picture) => _graph.Reshape(picture, 0, -1);
}
