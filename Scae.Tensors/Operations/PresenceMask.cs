namespace Scae.Tensors;

/// <summary>How the presence d of a key counts in attention (Kosiorek et al. 2019, the set transformer of SCAE).</summary>
public enum PresenceMask
{
    /// <summary>
    /// As in the paper's program: (1 − d)·10³² is taken from the score before scaling. Presences of 0 and 1 are a mask;
    /// presences between make attention choose the largest d, and all keys whose d rounds to the same. No gradient to d.
    /// </summary>
    Hard,

    /// <summary>log d is added to the scaled score, so that weights are proportional to d; −10³⁰ without gradient below 10⁻¹⁶.</summary>
    Log,
}
