using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Campaigns;

/// <summary>
/// Applications that send at a fixed rate whether or not answers come: a slow answer does not slow the load down, so nothing
/// hides behind waiting.
/// </summary>
internal sealed class OpenLoad : IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    private readonly HttpClient _client;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _failures = [];
    private readonly ConcurrentQueue<(string Code, string Attempts, TimeSpan Took)> _refusals = [];
    private readonly Task _running;
    private long _sent;
    private long _answered;
    private long _again;

    private OpenLoad(Uri proxy, int perSecond)
    {
        _client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 1000 }) { BaseAddress = proxy };
        _running = Task.Run(() => RunAsync(perSecond));
    }

    public long Sent => Interlocked.Read(ref _sent);

    public long Answered => Interlocked.Read(ref _answered);

    /// <summary>Answers that took the proxy more than one attempt.</summary>
    public long TriedAgain => Interlocked.Read(ref _again);

    /// <summary>Every answer but 202, and every exception.</summary>
    public IReadOnlyCollection<string> Failures => _failures;

    /// <returns>How long each answer with this code took that was no attempt's, in order of length.</returns>
    public TimeSpan[] Times(string code) => [.. _refusals.Where(r => r.Code == code && r.Attempts == "0").Select(r => r.Took).Order()];

    public static OpenLoad Start(Uri proxy, int perSecond) => new(proxy, perSecond);

    /// <summary>Sends nothing more and waits for what is under way.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(ProxyProcess.Guard);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _client.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync(int perSecond)
    {
        var time = TimeProvider.System;
        var start = time.GetTimestamp();
        var sending = new List<Task>();
        using var timer = new PeriodicTimer(Tick, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                var due = (long)(time.GetElapsedTime(start).TotalSeconds * perSecond);
                while (_sent < due)
                {
                    sending.Add(SendAsync(Interlocked.Increment(ref _sent)));
                }

                sending.RemoveAll(s => s.IsCompleted);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }

        await Task.WhenAll(sending);
    }

    private async Task SendAsync(long number)
    {
        var start = TimeProvider.System.GetTimestamp();
        try
        {
            using var content = new StringContent(EgressStage.Sms, System.Text.Encoding.UTF8, "application/json");
            using var answer = await _client.PostAsync(new Uri("/v1/sms/send", UriKind.Relative), content);
            Interlocked.Increment(ref _answered);
            if (answer.StatusCode != HttpStatusCode.Accepted)
            {
                _refusals.Enqueue((answer.Header("SendProxy-Error"), answer.Header("SendProxy-Attempts"), TimeProvider.System.GetElapsedTime(start)));
                _failures.Enqueue(string.Create(CultureInfo.InvariantCulture, $"request {number}: {(int)answer.StatusCode} {answer.Header("SendProxy-Error")}"));
            }
            else if (answer.Header("SendProxy-Attempts") != "1")
            {
                Interlocked.Increment(ref _again);
            }
        }
        catch (HttpRequestException e)
        {
            _failures.Enqueue(string.Create(CultureInfo.InvariantCulture, $"request {number}: {e.Message}"));
        }
    }
}
