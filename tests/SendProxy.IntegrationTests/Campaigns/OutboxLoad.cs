using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Campaigns;

/// <summary>A message that was answered 202, and where it is told.</summary>
internal sealed record AcceptedMessage(string Intent, Uri Location, bool HasKey);

/// <summary>
/// Applications that hand messages in as fast as the proxy takes them, one by one and by Prefer: wait, with and without keys, and try again
/// while it is not there. Only what was answered 202 counts as accepted. Drawn from a seed.
/// </summary>
/// <param name="proxy">Where the proxy is now: it moves when it is killed.</param>
internal sealed class OutboxLoad(int seed, int messages, Func<Uri> proxy) : IDisposable
{
    private const int Callers = 16;

    // What a vendor may do to a request that does not end the message for good.
    private static readonly string[] Faults =
        ["accept-drop", "drop-before", "drop-unread", "error-before", "error-after", "delay", "delay-before", "partial-body", "unavailable", "bad-gateway", "gateway-timeout", "rate-limited"];

    private readonly HttpClient _client = new(new SocketsHttpHandler { MaxConnectionsPerServer = 200 }) { Timeout = TimeSpan.FromSeconds(20) };
    private int _begun;

    public ConcurrentQueue<AcceptedMessage> Accepted { get; } = [];

    public Task RunAsync(CancellationToken cancellation) => Task.WhenAll(Enumerable.Range(0, Callers).Select(async _ =>
    {
        while (Interlocked.Increment(ref _begun) is var number && number <= messages)
        {
            await HandInAsync(number, new Random(HashCode.Combine(seed, number)), cancellation);
        }
    }));

    public void Dispose() => _client.Dispose();

    private async Task HandInAsync(int number, Random random, CancellationToken cancellation)
    {
        var (hasKey, waits, fault) = (random.Next(2) == 0, random.Next(4) == 0, random.Next(100) < 50 ? Faults[random.Next(Faults.Length)] : null);
        for (var knock = 0; knock < 200; knock++)
        {
            // Without a key each try is a message of its own: what became of a try before is not known.
            var intent = hasKey ? $"{seed:x}-{number}" : $"{seed:x}-{number}-{knock}";
            try
            {
                using var request = Request(intent, hasKey, waits, fault is null ? null : $"{fault};ms={random.Next(5, 300)};times={random.Next(1, 3)}");
                using var answer = await _client.SendAsync(request, cancellation);
                if (answer.StatusCode == HttpStatusCode.Accepted && answer.Headers.Location is { } location)
                {
                    Accepted.Enqueue(new AcceptedMessage(intent, location, hasKey));
                    return;
                }

                if (answer.IsSuccessStatusCode || answer.Header("SendProxy-Sent") != "no")
                {
                    return; // Sent at once, within the time that the caller waited; the ledger still counts it.
                }
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !cancellation.IsCancellationRequested)
            {
                // Killed, or not back yet.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(10, 200)), TimeProvider.System, cancellation);
        }
    }

    private HttpRequestMessage Request(string intent, bool hasKey, bool waits, string? fault)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(proxy(), "/v1/sms/send"))
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes($$$"""{"to":"+491701234567","from":"Shop","text":"Hello","metadata":{"intent":"{{{intent}}}"}}""")),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add("Prefer", waits ? "respond-async, wait=1" : "respond-async");
        if (hasKey)
        {
            request.Headers.Add("Idempotency-Key", $"key-{intent}");
        }

        if (fault is not null)
        {
            request.Headers.Add("X-Sandbox-Fault", fault);
        }

        return request;
    }
}
