using Prometheus;

namespace SendProxy.Secrets;

/// <summary>Series of the secrets. Labels are the setting's path and an enum; never a value.</summary>
internal sealed class SecretMetrics(IMetricFactory metrics)
{
    private readonly Gauge _usable = metrics.CreateGauge(
        "sendproxy_secret_usable", "1 while the last look at the secret's source gave a usable value.", ["secret"]);

    private readonly Counter _reloads = metrics.CreateCounter(
        "sendproxy_secret_reloads_total", "Looks at a secret's source that gave something new, by what it was.", ["secret", "state"]);

    public void Looked(string secret, bool usable) => _usable.WithLabels(secret).Set(usable ? 1 : 0);

    /// <summary>The secret is no longer configured: a gauge that stays would say for ever how it was last.</summary>
    public void Ended(string secret) => _usable.RemoveLabelled(secret);

    public void Reloaded(string secret, SecretState state) => _reloads.WithLabels(secret, Word(state)).Inc();

    public static string Word(SecretState state) => state switch
    {
        SecretState.Ok => "ok",
        SecretState.Missing => "missing",
        SecretState.Unreadable => "unreadable",
        SecretState.Directory => "directory",
        SecretState.NotDirectory => "not_directory",
        SecretState.Empty => "empty",
        SecretState.Malformed => "malformed",
        SecretState.TooLarge => "too_large",
        SecretState.SeveralLines => "several_lines",
        SecretState.Utf16 => "utf16",
        SecretState.Quoted => "quoted",
        SecretState.WithScheme => "with_scheme",
        SecretState.WithSpace => "with_space",
        _ => "test_key",
    };

    /// <returns>The same in a sentence: <c>a directory</c>.</returns>
    public static string Told(SecretState state) => state switch
    {
        SecretState.Directory => "a directory",
        SecretState.NotDirectory => "a file and no directory",
        _ => Word(state).Replace('_', ' '),
    };
}
