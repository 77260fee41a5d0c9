using Scae.Cli.Reports;

namespace Scae.Cli.Runs;

/// <summary>How many of some seeds reach a target by themselves, whatever their mean does.</summary>
internal sealed record SuccessRate(TargetCheck Check, int Reached, int Seeds)
{
    public double Share => (double)Reached / Seeds;

    /// <summary>raw recovery ≥ 95 %: 5 of 5 seeds.</summary>
    public string Line => $"{Format.Name(Check.Target.Metric)} {Check.Range}: {Reached} of {Format.Seeds(Seeds)}";
}
