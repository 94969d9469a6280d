using System.Buffers;
using System.Globalization;
using System.Net;
using SendProxy.Queueing;
using SendProxy.Upstreams.Connections;
using SendProxy.Upstreams.Responses;

namespace SendProxy.FanOut;

/// <summary>How one attempt ended. The words are labels and log values.</summary>
internal enum DeliveryOutcome
{
    /// <summary>2xx.</summary>
    Delivered,

    /// <summary>Another status than 2xx and 410.</summary>
    Refused,

    /// <summary>410: the subscriber wants no more.</summary>
    Gone,

    TimedOut,

    /// <summary>The connection broke after the request was begun.</summary>
    Broken,

    /// <summary>No connection was made; nothing was sent.</summary>
    Unreachable,

    /// <summary>Its name leads to an address that is not allowed; nothing was sent.</summary>
    AddressRefused,

    /// <summary>It must be signed, and no key can be used; nothing was sent.</summary>
    Unsigned,
}

/// <param name="Status">0 where there was no answer.</param>
/// <param name="RetryAfter">What the subscriber asked for.</param>
internal readonly record struct DeliveryResult(DeliveryOutcome Outcome, int Status = 0, TimeSpan? RetryAfter = null);

/// <summary>Makes one POST of a delivery, byte for byte, under a fresh signature.</summary>
internal sealed class DeliveryAttempt(SubscriberClient client, TimeProvider time)
{
    private const int MaxResponseBytes = 64 * 1024;
    private static readonly RateHeaderNames NoNames = new(null, null, null);

    /// <exception cref="OperationCanceledException">The process stops.</exception>
    public async Task<DeliveryResult> RunAsync(
        Subscriber subscriber, EventEnvelope envelope, ReadOnlyMemory<byte> body, int attempt, CancellationToken stop)
    {
        var options = subscriber.Options;
        var keys = subscriber.Keys.Keys;
        if (subscriber.MustSign && keys.Count == 0)
        {
            return new(DeliveryOutcome.Unsigned);
        }

        using var within = new CancellationTokenSource(options.Timeout, time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(within.Token, stop);
        using var request = new HttpRequestMessage(HttpMethod.Post, options.Url) { Content = new ReadOnlyMemoryContent(body) };
        var timestamp = StandardSignature.Timestamp(time.GetUtcNow());
        Fill(request, envelope, attempt, timestamp, StandardSignature.Sign(keys, envelope.Id, timestamp, body));
        try
        {
            using var response = await client.SendAsync(options, request, ended.Token);
            await DropAsync(response, ended.Token);
            return Judge(response);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return new(DeliveryOutcome.TimedOut);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return new(e.InnerException is AddressRefusedException ? DeliveryOutcome.AddressRefused
                : e is HttpRequestException h && IsBeforeSending(h.HttpRequestError) ? DeliveryOutcome.Unreachable
                : DeliveryOutcome.Broken);
        }
    }

    public static string Word(DeliveryOutcome outcome) => outcome switch
    {
        DeliveryOutcome.Delivered => "delivered",
        DeliveryOutcome.Refused => "refused",
        DeliveryOutcome.Gone => "gone",
        DeliveryOutcome.TimedOut => "timed_out",
        DeliveryOutcome.Broken => "broken",
        DeliveryOutcome.Unreachable => "unreachable",
        DeliveryOutcome.AddressRefused => "address_refused",
        _ => "unsigned",
    };

    private static bool IsBeforeSending(HttpRequestError error) =>
        error is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError;

    private static void Fill(HttpRequestMessage request, EventEnvelope envelope, int attempt, string timestamp, string? signature)
    {
        request.Version = HttpVersion.Version11;
        var type = envelope.ContentType.Length > 0 ? envelope.ContentType : "application/octet-stream";
        request.Content!.Headers.TryAddWithoutValidation("Content-Type", type);
        var headers = request.Headers;
        foreach (var (name, value) in envelope.Headers)
        {
            headers.TryAddWithoutValidation($"SendProxy-Original-{name}", value);
        }

        headers.TryAddWithoutValidation("webhook-id", envelope.Id);
        headers.TryAddWithoutValidation("webhook-timestamp", timestamp);
        if (signature is not null)
        {
            headers.TryAddWithoutValidation("webhook-signature", signature);
        }

        headers.TryAddWithoutValidation("SendProxy-Source", envelope.Source);
        headers.TryAddWithoutValidation("SendProxy-Attempt", attempt.ToString(CultureInfo.InvariantCulture));
    }

    private DeliveryResult Judge(HttpResponseMessage response)
    {
        var status = (int)response.StatusCode;
        string? Header(string name) => response.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : null;
        var hint = RateHeaders.Read(Header, NoNames, time.GetUtcNow());
        var outcome = response.IsSuccessStatusCode ? DeliveryOutcome.Delivered
            : response.StatusCode == HttpStatusCode.Gone ? DeliveryOutcome.Gone
            : DeliveryOutcome.Refused;
        return new(outcome, status, hint.RetryAfter);
    }

    // The body is read so that the connection can be used again; one above the bound ends the connection. The status is known already,
    // so that an error here is no failure of the attempt.
    private static async Task DropAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(8192);
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
            for (var total = 0; total < MaxResponseBytes;)
            {
                var read = await stream.ReadAsync(buffer, cancellation);
                if (read == 0)
                {
                    return;
                }

                total += read;
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            // Status and headers were whole.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
