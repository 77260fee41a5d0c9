namespace Scae.Tensors.Kernels;

/// <summary>How a window of kh × kw pixels moves over an image of height × width, and how many places it has.</summary>
internal readonly record struct Window(int Height, int Width, int KernelHeight, int KernelWidth, int Stride, int Padding, int Rows, int Columns)
{
    /// <summary>Places of the window: rows × columns.</summary>
    public int Places => Rows * Columns;

    /// <summary>Pixels the window sees of one channel.</summary>
    public int Seen => KernelHeight * KernelWidth;

    /// <summary>Pixels of one channel of the image.</summary>
    public int Area => Height * Width;
}
