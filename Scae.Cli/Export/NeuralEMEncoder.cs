using System;
using System.Collections.Generic;
using Scae.Core.Models;

namespace Scae.Cli.Export;

/// <summary>
/// Neural expectation maximization with its iterations unrolled, as Scae.Core's NeuralEM.unroll computes it. Inputs are
/// images [images, side, side] and what makes the slots differ at the start. Outputs are the responsibilities and means of
/// the last iteration [images, slots, side, side], the states [images, slots, H], and the expected log-likelihood [images].
/// </summary>
internal sealed class NeuralEMEncoder
{
    // See NeuralEM.Clip.
    private const double Clip = 1e-6;

    private readonly GraphBuilder _graph;
    private readonly NeuralEMConfig _config;

    // The images, [b, 1, D].
    private readonly string _images;

    private NeuralEMEncoder(NeuralEMConfig config, Weights weights)
    {
        (_config, _graph) = (config, new GraphBuilder("neural em", weights));
        int side = (int)Math.Sqrt(config.Pixels), slots = NeuralEMModule.slots(config);
        _images = _graph.Reshape(_graph.Input("images", "images", side, side), 0, 1, -1);
        string state = First();
        string means = Decode(state);
        for (int t = 1; t < config.Iterations; t++)
        {
            state = Next(state, _graph.Multiply(Responsibilities(means), _graph.Subtract(_images, means)));
            means = Decode(state);
        }

        string responsibilities = Responsibilities(means);
        _graph.Output("responsibilities", _graph.Reshape(responsibilities, 0, slots, side, side), "images", slots, side, side);
        _graph.Output("means", _graph.Reshape(means, 0, slots, side, side), "images", slots, side, side);
        _graph.Output("states", state, "images", config.Slots, config.Hidden);
        string likelihoods = _graph.Multiply(responsibilities, LogLikelihood(means));
        _graph.Output("likelihood", _graph.Sum(_graph.Sum(likelihoods, 2), 1), "images");
    }

    public static GraphBuilder Graph(NeuralEMConfig config, Weights weights) => new NeuralEMEncoder(config, weights)._graph;

    /// <summary>
    /// The states of the first iteration. They follow from an input: the deviations from learned states, or
    /// responsibilities.
    /// </summary>
    private string First()
    {
        int slots = NeuralEMModule.slots(_config), hidden = _config.Hidden;
        if (_config.SymmetryBreaking.IsLearned)
        {
            string learned = _graph.Constant("learned start", _graph.Weights.Shape("start"), _graph.Weights.Values("start"));
            return _graph.Add(learned, _graph.Input("start", "images", _config.Slots, hidden));
        }

        int side = (int)Math.Sqrt(_config.Pixels);
        string responsibilities = _graph.Reshape(_graph.Input("start", "images", slots, side, side), 0, slots, _config.Pixels);
        string nothing = _graph.Repeat(_graph.Constant([1, _config.Slots, hidden], new float[_config.Slots * hidden]), 3, _images);
        return Next(nothing, _graph.Multiply(responsibilities, _images));
    }

    /// <summary>NeuralEM.decode: θ [b, K, H] → ψ [b, slots, D].</summary>
    private string Decode(string state)
    {
        string psi = _graph.Sigmoid(_graph.Linear("decoder", Layers(state)[^1]));
        if (_config.Background.IsNone) return psi;
        double background = _config.Background.IsLearned ? 1 / (1 + Math.Exp(-_graph.Weights.Values("backgroundLogit")[0])) : 0;
        return _graph.Append(psi, 3, 1, background);
    }

    /// <summary>A state, followed by the output of each of the decoder's hidden layers.</summary>
    private List<string> Layers(string state)
    {
        List<string> layers = [state];
        for (int i = 0; i < _config.Core.DecoderLayers; i++) layers.Add(_graph.Relu(_graph.Linear($"decoderHidden.{i}", layers[i])));
        return layers;
    }

