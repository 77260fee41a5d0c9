using System;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Scae.Tensors.Kernels;

/// <content>
/// The backward pass. With r and p a component's shares of Σ eᵏ and Σ eˡ, ∂l = r − p, which is also the slope by log d, and
/// ∂v = r·(x − v)/σ².
/// </content>
internal unsafe partial struct PartImage<T>
{
    // How many vectors are added up in T before the sum moves to a total in double, so that sums over large images don't drift.
    private const int FewBlocks = 64;

    /// <summary>Elements of a map's cells: four corners for each cell between texels, and for one cell outside per lane.</summary>
    private readonly int CellsLength => 4 * (_sizes.Bordered + Vector512<T>.Count);

    /// <summary>Adds the slopes of image b's likelihood to a record of them. The image must be the one that was explained last.</summary>
    public readonly void Differentiate(int b, in PartSlopes<T> slopes)
    {
        int parts = _sizes.Parts, c = _sizes.Channels;
        var totals = Share(b, slopes);
        int component = 0;
        for (int m = 0; m < parts; m++)
        {
            var pose = new Slopes();
            new Span<T>(_cells, _problem.Maps * CellsLength).Clear();
            T* colours = _problem.Colour == null ? null : _problem.Colour + ((((long)b * parts) + m) * c);
            component = Descend(m, colours, component, ref pose, ref totals);
            slopes.LogPresence[m] += T.CreateTruncating(pose.Logit) + (_presence[m] * Elsewhere(m));
            AddToPose(_problem.Poses + ((((long)b * parts) + m) * 6), pose, slopes.Poses + (m * 6));
            Fold(m, colours, slopes);
        }

        T two = T.One + T.One;
        if (_problem.Scale != null)
            *slopes.Scale += ((two * totals.Distance) - T.CreateChecked(_sizes.Pixels * c)) / *_problem.Scale;
        if (_problem.IsCoupled)
            *slopes.Temperature -= totals.Tied * InverseTemperature * InverseTemperature;
    }

    /// <summary>
    /// Prepares the passes over the parts, in place. Pixels' sums are replaced by their reciprocals. A block's missing
    /// presence is replaced by what the block adds to the slope of an absent part, per unit of presence. Also adds the
    /// background's slopes, and returns the totals to which the parts add theirs.
    /// </summary>
    private readonly Totals Share(int b, in PartSlopes<T> slopes)
    {
        int count = Vector512<T>.Count, channels = _sizes.Channels, plane = _plane;
        T* ground = _problem.Background + ((long)b * _problem.BackgroundBatch);
        var precision = Vector512.Create(Precision);
        Vector512<T> logits = Vector512<T>.Zero, distances = Vector512<T>.Zero;
        double logitTotal = 0, distance = 0;
        for (int block = 0; block < _blocks; block++)
        {
            if (block % FewBlocks == 0)
            {
                Move(ref logits, ref logitTotal);
                Move(ref distances, ref distance);
            }

            int at = block * count;
            var inside = Inside(block);
            var weight = inside & (Vector512<T>.One / Vector512.Load(_sum + at));
            var joint = inside & (Vector512<T>.One / Vector512.Load(_sumJoint + at));
            weight.Store(_sum + at);
            joint.Store(_sumJoint + at);
            Vector512<T> absent = Vector512.Load(_absentJoint + at) * joint, other = Vector512.Load(_absent + at) * weight;
            T presence = _missing[block];
            _missing[block] = presence > T.Zero ? Lanes.Sum(absent - other) / presence : T.Zero;
            var share = Vector512.Load(_groundJoint + at) * joint;
            logits += share - (Vector512.Load(_ground + at) * weight);
            share.Store(_groundJoint + at);
            for (int c = 0; c < channels; c++)
            {
                var x = Vector512.Load(_pixels + (c * plane) + at);
                var difference = x - Vector512.Create(ground[c]);
                distances += precision * ((share * difference * difference) + (absent * x * x));
            }
        }

        Move(ref logits, ref logitTotal);
        Move(ref distances, ref distance);
        T logit = T.CreateTruncating(logitTotal), two = T.One + T.One;
        T* into = slopes.Background;
        for (int c = 0; c < channels; c++)
        {
            var value = Vector512.Create(ground[c]);
            var slope = Vector512<T>.Zero;
            double total = 0;
            for (int at = 0; at < plane; at += count)
            {
                if (at % (FewBlocks * count) == 0) Move(ref slope, ref total);
                slope += Vector512.Load(_groundJoint + at) * (Vector512.Load(_pixels + (c * plane) + at) - value);
            }

            Move(ref slope, ref total);
            into[c] += two * Precision * T.CreateTruncating(total);
            if (_problem.IsCoupled) into[c] += logit * InverseTemperature / T.CreateChecked(channels);
        }

        if (!_problem.IsCoupled) *slopes.BackgroundLogit += logit;
        return new Totals { Distance = T.CreateTruncating(distance), Tied = _problem.IsCoupled ? logit * Mean(ground) : T.Zero };
    }

