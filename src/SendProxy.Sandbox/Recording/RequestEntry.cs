namespace SendProxy.Sandbox.Recording;

/// <summary>One request that arrived, whatever became of it.</summary>
internal sealed class RequestEntry(
    long number, DateTimeOffset at, string protocol, string method, string path, string[] headers, string? idempotencyKey)
{
    /// <summary>Position in the log, from 1.</summary>
    public long Number => number;

    /// <summary>When its head had been read.</summary>
    public DateTimeOffset At => at;

    /// <summary>HTTP/1.1 or HTTP/2.</summary>
    public string Protocol => protocol;

    public string Method => method;

    public string Path => path;

    /// <summary>Names of its headers without their values.</summary>
    public string[] Headers => headers;

    public string? IdempotencyKey => idempotencyKey;

    /// <summary>First 8 hex digits of the accepted API key's SHA-256; null before or without one.</summary>
    public string? KeyFingerprint { get; set; }

    /// <summary>Status answered; 0 while it runs and when no answer was given.</summary>
    public int Status { get; set; }

    /// <summary>Name of the fault that met it, or null.</summary>
    public string? Fault { get; set; }
}
