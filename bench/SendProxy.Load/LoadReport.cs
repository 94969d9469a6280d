using System.Text.Json.Serialization;

namespace SendProxy.Load;

/// <summary>What one run gave; latencies in microseconds from when a request was due.</summary>
/// <param name="All">Answers of the whole run, the warm-up included: what costs are divided by.</param>
/// <param name="Answers">Those that came in the measured time.</param>
/// <param name="Ok">Of those, with a status of 200 to 299.</param>
/// <param name="Errors">Connections that broke or could not be had.</param>
/// <param name="Unanswered">Still open some seconds after the end.</param>
/// <param name="Behind">Due within the run but never sent, since no connection was free.</param>
internal sealed record LoadReport(
    double Rate, long All, long Answers, long Ok, Dictionary<int, long> Statuses, long Errors, long Unanswered, long Behind,
    double Mean, long P50, long P90, long P99, long P999, long Max)
{
    public static LoadReport Of(
        Histogram latencies, TimeSpan duration, long all, Dictionary<int, long> statuses, long errors, long unanswered, long behind)
    {
        var answers = statuses.Values.Sum();
        return new(
            Math.Round(answers / duration.TotalSeconds, 1), all, answers, statuses.Where(s => s.Key is >= 200 and < 300).Sum(s => s.Value), statuses, errors, unanswered,
            behind, Math.Round(latencies.Sum / Math.Max(latencies.Count, 1), 1), latencies.Quantile(0.5), latencies.Quantile(0.9), latencies.Quantile(0.99),
            latencies.Quantile(0.999), latencies.Max);
    }
}

/// <summary>Without reflection, as AOT needs it.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LoadReport))]
internal sealed partial class ReportJson : JsonSerializerContext;