    /// <summary>
    /// Goes through a part's components again. Adds up the slopes of its pose, collects the gradients of its maps in the
    /// cells between texels, and returns the next component's place.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly int Descend(int m, T* colours, int component, ref Slopes pose, ref Totals totals)
    {
        int count = Vector512<T>.Count, channels = _sizes.Channels, plane = _plane, cells = CellsLength;
        var placement = *(PartPlacement<T>*)(_placements + (6 * m));
        int* indices = stackalloc int[Vector512<T>.Count];
        T* corners = stackalloc T[4 * Vector512<T>.Count];
        var sampler = new PartSampler<T>(placement, _sizes, indices, corners);
        bool coupled = _problem.IsCoupled;
        var precision = Vector512.Create(Precision);
        var twice = precision + precision;
        var share = Vector512.Create(InverseTemperature / T.CreateChecked(int.Max(1, channels)));
        Vector512<T> logits = Vector512<T>.Zero, distances = logits, tied = logits, xs = logits, ys = logits;
        Vector512<T> xi = logits, yi = logits, xj = logits, yj = logits;
        int waiting = 0;
        for (int row = 0; ; row++)
        {
            bool isEnd = row == _sizes.Height;
            var range = isEnd ? default : _ranges[(m * _sizes.Height) + row];
            waiting += range.End - range.First;
            if (waiting > FewBlocks || isEnd)
            {
                Move(ref logits, ref pose.Logit);
                Move(ref distances, ref pose.Distance);
                Move(ref tied, ref pose.Tied);
                Move(ref xs, ref pose.X);
                Move(ref ys, ref pose.Y);
                Move(ref xi, ref pose.XI);
                Move(ref yi, ref pose.YI);
                Move(ref xj, ref pose.XJ);
                Move(ref yj, ref pose.YJ);
                waiting = range.End - range.First;
            }

            if (isEnd) break;
            var j = Vector512.Create(T.CreateTruncating(row));
            for (int block = range.First; block < range.End; block++, component += count)
            {
                int at = ((row * _rowBlocks) + block) * count;
                var place = sampler.At(row, block);
                var joint = Vector512.Load(_joint + component) * Vector512.Load(_sumJoint + at);
                var logit = joint - (Vector512.Load(_logits + component) * Vector512.Load(_sum + at));
                logits += logit;
                Vector512<T> x = Vector512<T>.Zero, y = Vector512<T>.Zero, sum = Vector512<T>.Zero;
                for (int c = 0; c < channels; c++)
                {
                    var value = Vector512.Load(_values + ((nint)component * channels) + (c * count));
                    var difference = Vector512.Load(_pixels + (c * plane) + at) - value;
                    var slope = joint * difference;
                    distances += slope * difference;
                    slope *= twice;
                    sum += value;
                    if (coupled) slope += logit * share;
                    place.Scatter(slope, _cells + (c * cells));
                    if (colours != null) slope *= Vector512.Create(colours[c]);
                    var (sx, sy) = place.Slopes(Table(m, c));
                    x += slope * sx;
                    y += slope * sy;
                }

                if (coupled)
                {
                    tied += logit * sum;
                }
                else
                {
                    place.Scatter(logit, _cells + (channels * cells));
                    var (sx, sy) = place.Slopes(Table(m, channels));
                    x += logit * sx;
                    y += logit * sy;
                }

                var i = Vector512<T>.Indices + Vector512.Create(T.CreateTruncating(block * count));
                xs += x;
                ys += y;
                xi += x * i;
                yi += y * i;
                xj += x * j;
                yj += y * j;
            }
        }

        totals.Distance += Precision * T.CreateTruncating(pose.Distance);
        totals.Tied += T.CreateTruncating(pose.Tied) / T.CreateChecked(int.Max(1, channels));
        return component;
    }

    /// <summary>The slope per unit of presence that a part gets from the blocks that it doesn't go through.</summary>
    private readonly T Elsewhere(int m)
    {
        double sum = 0;
        for (int row = 0; row < _sizes.Height; row++)
        {
            var range = _ranges[(m * _sizes.Height) + row];
            T* missing = _missing + (row * _rowBlocks);
            for (int block = 0; block < range.First; block++) sum += double.CreateTruncating(missing[block]);
            for (int block = range.End; block < _rowBlocks; block++) sum += double.CreateTruncating(missing[block]);
        }

        return T.CreateTruncating(sum);
    }

    /// <summary>Moves the lanes' sum to a total in double, and sets the lanes to 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Move(ref Vector512<T> lanes, ref double total)
    {
        total += double.CreateTruncating(Lanes.Sum(lanes));
        lanes = Vector512<T>.Zero;
    }