    /// <summary>−(x − ψ)²/2σ².</summary>
    private string Gaussian(string means)
    {
        string error = _graph.Subtract(_images, means);
        return _graph.Multiply(_graph.Multiply(error, error), _graph.Number(-0.5 / (_config.Sigma * _config.Sigma)));
    }

    /// <summary>The E-step, [b, slots, D].</summary>
    private string Responsibilities(string means)
    {
        if (_config.Likelihood.IsGaussian && _config.Core.Floor == 0) return _graph.Softmax(Gaussian(means), 1);
        string density = _config.Likelihood.IsGaussian ? _graph.Exp(Gaussian(means)) : Probability(means);
        density = _graph.Add(density, _graph.Number(_config.Core.Floor));
        return _graph.Divide(density, _graph.Sum(density, 1, stays: true));
    }

    /// <summary>p(x | ψ) of bits.</summary>
    private string Probability(string means)
    {
        string sign = _graph.Subtract(_graph.Add(_images, _images), _graph.Number(1));
        string probability = _graph.Add(_graph.Multiply(means, sign), _graph.Subtract(_graph.Number(1), _images));
        return _graph.Clip(probability, Clip, 1 - Clip);
    }

    /// <summary>log p(x | ψ); for grey values without its constant.</summary>
    private string LogLikelihood(string means)
    {
        if (_config.Likelihood.IsGaussian) return Gaussian(means);
        string psi = _graph.Clip(means, Clip, 1 - Clip);
        string dark = _graph.Node("Log", [_graph.Subtract(_graph.Number(1), psi)]);
        return _graph.Add(
            _graph.Multiply(_images, _graph.Node("Log", [psi])),
            _graph.Multiply(_graph.Subtract(_graph.Number(1), _images), dark));
    }

    /// <summary>NeuralEM.mStep for the slots of objects: the next states.</summary>
    private string Next(string state, string residual)
    {
        string delta = _config.Background.IsNone ? residual : _graph.Slice(residual, 0, _config.Slots, 1);
        if (_config.Core.MStep.IsGradient) return _graph.Add(state, _graph.Multiply(_graph.Weight("stepSize"), Ascent(state, delta)));
        string ofInput = _graph.Linear("recurrence.input", delta);
        string ofState = _graph.MatMul(state, _graph.Weight("recurrence.recurrent"));
        if (_config.Core.MStep.IsTanh) return _graph.Tanh(_graph.Add(ofInput, ofState));
        if (_config.Core.MStep.IsSigmoid) return _graph.Sigmoid(_graph.Add(ofInput, ofState));

        string Part(string x, int i) => _graph.Slice(x, i * _config.Hidden, (i + 1) * _config.Hidden);
        string Gate(int i) => _graph.Sigmoid(_graph.Add(Part(ofInput, i), Part(ofState, i)));
        string candidate = _graph.Tanh(_graph.Add(Part(ofInput, 2), _graph.Multiply(Gate(1), Part(ofState, 2))));
        return _graph.Add(candidate, _graph.Multiply(Gate(0), _graph.Subtract(state, candidate)));
    }

    /// <summary>The gradient of the expected log-likelihood by θ.</summary>
    private string Ascent(string state, string delta)
    {
        var layers = Layers(state);
        string direction = delta;
        if (_config.Likelihood.IsGaussian)
        {
            string psi = _graph.Sigmoid(_graph.Linear("decoder", layers[^1]));
            string slope = _graph.Multiply(psi, _graph.Subtract(_graph.Number(1), psi));
            direction = _graph.Multiply(_graph.Multiply(delta, slope), _graph.Number(1 / (_config.Sigma * _config.Sigma)));
        }

        direction = Back("decoder", direction);
        for (int i = _config.Core.DecoderLayers - 1; i >= 0; i--)
        {
            string isOpen = _graph.Node("Greater", [layers[i + 1], _graph.Number(0)]);
            direction = Back($"decoderHidden.{i}", _graph.Node("Where", [isOpen, direction, _graph.Number(0)]));
        }

        return direction;

        string Back(string layer, string x) => _graph.MatMul(x, _graph.Transpose(_graph.Weight(layer + ".weight"), 1, 0));
    }
}
