using System.Buffers;
using System.Text.Json;
using SendProxy.Sandbox.Answers;
using SendProxy.Sandbox.Server;
using SendProxy.Sandbox.Sessions;
using SendProxy.Sandbox.Webhooks;

namespace SendProxy.Sandbox.Sending;

/// <summary>Answers <c>GET /v1/messages/{id}</c> and <c>GET /v1/sessions/{id}</c>.</summary>
internal sealed class LookupEndpoint(
    SandboxOptions options, MessageStore messages, SessionStore sessions, MessageLife life)
{
    public Answer Message(Exchange exchange, string id)
    {
        if (!options.ServeMessages || messages.Find(id) is not { } message)
        {
            return Answer.Of(ApiError.NotFound, exchange.RequestId);
        }

        var status = life.Plan.StatusAfter(message.Twist, exchange.Arrived - message.CreatedAt);
        return new Answer(
            StatusCodes.Status200OK, MessageJson.WithEvents(message, status, life.Past(message, exchange.Arrived)));
    }

    public Answer Session(Exchange exchange, string id)
    {
        if (sessions.Find(id) is not { } session) { return Answer.Of(ApiError.SessionNotFound, exchange.RequestId); }
        var buffer = new ArrayBufferWriter<byte>(128);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("id", session.Id);
            json.WriteString("object", "session");
            json.WriteString("status", session.StatusText);
            json.WriteString("since", Timestamps.Text(session.Since));
            json.WriteEndObject();
        }

        return new Answer(StatusCodes.Status200OK, buffer.WrittenSpan.ToArray());
    }
}
