using System.Text.Json;
using SendProxy.Sandbox.Keys;
using SendProxy.Sandbox.Limits;
using SendProxy.Sandbox.Server;
using SendProxy.Sandbox.Sessions;

namespace SendProxy.Sandbox.Control;

/// <summary>What the vendor accepts: keys, limits, sessions; and the way back to the beginning.</summary>
internal static class VendorControl
{
    private const int KeysMax = 10_000;
    private const int WindowMaxMs = 86_400_000;

    public static void MapVendor(this ControlDoor door, SandboxServer server)
    {
        door.On("GET", "/sandbox/keys", _ => ControlAnswer.Ok(json => WriteKeys(json, server.Keys)));
        door.On("PUT", "/sandbox/keys", call => SetKeys(call, server.Keys));
        door.On("PUT", "/sandbox/limits", call => SetLimits(call, server.Limits));
        door.On("GET", "/sandbox/sessions", _ => ControlAnswer.Ok(json => WriteSessions(json, server.Sessions)));
        door.On("PUT", "/sandbox/sessions/*", call => SetSession(call, server));
        door.On("POST", "/sandbox/reset", _ =>
        {
            server.Reset();
            return ControlAnswer.Done;
        });
    }

    private static ControlAnswer SetKeys(ControlCall call, ApiKeys keys)
    {
        if (call.Member("keys") is not { ValueKind: JsonValueKind.Array } list || list.GetArrayLength() > KeysMax
            || list.EnumerateArray().Any(k => k.ValueKind != JsonValueKind.String))
        {
            throw new ControlException("'keys' must be an array of strings, each key or account=key.");
        }

        keys.Replace(list.EnumerateArray().Select(k => k.GetString()!).ToArray());
        return ControlAnswer.Ok(json => WriteKeys(json, keys));
    }

    private static void WriteKeys(Utf8JsonWriter json, ApiKeys keys)
    {
        json.WriteStartArray("keys");
        foreach (var key in keys.All)
        {
            json.WriteStartObject();
            json.WriteString("account", key.Account);
            json.WriteString("fingerprint", key.Fingerprint);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static ControlAnswer SetLimits(ControlCall call, LimitGate gate)
    {
        if (call.Member("limits") is not { ValueKind: JsonValueKind.Array } list)
        {
            throw new ControlException("'limits' must be an array; an empty one takes all limits away.");
        }

        gate.Replace(list.EnumerateArray().Select(l => Limit(call with { Body = l })).ToArray());
        return ControlAnswer.Done;
    }

    private static LimitOptions Limit(ControlCall call) => new()
    {
        Kind = call.Text("kind") switch
        {
            "fixed" => LimitKind.FixedWindow,
            "bucket" => LimitKind.TokenBucket,
            "sliding" => LimitKind.SlidingWindow,
            "concurrency" => LimitKind.Concurrency,
            _ => throw new ControlException("'kind' must be fixed, bucket, sliding or concurrency."),
        },
        Requests = call.Integer("requests", 1, 1_000_000) ?? throw new ControlException("'requests' is missing."),
        Window = TimeSpan.FromMilliseconds(call.Integer("window_ms", 1, WindowMaxMs) ?? 1000),
        Burst = call.Integer("burst", 0, 1_000_000) ?? 0,
        Phase = TimeSpan.FromMilliseconds(call.Integer("phase_ms", 0, WindowMaxMs) ?? 0),
    };

    private static ControlAnswer SetSession(ControlCall call, SandboxServer server)
    {
        var status = Session.Parse(call.Text("status") ?? "connected")
            ?? throw new ControlException("'status' must be connected, connecting, disconnected or qr_required.");
        var session = server.Sessions.Set(call.Id, status, call.Flag("lies"))
            ?? throw new ControlException("There are too many sessions.");
        if (call.Flag("emit") && status != SessionStatus.Connecting)
        {
            var reason = status == SessionStatus.Connected ? null : call.Text("reason") ?? "connection_lost";
            server.Life.Session(call.Id, session.StatusText, reason, TimeSpan.Zero, session.Since);
        }

        return ControlAnswer.Ok(json => WriteSession(json, session));
    }

    private static void WriteSessions(Utf8JsonWriter json, SessionStore sessions)
    {
        json.WriteStartArray("sessions");
        foreach (var session in sessions.All)
        {
            json.WriteStartObject();
            WriteSession(json, session);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteSession(Utf8JsonWriter json, Session session)
    {
        json.WriteString("id", session.Id);
        json.WriteString("status", session.StatusText);
        json.WriteBoolean("lies", session.Lies);
        json.WriteString("since", Timestamps.Text(session.Since));
    }
}
