using System.Threading.Channels;
using SendProxy.Sandbox.Recording;

namespace SendProxy.Sandbox.Webhooks;

/// <summary>
/// Delivers events at least once. Anything but 200 within 5 s is tried again after 5 s, 30 s, 2 m, 10 m, 1 h, 6 h,
/// scaled; then it is given up.
/// </summary>
internal sealed class WebhookSender : IAsyncDisposable
{
    private static readonly TimeSpan[] Waits =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10),
        TimeSpan.FromHours(1), TimeSpan.FromHours(6),
    ];

    private readonly WebhookOptions _options;
    private readonly TimeProvider _time;
    private readonly WebhookPost _post;
    private readonly DueQueue<Delivery> _later;
    private readonly Channel<Delivery> _now = Channel.CreateUnbounded<Delivery>();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task[] _workers;
    private readonly BoundedLog<WebhookAttempt> _attempts;
    private readonly WebhookCounts _counts = new();
    private WebhookTarget? _target;

    public WebhookSender(WebhookOptions options, int maxAttempts, TimeProvider time)
    {
        _options = options;
        _time = time;
        _post = new WebhookPost(options, time);
        _attempts = new BoundedLog<WebhookAttempt>(maxAttempts);
        _later = new DueQueue<Delivery>(time, delivery => _now.Writer.TryWrite(delivery));
        Target = options.Target;
        _workers = [.. Enumerable.Range(0, options.MaxConcurrency).Select(_ => WorkAsync())];
    }

    /// <summary>Where events go from now on, also those that wait; null for nowhere.</summary>
    /// <exception cref="FormatException">The secret does not fit the signature form.</exception>
    public WebhookTarget? Target
    {
        get => Volatile.Read(ref _target);
        set
        {
            _post.Use(value);
            Volatile.Write(ref _target, value);
        }
    }

    public WebhookCounts Counts => _counts;

    /// <summary>At most <paramref name="limit"/> attempts after <paramref name="since"/>, oldest first.</summary>
    public IReadOnlyList<WebhookAttempt> Read(long since = 0, int limit = int.MaxValue) =>
        _attempts.Read(since, limit);

    /// <summary>Ends when so many attempts have been recorded since the start, whatever was cleared.</summary>
    public Task ReachAsync(long count, CancellationToken cancellationToken) =>
        _attempts.ReachAsync(count, cancellationToken);

    /// <summary>Attempts that gave way to newer ones.</summary>
    public long DroppedAttempts => _attempts.Dropped;

    /// <summary>Takes a delivery; its first attempt is made after <paramref name="after"/>.</summary>
    /// <returns>False when there is no target or too many wait: then it is dropped and counted.</returns>
    public bool Emit(Delivery delivery, TimeSpan after = default)
    {
        if (!Admit()) { return false; }
        _later.Add(delivery, after);
        return true;
    }

    /// <summary>Makes the first attempt at once and ends after it; further ones follow as usual.</summary>
    public async Task EmitNowAsync(Delivery delivery)
    {
        if (Admit()) { await AttemptAsync(delivery); }
    }

    /// <summary>Forgets attempts and counts, and gives up what waits for its time.</summary>
    public void Clear()
    {
        var forgotten = _later.Clear();
        while (_now.Reader.TryRead(out _)) { forgotten++; }
        _attempts.Clear();
        _counts.Clear(forgotten);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _now.Writer.TryComplete();
        await Task.WhenAll(_workers);
        _later.Dispose();
        _post.Dispose();
        _stop.Dispose();
    }

    private bool Admit()
    {
        if (Target is null) { return false; }
        if (_counts.Pending >= _options.MaxPending)
        {
            _counts.Drop();
            return false;
        }

        _counts.Take();
        return true;
    }

    private async Task WorkAsync()
    {
        await foreach (var delivery in _now.Reader.ReadAllAsync())
        {
            if (_stop.IsCancellationRequested) { return; }
            await AttemptAsync(delivery);
        }
    }

    private async Task AttemptAsync(Delivery delivery)
    {
        var at = _time.GetUtcNow();
        var attempt = ++delivery.Attempts;
        var (status, outcome) = await _post.SendAsync(delivery, _stop.Token);
        if (_stop.IsCancellationRequested) { return; }

        TimeSpan? wait = status == 200 || attempt > Waits.Length ? null : Waits[attempt - 1] * _options.TimeScale;
        _counts.Attempted(status == 200, isLast: wait is null);
        // Before the attempt is seen: who waits for it may move a simulated time on.
        if (wait is { } pause) { _later.Add(delivery, pause); }
        _attempts.Append((delivery, attempt, at, status, outcome, due: _time.GetUtcNow() + wait),
            static (number, a) => new WebhookAttempt(number, a.delivery.Id, a.delivery.Type, a.delivery.MessageId,
                a.attempt, a.at, a.status, a.outcome, a.due));
    }
}
