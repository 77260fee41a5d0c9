using Scae.Tensors.Kernels;

namespace Scae.Tensors;

/// <content>Log-likelihoods of points under isotropic normal distributions in one operation.</content>
public sealed partial class Tensor
{
    /// <summary>
    /// log N(x_m; μ_km, σ_km²·I) = Σ_j −½((x_mj − μ_kmj)/σ_km)² − log σ_km − ½ log 2π: points x [b, m, n], means
    /// [b, k, m, n] and sigmas [b, k, m] → [b, k, m]. σ must be positive. For points without numbers (n = 0) the result is
    /// 0.
    /// </summary>
    /// <exception cref="ShapeError">The sizes or dtypes don't fit.</exception>
    public Tensor isotropicLogLikelihood(Tensor means, Tensor sigmas)
    {
        CheckSameDtype("isotropicLogLikelihood", this, means);
        CheckSameDtype("isotropicLogLikelihood", means, sigmas);
        bool fits = dim == 3 && means.dim == 4 && sigmas.dim == 3 && means._shape[0] == _shape[0] && means._shape[2] == _shape[1] && means._shape[3] == _shape[2]
            && sigmas._shape[0] == _shape[0] && sigmas._shape[1] == means._shape[1] && sigmas._shape[2] == _shape[1];
        if (!fits)
            throw ShapeError.Of("isotropicLogLikelihood", $"points {Shape.Text(Sizes)}, means {Shape.Text(means.Sizes)}, sigmas {Shape.Text(sigmas.Sizes)}; needs [b, m, n], [b, k, m, n] and [b, k, m]");
        return new IsotropicLogLikelihoodOperation(contiguous(), means.contiguous(), sigmas.contiguous()).Run(dtype, sigmas.shape);
    }

    private sealed class IsotropicLogLikelihoodOperation(Tensor points, Tensor means, Tensor sigmas) : Operation(points, means, sigmas)
    {
        private readonly DensitySizes _sizes = new(points._shape[0], means._shape[1], points._shape[1], points._shape[2]);

        protected override void Forward<T>()
        {
            if (Output.nelement == 0) return;
            DensityKernel.Forward<T>(_sizes, Inputs[0].Data<T>(), Inputs[1].Data<T>(), Inputs[2].Data<T>(), Output.Data<T>());
        }

        protected override void Backward<T>()
        {
            if (Output.nelement == 0) return;
            bool addToMeans = true;
            var toPoints = Wants(0) ? InputGradientToAdd<T>(0) : default;
            var toMeans = Wants(1) ? InputGradient<T>(1, out addToMeans) : default;
            DensityKernel.Backward<T>(
                _sizes, Inputs[0].Data<T>(), Inputs[1].Data<T>(), Inputs[2].Data<T>(), OutputGradient<T>(), toPoints, toMeans, addToMeans,
                Wants(2) ? InputGradientToAdd<T>(2) : default);
        }
    }
}
