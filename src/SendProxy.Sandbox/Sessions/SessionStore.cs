using System.Collections.Concurrent;

namespace SendProxy.Sandbox.Sessions;

/// <summary>What a WhatsApp session says of itself.</summary>
internal enum SessionStatus
{
    Connected,
    Connecting,
    Disconnected,
    QrRequired,
}

/// <summary>A WhatsApp session.</summary>
/// <param name="Id">As in <c>session_id</c>.</param>
/// <param name="Status">What <c>GET /v1/sessions/{id}</c> says.</param>
/// <param name="Lies">It says connected and accepts, but nothing goes out.</param>
/// <param name="Since">When its status began.</param>
/// <param name="ConnectsAt">When it will be connected again by itself; null for never.</param>
internal sealed record Session(
    string Id, SessionStatus Status, bool Lies, DateTimeOffset Since, DateTimeOffset? ConnectsAt = null)
{
    /// <summary>The status on the wire.</summary>
    public string StatusText => Text(Status);

    public static string Text(SessionStatus status) => status switch
    {
        SessionStatus.Connected => "connected",
        SessionStatus.Connecting => "connecting",
        SessionStatus.Disconnected => "disconnected",
        _ => "qr_required",
    };

    /// <returns>The status of its wire form, or null when it is none.</returns>
    public static SessionStatus? Parse(string? text) => text switch
    {
        "connected" => SessionStatus.Connected,
        "connecting" => SessionStatus.Connecting,
        "disconnected" => SessionStatus.Disconnected,
        "qr_required" => SessionStatus.QrRequired,
        _ => null,
    };
}

/// <summary>The sessions that exist.</summary>
internal sealed class SessionStore
{
    private const int SessionsMax = 10_000;
    private readonly ConcurrentDictionary<string, Session> _sessions = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;

    public SessionStore(IEnumerable<string> connected, TimeProvider time)
    {
        _time = time;
        foreach (var id in connected) { Set(id, SessionStatus.Connected); }
    }

    public IReadOnlyList<Session> All => [.. _sessions.Keys.Select(id => Find(id)!)];

    public Session? Find(string id)
    {
        if (!_sessions.TryGetValue(id, out var session)) { return null; }
        return session.ConnectsAt is { } at && at <= _time.GetUtcNow()
            ? _sessions[id] = new Session(id, SessionStatus.Connected, session.Lies, at)
            : session;
    }

    /// <summary>Lets a session come back by itself.</summary>
    public void ConnectAt(string id, DateTimeOffset at) => _sessions[id] = _sessions[id] with { ConnectsAt = at };

    /// <summary>Makes the session or changes it.</summary>
    /// <returns>The session, or null when there are too many.</returns>
    public Session? Set(string id, SessionStatus status, bool lies = false)
    {
        if (_sessions.Count >= SessionsMax && !_sessions.ContainsKey(id)) { return null; }
        return _sessions[id] = new Session(id, status, lies, _time.GetUtcNow());
    }
}
