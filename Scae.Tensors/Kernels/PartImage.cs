using System;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <summary>
/// One image as a mixture of the parts drawn on it. Each row of the canvas is padded to whole vectors, its blocks. A part
/// goes only through those blocks that may see its template, and keeps a component's two logarithms there. In all other
/// blocks the part is the same component for every pixel (value 0, logit log d), so the parts absent from a block are one
/// component with the sum of their presences. All that an image needs fits into about a megabyte, which images use in turn.
/// </summary>
/// <remarks>
/// With l a component's mixing logit and k = l − Σ_c (x − v)²/2σ², a pixel's log-likelihood is log Σ eᵏ − log Σ eˡ, less
/// the Gaussian's constant. Each sum is taken relative to its largest term, so nothing over- or underflows.
/// </remarks>
internal unsafe partial struct PartImage<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int WorkSlot = 0;
    private const int RangeSlot = 1;

    private readonly PartProblem<T> _problem;
    private readonly PartSizes _sizes;
    private readonly int _rowBlocks, _blocks, _plane;

    // Planes of pixels: the image, the sums of eᵏ and eˡ, their largest terms, and the shares of the background and of absent
    // parts in the sums.
    private T* _pixels, _most, _mostJoint, _sum, _sumJoint, _ground, _groundJoint, _absent, _absentJoint;

    // For each block, the summed presence of the parts that don't go through it. For each part, its presence, and its
    // placement (6 numbers).
    private T* _missing, _presence, _placements;

    // Components, in the order of the blocks that parts go through: first l and k, later their exponentials; and the values.
    private T* _logits, _joint, _values;

    // The maps' cells, [m, maps, cells], and their gradients for one part; see PartSampler.
    private T* _tables, _cells;
    private Range* _ranges;
    private T _largestPresence;

    private PartImage(in PartProblem<T> problem)
    {
        _problem = problem;
        _sizes = problem.Sizes;
        _rowBlocks = (_sizes.Width + Vector512<T>.Count - 1) / Vector512<T>.Count;
        _blocks = _rowBlocks * _sizes.Height;
        _plane = _blocks * Vector512<T>.Count;
    }

    /// <summary>The factor of a squared difference, 1/2σ².</summary>
    private readonly T Precision => _problem.Scale == null ? T.One / (T.One + T.One) : T.One / ((T.One + T.One) * *_problem.Scale * *_problem.Scale);

    private readonly T InverseTemperature => _problem.IsCoupled ? T.One / *_problem.Temperature : T.Zero;

    /// <summary>Takes working memory of the present thread, and makes the cells of the maps that all images share.</summary>
    public static PartImage<T> Open(in PartProblem<T> problem)
    {
        PartImage<T> image = new(problem);
        var sizes = problem.Sizes;
        int m = sizes.Parts, c = sizes.Channels, maps = problem.Maps;

        // The first layout, without memory, says how much is needed.
        int length = (int)(image.LayOut(null) - (T*)null);
        image.LayOut(Aligned(Scratch.Take<T>(WorkSlot, Vector512<T>.Count + length)));
        new Span<T>(image._pixels, c * image._plane).Clear();
        new Span<T>(image._tables, m * maps * image.CellsLength).Clear();
        image._ranges = (Range*)Unsafe.AsPointer(ref Scratch.Take<Range>(RangeSlot, m * sizes.Height + 1)[0]);
        if (problem.TemplatesBatch == 0) image.MakeCells(problem.Templates, 0, c);
        if (problem.AlphaBatch == 0 && !problem.IsCoupled) image.MakeCells(problem.Alpha, c, 1);
        return image;
    }

    /// <summary>The log-likelihood of image b; NaN when a pose can't be inverted.</summary>
    public T Explain(int b)
    {
        int c = _sizes.Channels;
        if (_problem.TemplatesBatch != 0) MakeCells(_problem.Templates + ((long)b * _problem.TemplatesBatch), 0, c);
        if (_problem.AlphaBatch != 0) MakeCells(_problem.Alpha + ((long)b * _problem.AlphaBatch), c, 1);
        TakeImage(b);
        if (!Place(b)) return T.NaN;
        T* presences = _problem.LogPresence + ((long)b * _sizes.Parts);
        T* colours = _problem.Colour == null ? null : _problem.Colour + ((long)b * _sizes.Parts * c);
        int component = 0;
        for (int m = 0; m < _sizes.Parts; m++)
            component = Compare(m, presences[m], colours == null ? null : colours + (m * c), component);
        Join(b);
        Sum();
        T two = T.One + T.One, deviation = _problem.Scale == null ? T.One : *_problem.Scale;
        return Total() - (T.CreateChecked(_sizes.Pixels * c) * (T.Log(deviation) + (T.Log(two * T.Pi) / two)));
    }

    private static T* Aligned(Span<T> memory) =>
        (T*)(((nint)Unsafe.AsPointer(ref memory[0]) + 63) & -64);

    /// <summary>Gives every array its place from an address on, and returns the address behind the last.</summary>
    private T* LayOut(T* at)
    {
        int m = _sizes.Parts, c = _sizes.Channels, maps = _problem.Maps;
        _pixels = Carve(ref at, c * _plane);
        _most = Carve(ref at, _plane);
        _mostJoint = Carve(ref at, _plane);
        _sum = Carve(ref at, _plane);
        _sumJoint = Carve(ref at, _plane);
        _ground = Carve(ref at, _plane);
        _groundJoint = Carve(ref at, _plane);
        _absent = Carve(ref at, _plane);
        _absentJoint = Carve(ref at, _plane);
        _missing = Carve(ref at, _blocks);
        _presence = Carve(ref at, m);
        _placements = Carve(ref at, 6 * m);
        _logits = Carve(ref at, m * _plane);
        _joint = Carve(ref at, m * _plane);
        _values = Carve(ref at, m * c * _plane);
        _tables = Carve(ref at, m * maps * CellsLength);
        _cells = Carve(ref at, maps * CellsLength);
        return at;
    }

    /// <summary>The beginning of an array, and behind it, at a multiple of a vector's length, that of the next.</summary>
    private static T* Carve(ref T* at, int length)
    {
        T* start = at;
        at += (length + Vector512<T>.Count - 1) / Vector512<T>.Count * Vector512<T>.Count;
        return start;
    }

    /// <summary>
    /// Makes the cells of maps [m, count, texels] of all parts; the first of them becomes map number
    /// <paramref name="first"/>.
    /// </summary>
    private readonly void MakeCells(T* maps, int first, int count)
    {
        int h = _sizes.TemplateHeight, w = _sizes.TemplateWidth, pitch = w + 2;
        for (int m = 0; m < _sizes.Parts; m++)
        {
            for (int map = 0; map < count; map++)
            {
                T* table = Table(m, first + map);
                T* from = maps + (((m * count) + map) * _sizes.Texels);
                for (int row = 0; row < h; row++)
                {
                    // A texel is a corner of four cells.
                    T* cell = table + (4 * (((row + 1) * pitch) + 1));
                    for (int column = 0; column < w; column++, cell += 4)
                        cell[0] = cell[1 - 4] = cell[2 - (4 * pitch)] = cell[3 - (4 * pitch) - 4] = *from++;
                }
            }
        }
    }

    private readonly T* Table(int part, int map) => _tables + (((part * _problem.Maps) + map) * CellsLength);

    private readonly void TakeImage(int b)
    {
        int width = _sizes.Width, stride = _rowBlocks * Vector512<T>.Count;
        T* from = _problem.Images + ((long)b * _sizes.Channels * _sizes.Pixels);
        for (int row = 0; row < _sizes.Channels * _sizes.Height; row++)
            new ReadOnlySpan<T>(from + (row * width), width).CopyTo(new Span<T>(_pixels + (row * stride), width));
    }

    /// <summary>
    /// Computes every part's placement, and for each block the summed presence of the parts that don't go through it. False
    /// when a pose can't be inverted.
    /// </summary>
    private bool Place(int b)
    {
        int parts = _sizes.Parts, height = _sizes.Height;
        T* presences = _problem.LogPresence + ((long)b * parts);
        T most = T.NegativeInfinity;
        for (int m = 0; m < parts; m++) most = T.Max(most, presences[m]);
        _largestPresence = T.IsNegativeInfinity(most) ? T.Zero : most;
        new Span<T>(_missing, _blocks).Clear();
        for (int m = 0; m < parts; m++)
        {
            var placement = PartPlacement<T>.Of(new ReadOnlySpan<T>(_problem.Poses + (((long)b * parts) + m) * 6, 6), _sizes);
            if (!placement.IsFinite) return false;
            *(PartPlacement<T>*)(_placements + (6 * m)) = placement;
            T presence = T.Exp(presences[m] - _largestPresence);
            _presence[m] = presence;
            for (int row = 0; row < height; row++)
            {
                var (first, end) = placement.Blocks(row, _sizes);
                _ranges[(m * height) + row] = new(first, end);
                T* missing = _missing + (row * _rowBlocks);
                for (int block = 0; block < first; block++) missing[block] += presence;
                for (int block = end; block < _rowBlocks; block++) missing[block] += presence;
            }
        }

        new Span<T>(_most, _plane).Fill(T.NegativeInfinity);
        new Span<T>(_mostJoint, _plane).Fill(T.NegativeInfinity);
        return true;
    }

    /// <summary>
    /// Computes the logarithms l and k of a part's component at every pixel that it goes through; returns the next
    /// component's place.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly int Compare(int m, T logPresence, T* colours, int component)
    {
        int count = Vector512<T>.Count, channels = _sizes.Channels, plane = _plane;
        var placement = *(PartPlacement<T>*)(_placements + (6 * m));
        var presence = Vector512.Create(logPresence);
        var precision = Vector512.Create(Precision);
        var share = Vector512.Create(InverseTemperature / T.CreateChecked(int.Max(1, channels)));
        bool coupled = _problem.IsCoupled;
        T* alpha = coupled ? null : Table(m, channels);
        int* indices = stackalloc int[Vector512<T>.Count];
        T* corners = stackalloc T[4 * Vector512<T>.Count];
        var sampler = new PartSampler<T>(placement, _sizes, indices, corners);
        for (int row = 0; row < _sizes.Height; row++)
        {
            var range = _ranges[(m * _sizes.Height) + row];
            for (int block = range.First; block < range.End; block++, component += count)
            {
                var place = sampler.At(row, block);
                int at = ((row * _rowBlocks) + block) * count;
                Vector512<T> distance = Vector512<T>.Zero, sum = Vector512<T>.Zero;
                for (int c = 0; c < channels; c++)
                {
                    var value = place.Value(Table(m, c));
                    if (colours != null) value *= Vector512.Create(colours[c]);
                    value.Store(_values + ((nint)component * channels) + (c * count));
                    var difference = Vector512.Load(_pixels + (c * plane) + at) - value;
                    distance += difference * difference;
                    sum += value;
                }

                var logit = (coupled ? sum * share : place.Value(alpha)) + presence;
                var joint = logit - (distance * precision);
                logit.Store(_logits + component);
                joint.Store(_joint + component);
                Vector512.Max(Vector512.Load(_most + at), logit).Store(_most + at);
                Vector512.Max(Vector512.Load(_mostJoint + at), joint).Store(_mostJoint + at);
            }
        }

        return component;
    }

    /// <summary>
    /// Adds the background and the absent parts. The largest terms are known from then on, and the sums begin with these
    /// two.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Join(int b)
    {
        int count = Vector512<T>.Count, channels = _sizes.Channels, plane = _plane;
        T* ground = _problem.Background + ((long)b * _problem.BackgroundBatch);
        var precision = Vector512.Create(Precision);
        var logit = Vector512.Create(GroundLogit(ground));
        for (int block = 0; block < _blocks; block++)
        {
            int at = block * count;
            Vector512<T> fromGround = Vector512<T>.Zero, fromBlack = Vector512<T>.Zero;
            for (int c = 0; c < channels; c++)
            {
                var x = Vector512.Load(_pixels + (c * plane) + at);
                var difference = x - Vector512.Create(ground[c]);
                fromGround += difference * difference;
                fromBlack += x * x;
            }

            var groundJoint = logit - (fromGround * precision);
            var absent = Vector512.Create(_largestPresence + T.Log(_missing[block]));
            var absentJoint = absent - (fromBlack * precision);
            var most = Vector512.Max(Vector512.Load(_most + at), Vector512.Max(logit, absent));
            var mostJoint = Vector512.Max(Vector512.Load(_mostJoint + at), Vector512.Max(groundJoint, absentJoint));
            Vector512<T> g = Lanes.ExpOfNegative(logit - most), gj = Lanes.ExpOfNegative(groundJoint - mostJoint);
            Vector512<T> a = Lanes.ExpOfNegative(absent - most), aj = Lanes.ExpOfNegative(absentJoint - mostJoint);
            most.Store(_most + at);
            mostJoint.Store(_mostJoint + at);
            g.Store(_ground + at);
            gj.Store(_groundJoint + at);
            a.Store(_absent + at);
            aj.Store(_absentJoint + at);
            (g + a).Store(_sum + at);
            (gj + aj).Store(_sumJoint + at);
        }
    }

    private readonly T GroundLogit(T* ground) =>
        _problem.IsCoupled ? Mean(ground) * InverseTemperature : *_problem.BackgroundLogit;

    private readonly T Mean(T* ground)
    {
        T sum = T.Zero;
        for (int c = 0; c < _sizes.Channels; c++) sum += ground[c];
        return sum / T.CreateChecked(int.Max(1, _sizes.Channels));
    }

    /// <summary>
    /// Turns the parts' logarithms into exponentials relative to the largest of their pixel, and adds these to the sums.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Sum()
    {
        int count = Vector512<T>.Count, component = 0;
        for (int m = 0; m < _sizes.Parts; m++)
        {
            for (int row = 0; row < _sizes.Height; row++)
            {
                var range = _ranges[(m * _sizes.Height) + row];
                for (int block = range.First; block < range.End; block++, component += count)
                {
                    int at = ((row * _rowBlocks) + block) * count;
                    var weight = Lanes.ExpOfNegative(Vector512.Load(_logits + component) - Vector512.Load(_most + at));
                    var joint = Lanes.ExpOfNegative(Vector512.Load(_joint + component) - Vector512.Load(_mostJoint + at));
                    weight.Store(_logits + component);
                    joint.Store(_joint + component);
                    (Vector512.Load(_sum + at) + weight).Store(_sum + at);
                    (Vector512.Load(_sumJoint + at) + joint).Store(_sumJoint + at);
                }
            }
        }
    }

    /// <summary>Σ (log Σ eᵏ − log Σ eˡ) over the pixels of the canvas.</summary>
    private readonly T Total()
    {
        int count = Vector512<T>.Count;
        Vector512<double> lower = default, upper = default;
        for (int block = 0; block < _blocks; block++)
        {
            int at = block * count;
            var value = Vector512.Load(_mostJoint + at) - Vector512.Load(_most + at)
                + Lanes.Log(Vector512.Load(_sumJoint + at)) - Lanes.Log(Vector512.Load(_sum + at));
            Reduce.Add(Inside(block) & value, ref lower, ref upper);
        }

        return Reduce.Narrow<T>(Lanes.Sum(lower + upper));
    }

    /// <summary>All ones in the lanes of a block that are pixels, not padding.</summary>
    private readonly Vector512<T> Inside(int block) =>
        Vector512.LessThan(Vector512<T>.Indices, Vector512.Create(T.CreateChecked(_sizes.Width - (block % _rowBlocks * Vector512<T>.Count))));

    private readonly record struct Range(int First, int End);
}
