using System.Collections.Generic;
using System.Linq;
using Scae.Core.Experiments;
using Scae.Core.Models;

namespace Scae.Cli.Export;

/// <summary>
/// Inference of attend-infer-repeat, as Scae.Core's AirEncoder.infer computes it without noise: images [scenes, side, side]
/// → for each of T steps, the probability that this object and all before it are present, where the step looks (log s, t_x,
/// t_y), and the mean of the code for what it sees.
/// </summary>
internal static class AirScenesEncoder
{
    public static GraphBuilder Graph(AirSettings settings, Weights weights)
    {
        var config = settings.Model;
        var graph = new GraphBuilder("air", weights);
        string images = graph.Reshape(graph.Input("images", "scenes", config.Canvas, config.Canvas), 0, -1);
        if (config.Restorer > 0) images = Restored(graph, config, images);
        int steps = config.Steps;
        string? ofScene = config.Counter > 0 ? Counted(graph, config, images) : null;
        var (logits, where, what) = config.Encoding.IsGlobal ? Globally(graph, images) : AirStepGraph.Unroll(graph, settings, images, ofScene);
        if (config.Encoding.IsGlobal && ofScene is not null) logits = graph.Add(logits, ofScene);
        graph.Output("presence", Cumulative(graph, graph.Sigmoid(logits), steps), "scenes", steps);
        graph.Output("where", graph.Reshape(where, 0, steps, 3), "scenes", steps, 3);
        graph.Output("what", graph.Reshape(what, 0, steps, config.What), "scenes", steps, config.What);
        return graph;
    }

    /// <summary>The small program's encoder: the heads of all steps read features of the whole scene.</summary>
    private static (string Logits, string Where, string What) Globally(GraphBuilder graph, string images)
    {
        string hidden = graph.Relu(graph.Linear("global.first", images));
        string features = graph.Relu(graph.Linear("global.second", hidden));
        string Head(string name) => graph.Linear("global." + name, features);
        return (Head("presence"), Head("where"), Head("what"));
    }

    /// <summary>SceneRestorer.restore: scenes [b, D] without their light.</summary>
    private static string Restored(GraphBuilder graph, AirConfig config, string images)
    {
        const string Name = "restorer.";
        int side = config.Canvas;
        string fine = Rectified("fine", 1, Rectified("first", 2, graph.Reshape(images, 0, 1, side, side)));
        string coarse = Rectified("second", 2, fine);
        for (int i = 0; graph.Weights.Has($"{Name}coarse.{i}.filters"); i++) coarse = graph.Add(coarse, Rectified($"coarse.{i}", 1, coarse));
        string wide = graph.Relu(graph.Add(Doubled("widening", coarse), fine));
        return graph.Reshape(graph.Sigmoid(Doubled("last", wide)), 0, side * side);

        string Rectified(string layer, int stride, string x) => graph.Relu(Convolved(graph, "Conv", Name + layer, stride, 1, x));

        string Doubled(string layer, string x) => Convolved(graph, "ConvTranspose", Name + layer, 2, 1, x);
    }

    /// <summary>SceneCounter.logits: what scenes [b, D] add to the logits [b, T].</summary>
    private static string Counted(GraphBuilder graph, AirConfig config, string images)
    {
        string fine = Rectified("second", 2, 1, Rectified("first", 2, 2, graph.Reshape(images, 0, 1, config.Canvas, config.Canvas)));
        string hidden = graph.Relu(graph.Linear("counter.hidden", graph.Reshape(Rectified("third", 1, 1, fine), 0, -1)));
        return graph.Linear("counter.output", hidden);

        string Rectified(string layer, int stride, int padding, string x) =>
            graph.Relu(Convolved(graph, "Conv", "counter." + layer, stride, padding, x));
    }

    private static string Convolved(GraphBuilder graph, string operation, string layer, int stride, int padding, string x) => graph.Node(
        operation,
        [x, graph.Weight(layer + ".filters"), graph.Weight(layer + ".bias")],
        GraphBuilder.Attribute("strides", stride, stride),
        GraphBuilder.Attribute("pads", padding, padding, padding, padding));

    /// <summary>The product of each column of [b, T] and all before it.</summary>
    private static string Cumulative(GraphBuilder graph, string present, int steps)
    {
        List<string> products = [graph.Slice(present, 0, 1)];
        for (int t = 1; t < steps; t++) products.Add(graph.Multiply(products.Last(), graph.Slice(present, t, t + 1)));
        return graph.Concat([.. products]);
    }
}
