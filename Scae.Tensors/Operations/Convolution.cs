using System;
using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Convolution of images [b, c, h, w] and its transpose.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// Images [b, c, h, w] and filters [o, c, kh, kw] → [b, o, h′, w′] with h′ = ⌊(h + 2·padding − kh)/stride⌋ + 1. Filters
    /// aren't flipped (this is cross-correlation), as in DiffSharp and PyTorch. A bias [o] is added and the activation
    /// applied in the same operation.
    /// </summary>
    /// <exception cref="ShapeError">The shapes or dtypes don't fit, or the filter is larger than the padded image.</exception>
    public Tensor conv2d(Tensor filters, int stride = 1, int padding = 0, Tensor? bias = null, Activation activation = Activation.None)
    {
        CheckSameDtype("conv2d", this, filters);
        if (bias is not null) CheckSameDtype("conv2d", this, bias);
        if (bias is not null && (bias.dim != 1 || filters.dim != 4 || bias._shape[0] != filters._shape[0]))
            throw ShapeError.Of("conv2d", $"bias {Shape.Text(bias.Sizes)} with filters {Shape.Text(filters.Sizes)}; needs [o] and [o, c, kh, kw]");
        if (dim != 4 || filters.dim != 4 || filters._shape[1] != _shape[1])
            throw ShapeError.Of("conv2d", $"images {Shape.Text(Sizes)} with filters {Shape.Text(filters.Sizes)}; needs [b, c, h, w] and [o, c, kh, kw]");
        var (kh, kw, o) = (filters._shape[2], filters._shape[3], filters._shape[0]);
        CheckActivation("conv2d", activation);
        var window = WindowOver("conv2d", this, kh, kw, stride, padding);
        if (ConvolutionKernel.Room(new ConvolutionSizes(_shape[0], _shape[1], o, window), dtype) > Array.MaxLength)
            throw ShapeError.Of("conv2d", $"images {Shape.Text(Sizes)}, filters {Shape.Text(filters.Sizes)}, stride {stride}, padding {padding}; an image with its padding, or what filters see of it, has more than 2^31 numbers: cut the images");
        Tensor[] inputs = bias is null ? [contiguous(), filters.contiguous()] : [contiguous(), filters.contiguous(), bias.contiguous()];
        return new ConvolutionOperation(inputs, window, activation).Run(dtype, [_shape[0], o, window.Rows, window.Columns]);
    }

    /// <summary>
    /// The transpose of conv2d as a map of images: [b, o, h, w] and filters [o, c, kh, kw] → [b, c, h′, w′] with h′ =
    /// (h − 1)·stride − 2·padding + kh.
    /// </summary>
    /// <exception cref="ShapeError">The shapes or dtypes don't fit, or the padding leaves nothing of the image.</exception>
    public Tensor convTranspose2d(Tensor filters, int stride = 1, int padding = 0)
    {
        CheckSameDtype("convTranspose2d", this, filters);
        if (dim != 4 || filters.dim != 4 || filters._shape[0] != _shape[1])
            throw ShapeError.Of("convTranspose2d", $"images {Shape.Text(Sizes)} with filters {Shape.Text(filters.Sizes)}; needs [b, o, h, w] and [o, c, kh, kw]");
        var (o, c, kh, kw) = (_shape[1], filters._shape[1], filters._shape[2], filters._shape[3]);
        CheckStride("convTranspose2d", stride, padding);
        long height = ((_shape[2] - 1L) * stride) - (2L * padding) + kh, width = ((_shape[3] - 1L) * stride) - (2L * padding) + kw;
        if (height < 1 || width < 1 || _shape[2] < 1 || _shape[3] < 1)
            throw ShapeError.Of("convTranspose2d", $"images {Shape.Text(Sizes)}, filter {kh} × {kw}, stride {stride}, padding {padding}; nothing would remain");
        if (height > int.MaxValue || width > int.MaxValue)
            throw ShapeError.Of("convTranspose2d", $"images {Shape.Text(Sizes)}, stride {stride}; an image would have {height} × {width} pixels");
        int[] target = [_shape[0], c, (int)height, (int)width];
        var window = new Window((int)height, (int)width, kh, kw, stride, padding, _shape[2], _shape[3]);
        var columns = filters.view(o, c * kh * kw).transpose().matmul(contiguous().view(_shape[0], o, _shape[2] * _shape[3]));
        return new Fold(columns.contiguous(), window).Run(dtype, target);
    }

    private static Window WindowOver(string operation, Tensor image, int kh, int kw, int stride, int padding)
    {
        CheckStride(operation, stride, padding);
        long height = image._shape[2] + (2L * padding) - kh, width = image._shape[3] + (2L * padding) - kw;
        if (kh < 1 || kw < 1 || height < 0 || width < 0)
            throw ShapeError.Of(operation, $"images {Shape.Text(image.Sizes)}, window {kh} × {kw}, stride {stride}, padding {padding}; the window must fit into the padded image");
        return new Window(image._shape[2], image._shape[3], kh, kw, stride, padding, (int)(height / stride) + 1, (int)(width / stride) + 1);
    }

    private static void CheckStride(string operation, int stride, int padding)
    {
        if (stride < 1 || padding < 0) throw ShapeError.Of(operation, $"stride {stride}, padding {padding}; the stride must be at least 1 and the padding at least 0");
    }

    /// <summary>Adds columns to the pixels of their windows: [b, c·kh·kw, places] → [b, c, h, w].</summary>
    private sealed class Fold(Tensor columns, Window window) : SharedOperation(columns)
    {
        protected override int Items => Output.nelement > 0 ? Output._shape[0] : 0;

        /// <summary>The part of some elements that belongs to images from, …, to − 1.</summary>
        private Span<T> Part<T>(Span<T> all, int from, int to)
        {
            int size = all.Length / Items;
            return all.Slice(from * size, (to - from) * size);
        }

        protected override void Forward<T>(int from, int to)
        {
            var images = Part(Output.Data<T>(), from, to);
            images.Clear();
            Patches.AddToImage(window, Part(Inputs[0].Data<T>(), from, to), images);
        }

        protected override void Backward<T>(int from, int to, bool accumulate) =>
            Patches.ToColumns(window, Part(Output.Gradient!.Span<T>(), from, to), Part(Inputs[0].Gradient!.Span<T>(), from, to), accumulate);
    }
}
