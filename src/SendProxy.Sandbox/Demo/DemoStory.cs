using System.Net;
using System.Text;
using System.Text.Json;

namespace SendProxy.Sandbox.Demo;

/// <summary>One send as the application saw it.</summary>
internal sealed record Sent(string Channel, string Met, int Status, string Attempts, string Idempotency, string? MessageId, string Seen);

/// <summary>
/// The main job, step by step: three sends with two accidents, the vendor's ledger, the webhooks, a burst over the plan, the
/// metrics, and where the key is not. Each step ends in a statement that is true or not.
/// </summary>
internal sealed class DemoStory(DemoStage stage, DemoReport report, string binary)
{
    private const int EventsForEach = 3;
    private const int BurstSize = 20;

    private const int LaterSize = 50;

    private static readonly TimeSpan WebhookPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan OutboxPatience = TimeSpan.FromSeconds(20);

    private readonly StringBuilder _seen = new();
    private readonly List<(bool IsTrue, string Statement)> _statements = [];

    /// <returns>True when every statement is.</returns>
    public async Task<bool> TellAsync(CancellationToken cancellation)
    {
        report.Title(stage);
        var sends = await SendThreeAsync(cancellation);
        report.Sends(sends);
        State(sends.All(s => s.Status == (int)HttpStatusCode.Accepted), "3 sends without a key, 3 times 202 Accepted");
        State(sends[0].Attempts == "2" && sends[1].Attempts == "2", "the 429 and the broken connection cost an attempt each, and the application nothing");

        var ledger = stage.Vendor.Ledger.Read();
        report.Ledger(ledger);
        State(ledger.Count == 3 && ledger.Select(e => e.MessageId).Order().SequenceEqual(sends.Select(s => s.MessageId).Order()),
            "3 messages in the vendor's ledger, each once, with the ids that the application got");

        await ReceiveAsync(cancellation);
        await BurstAsync(cancellation);
        await MeasureAsync(cancellation);
        await SendLaterAsync(cancellation);
        LookForTheKey();
        report.Verdict(_statements);
        return _statements.TrueForAll(s => s.IsTrue);
    }

    private async Task<List<Sent>> SendThreeAsync(CancellationToken cancellation)
    {
        stage.Vendor.Faults.Add("rate-limited;retry_after=1", 1, "/v1/sms/send");
        stage.Vendor.Faults.Add("accept-drop", 1, "/v1/whatsapp/send");
        return
        [
            await SendAsync("sms", "429, Retry-After: 1", """{"to":"+491701234567","from":"Shop","text":"Your parcel is on its way"}""", cancellation),
            await SendAsync("whatsapp", "connection broken after the effect", """{"session_id":"wa_main","to":"+491701234567","type":"text","text":"Hello"}""", cancellation),
            await SendAsync("email", "nothing", """{"from":"Shop <no-reply@mail.example.com>","to":["a@example.com"],"subject":"Hello","text":"Hello"}""", cancellation),
        ];
    }

