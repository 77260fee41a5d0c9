namespace Scae.Tensors;

/// <summary>How the presence d of a key counts in attention (Kosiorek et al. 2019, the set transformer of SCAE).</summary>
public enum PresenceMask
{
    /// <summary>
    /// As in the paper's program, (1 − d)·10³² is subtracted from the score before scaling. Presences of 0 and 1 work as a
    /// mask. With presences in between, attention chooses the keys with the largest d, and those whose d rounds to the
    /// same. No gradient flows to d.
    /// </summary>
    Hard,

    /// <summary>
    /// log d is added to the scaled score, so that weights are proportional to d; below 10⁻¹⁶ it is −10³⁰, without
    /// gradient.
    /// </summary>
    Log,
}
