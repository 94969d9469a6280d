using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Campaigns;

/// <summary>One answer: when it was asked for, in which lane, how long the proxy let it wait, what came.</summary>
internal sealed record LimitsAnswer(DateTimeOffset At, string Lane, double QueuedMs, int Status, string Error, string Limiter, double TookMs);

/// <summary>Applications that send at random moments to random proxies of a fleet, whether or not answers come.</summary>
internal sealed class LimitsLoad : IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(2);

    private readonly HttpClient _client = new(new SocketsHttpHandler { MaxConnectionsPerServer = 2000, PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5) });
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Random, Uri?> _pick;
    private readonly double _urgentShare;
    private readonly Task _running;

    private LimitsLoad(double perSecond, double urgentShare, Func<Random, Uri?> pick)
    {
        (_pick, _urgentShare) = (pick, urgentShare);
        PerSecond = perSecond;
        _running = Task.Run(RunAsync);
    }

    /// <summary>Requests a second from now on.</summary>
    public double PerSecond { get; set; }

    public ConcurrentQueue<LimitsAnswer> Answers { get; } = [];

    /// <summary>Requests that got no answer: their proxy was killed.</summary>
    public ConcurrentQueue<string> Broken { get; } = [];

    /// <param name="pick">Which proxy the next one goes to; null: none now.</param>
    public static LimitsLoad Start(double perSecond, double urgentShare, Func<Random, Uri?> pick) => new(perSecond, urgentShare, pick);

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

    private async Task RunAsync()
    {
        var (time, random) = (TimeProvider.System, new Random(1));
        var start = time.GetTimestamp();
        var sending = new List<Task>();
        using var timer = new PeriodicTimer(Tick, time);
        try
        {
            for (var due = 0.0; await timer.WaitForNextTickAsync(_stop.Token);)
            {
                while (due <= time.GetElapsedTime(start).TotalSeconds)
                {
                    due += -Math.Log(1 - random.NextDouble()) / PerSecond;
                    if (_pick(random) is { } proxy)
                    {
                        sending.Add(SendAsync(proxy, random.NextDouble() < _urgentShare ? "otp" : "normal"));
                    }
                }

                if (sending.Count > 500)
                {
                    sending.RemoveAll(s => s.IsCompleted);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }

        await Task.WhenAll(sending);
    }

    private async Task SendAsync(Uri proxy, string lane)
    {
        var (time, at) = (TimeProvider.System, TimeProvider.System.GetUtcNow());
        var start = time.GetTimestamp();
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(proxy, "/v1/sms/send"))
            {
                Content = new StringContent(EgressStage.Sms, Encoding.UTF8, "application/json"),
                Headers = { { "Priority", lane == "otp" ? "u=1" : "u=3" } },
            };
            using var answer = await _client.SendAsync(request);
            Answers.Enqueue(new LimitsAnswer(
                at, lane, double.Parse(answer.Header("SendProxy-Queued-Ms"), CultureInfo.InvariantCulture), (int)answer.StatusCode,
                answer.StatusCode == HttpStatusCode.Accepted ? "" : answer.Header("SendProxy-Error"), answer.Header("SendProxy-Limiter"),
                time.GetElapsedTime(start).TotalMilliseconds));
        }
        catch (Exception e) when (e is HttpRequestException or FormatException)
        {
            Broken.Enqueue(e.Message);
        }
    }
}