    private async Task<Sent> SendAsync(string channel, string met, string body, CancellationToken cancellation)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await stage.Client.PostAsync(new Uri($"/v1/{channel}/send", UriKind.Relative), content, cancellation);
        var text = await answer.Content.ReadAsStringAsync(cancellation);
        var seen = $"{answer.Headers}{answer.Content.Headers}{text}";
        _seen.Append(seen);
        string Header(string name) => answer.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : "";
        return new Sent(channel, met, (int)answer.StatusCode, Header("SendProxy-Attempts"), Header("SendProxy-Idempotency"), MessageId(text), seen);
    }

    private async Task ReceiveAsync(CancellationToken cancellation)
    {
        const int expected = 3 * EventsForEach;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(WebhookPatience);
        try
        {
            await stage.Application.ReachAsync(expected, patience.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // What is missing is told below.
        }

        var events = stage.Application.Events;
        report.Events(events);
        State(events.DistinctBy(e => e.Id).Count() >= expected, $"{expected} signed webhooks were verified, stored and fanned out to the application");
        State(events.Count > 0 && events.All(e => e.IsSigned), "each carries a fresh Standard Webhooks signature that the application checked");
        events.ToList().ForEach(e => _seen.Append(e.Text));
    }

    private async Task BurstAsync(CancellationToken cancellation)
    {
        var before = stage.Vendor.Requests.Arrived;
        var sends = await Task.WhenAll(Enumerable.Range(0, BurstSize).Select(i =>
            SendAsync("sms", "", $$"""{"to":"+4917000000{{i:00}}","from":"Shop","text":"Burst"}""", cancellation)));
        var over = stage.Vendor.Requests.Read(before).Count(r => r.Status == (int)HttpStatusCode.TooManyRequests);
        report.Burst(BurstSize, DemoFolder.PlanPerSecond, over);
        State(over == 0 && sends.All(s => s.Status == (int)HttpStatusCode.Accepted),
            $"a burst of {BurstSize} over a plan of {DemoFolder.PlanPerSecond}/s was paced: all sent, the vendor refused none");
    }

    private async Task MeasureAsync(CancellationToken cancellation)
    {
        using var client = new HttpClient();
        var page = await client.GetStringAsync(new Uri(stage.Proxy.Metrics, "/metrics"), cancellation);
        _seen.Append(page);
        var lines = page.Split('\n').Where(l => l.Length > 0 && l[0] != '#').ToArray();
        report.Metrics(lines);
        State(Array.Exists(lines, l => l.StartsWith("sendproxy_retries_total", StringComparison.Ordinal)), "retries, waits, webhooks and deliveries are counted");
    }

    // The vendor is down, the proxy is killed, and what was accepted has one effect all the same.
    private async Task SendLaterAsync(CancellationToken cancellation)
    {
        var (before, outage) = (stage.Vendor.Ledger.Effects, stage.Vendor.Faults.Add("unavailable", null, "/v1/sms/send"));
        var accepted = await Task.WhenAll(Enumerable.Range(0, LaterSize).Select(i => AcceptAsync(i, cancellation)));
        var sentMeanwhile = stage.Vendor.Ledger.Effects - before;
        await stage.KillAndRestartProxyAsync(binary, cancellation);
        stage.Vendor.Faults.Remove(outage);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        // What has failed already is not waited for at length.
        patience.CancelAfter(_statements.TrueForAll(s => s.IsTrue) ? OutboxPatience : OutboxPatience / 10);
        try
        {
            await stage.Vendor.Ledger.ReachAsync(before + LaterSize, patience.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // What is missing is told below.
        }

        var later = stage.Vendor.Ledger.Read(before).Where(e => e.Intent is not null).ToLookup(e => e.Intent);
        report.Outbox(accepted.Count(a => a), sentMeanwhile, later.Count, later.Count(l => l.Count() > 1));
        State(accepted.All(a => a), $"{LaterSize} messages with Prefer: respond-async were answered 202 while the vendor was down");
        State(later.Count == LaterSize && later.All(l => l.Count() == 1), $"the proxy was killed, the vendor came back, and all {LaterSize} were sent once");
    }

    private async Task<bool> AcceptAsync(int number, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/v1/sms/send", UriKind.Relative))
        {
            Content = new StringContent($$$"""{"to":"+491701234567","from":"Shop","text":"Later","metadata":{"intent":"later-{{{number}}}"}}""", Encoding.UTF8, "application/json"),
            Headers = { { "Prefer", "respond-async" } },
        };
        using var answer = await stage.Client.SendAsync(request, cancellation);
        _seen.Append(await answer.Content.ReadAsStringAsync(cancellation));
        return answer.StatusCode == HttpStatusCode.Accepted && answer.Headers.Location is not null;
    }

    private void LookForTheKey()
    {
        var key = stage.Folder.Key;
        State(!_seen.ToString().Contains(key, StringComparison.Ordinal), "the key is in nothing that the application saw, and not in /metrics");
        State(!stage.ProxyLines.Any(l => l.Contains(key, StringComparison.Ordinal)), "the key is not in the proxy's log");
    }

    private void State(bool isTrue, string statement) => _statements.Add((isTrue, statement));

    private static string? MessageId(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return json.RootElement.TryGetProperty("id", out var id) ? id.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