    /// <summary>
    /// Turns the slopes by places in texels into those by the pose, and adds them. With p = A·q + t, ∂t = −A⁻ᵀ·h and ∂A =
    /// −A⁻ᵀ·h·qᵀ, where h is the slope by q, and both p and q lie in [−1, 1]².
    /// </summary>
    private readonly void AddToPose(T* pose, in Slopes slopes, T* into)
    {
        T two = T.One + T.One, firstI = PartPlacement<T>.First(_sizes.Width), firstJ = PartPlacement<T>.First(_sizes.Height);
        T a = pose[0], b = pose[1], tx = pose[2], c = pose[3], d = pose[4], ty = pose[5], det = (a * d) - (b * c);
        T right = T.CreateChecked(_sizes.TemplateWidth - 1) / two, down = T.CreateChecked(_sizes.TemplateHeight - 1) / two;
        T stepI = PartPlacement<T>.Step(_sizes.Width), stepJ = PartPlacement<T>.Step(_sizes.Height);

        // Σ h, and Σ h·(p − t)ᵀ with p = (firstI + stepI·i, firstJ + stepJ·j).
        T hx = T.CreateTruncating(slopes.X) * right, hy = T.CreateTruncating(slopes.Y) * down;
        T hxu = (T.CreateTruncating(slopes.XI) * right * stepI) - (hx * (tx - firstI)), hxv = (T.CreateTruncating(slopes.XJ) * right * stepJ) - (hx * (ty - firstJ));
        T hyu = (T.CreateTruncating(slopes.YI) * down * stepI) - (hy * (tx - firstI)), hyv = (T.CreateTruncating(slopes.YJ) * down * stepJ) - (hy * (ty - firstJ));

        // Σ h·qᵀ = Σ h·(p − t)ᵀ·A⁻ᵀ.
        T xx = ((hxu * d) - (hxv * b)) / det, xy = ((hxv * a) - (hxu * c)) / det;
        T yx = ((hyu * d) - (hyv * b)) / det, yy = ((hyv * a) - (hyu * c)) / det;

        // −A⁻ᵀ·, with A⁻ᵀ = [d, −c; −b, a]/det.
        into[0] -= ((d * xx) - (c * yx)) / det;
        into[1] -= ((d * xy) - (c * yy)) / det;
        into[2] -= ((d * hx) - (c * hy)) / det;
        into[3] -= ((a * yx) - (b * xx)) / det;
        into[4] -= ((a * yy) - (b * xy)) / det;
        into[5] -= ((a * hy) - (b * hx)) / det;
    }

    /// <summary>
    /// Adds the gradients in a part's cells to the slopes of its templates, its colours and, unless logits are tied to
    /// values, its mixing logits.
    /// </summary>
    private readonly void Fold(int m, T* colours, in PartSlopes<T> slopes)
    {
        int channels = _sizes.Channels, texels = _sizes.Texels;
        for (int c = 0; c < channels; c++)
        {
            int channel = (m * channels) + c;
            slopes.Colour[channel] += Fold(_cells + (c * CellsLength), Table(m, c), colours == null ? T.One : colours[c], slopes.Templates + (channel * texels));
        }

        if (!_problem.IsCoupled) Fold(_cells + (channels * CellsLength), Table(m, channels), T.One, slopes.Alpha + (m * texels));
    }

    /// <summary>
    /// Sums the cells' gradients at each texel: into += factor · sums. Returns the inner product of the sums and the table.
    /// </summary>
    private readonly T Fold(T* cells, T* table, T factor, T* into)
    {
        int h = _sizes.TemplateHeight, w = _sizes.TemplateWidth, pitch = w + 2;
        T along = T.Zero;
        for (int row = 0; row < h; row++)
        {
            for (int column = 0; column < w; column++)
            {
                int at = ((row + 1) * pitch) + column + 1;
                T sum = cells[4 * at] + cells[(4 * (at - 1)) + 1] + cells[(4 * (at - pitch)) + 2] + cells[(4 * (at - pitch - 1)) + 3];
                along += sum * table[4 * at];
                into[(row * w) + column] += factor * sum;
            }
        }

        return along;
    }

    /// <summary>
    /// Sums over a part's pixels: of ∂l; of r·|x − v|²; of ∂l·Σ v, where logits are tied to values; of the slopes by place;
    /// and of the slopes by place times column i and times row j.
    /// </summary>
    private struct Slopes
    {
        public double Logit, Distance, Tied, X, Y, XI, YI, XJ, YJ;
    }

    /// <summary>Sums over an image: Σ r·|x − v|²/2σ², and Σ ∂l·v where logits are tied to values.</summary>
    private struct Totals
    {
        public T Distance, Tied;
    }
}
