using System.Text.Json;
using SendProxy.Errors;
using SendProxy.Hosting;
using SendProxy.Upstreams;

namespace SendProxy.Admin;

/// <summary>The admin socket's API, for the commands. It only reads, and nothing it tells is a secret.</summary>
internal sealed class AdminHandler(KeyBook keys)
{
    public Task HandleAsync(HttpContext context) => (context.Request.Method, context.Request.Path.Value) switch
    {
        ("GET", AdminSocket.CredentialsPath) => CredentialsAsync(context),
        _ => Problem.WriteAsync(context, Refusal.NotSent(ProxyError.NotFound, $"This listener has GET {AdminSocket.CredentialsPath}."), Guid.NewGuid().ToString()),
    };

    private async Task CredentialsAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        // fleet: lastAcceptedAt is the latest of all processes. Counts are this process's own in both.
        json.WriteString("scope", keys.KnowsFleet ? "fleet" : "process");
        json.WriteStartArray("credentials");
        foreach (var report in keys.Report())
        {
            Write(json, report);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, KeyReport report)
    {
        json.WriteStartObject();
        json.WriteString("upstream", report.Upstream);
        json.WriteString("slot", report.Slot);
        json.WriteString("fingerprint", report.Fingerprint);
        json.WriteString("from", report.Place);
        json.WriteString("state", report.State);
        WriteTime(json, "loadedAt", report.Loaded);
        WriteTime(json, "lastAcceptedAt", report.LastAccepted);
        json.WriteNumber("answers", report.Answers);
        json.WriteNumber("rejected", report.Rejected);
        json.WriteNumber("running", report.Running);
        WriteTime(json, "restsUntil", report.RestsUntil);
        json.WriteBoolean("safeToRevoke", report.SafeToRevoke);
        json.WriteString("why", report.Why);
        json.WriteEndObject();
    }

    private static void WriteTime(Utf8JsonWriter json, string name, DateTimeOffset? time)
    {
        if (time is { } at)
        {
            json.WriteString(name, at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture));
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
