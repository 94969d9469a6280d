using System.Text.Json;
using SendProxy.Configuration;
using SendProxy.Errors;
using SendProxy.Hosting;
using SendProxy.Sending.RateLimiting;
using SendProxy.Upstreams;

namespace SendProxy.Admin;

/// <summary>The admin socket's API, for the commands. Nothing it tells is a secret.</summary>
internal sealed class AdminHandler(KeyBook keys, LimiterFactory limits, JournalAdmin journal, WebhooksAdmin webhooks)
{
    public Task HandleAsync(HttpContext context) => (context.Request.Method, context.Request.Path.Value) switch
    {
        ("GET", AdminSocket.CredentialsPath) => CredentialsAsync(context),
        ("GET", AdminSocket.LimitsPath) => LimitsAsync(context),
        ("POST", AdminSocket.UnblockPath) => UnblockAsync(context),
        _ => journal.Handle(context) ?? webhooks.Handle(context) ?? Problem.WriteAsync(context, Refusal.NotSent(ProxyError.NotFound, $"This listener has GET {AdminSocket.CredentialsPath} and GET {AdminSocket.LimitsPath}."), Guid.NewGuid().ToString()),
    };

    private async Task CredentialsAsync(HttpContext context)
    {
        await using var json = Open(context.Response);
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

    private async Task LimitsAsync(HttpContext context)
    {
        await using var json = Open(context.Response);
        json.WriteStartObject();
        json.WriteString("process", limits.Process);
        json.WriteStartArray("limits");
        foreach (var view in limits.Shown.SelectMany(l => l.Views()))
        {
            Write(json, view);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private async Task UnblockAsync(HttpContext context)
    {
        var name = context.Request.Query["limit"].ToString();
        if (await limits.UnblockAsync(name) is not { } result)
        {
            var names = string.Join(", ", limits.Shown.Select(l => l.Name));
            await Problem.WriteAsync(context, Refusal.NotSent(ProxyError.NotFound,
                $"There is no limit {Spelling.Quoted(name)}; this proxy has {(names.Length > 0 ? names : "none")}."), Guid.NewGuid().ToString());
            return;
        }

        await using var json = Open(context.Response);
        json.WriteStartObject();
        json.WriteString("limit", result.Limit);
        json.WriteBoolean("canBeBlocked", result.CanBeBlocked);
        json.WriteNumber("blockedSeconds", Math.Round(result.BlockedSeconds, 3));
        json.WriteString("scope", result.Scope);
        json.WriteEndObject();
    }

    private static Utf8JsonWriter Open(HttpResponse answer)
    {
        answer.ContentType = "application/json";
        answer.Headers.CacheControl = "no-store";
        return new Utf8JsonWriter(answer.BodyWriter, new JsonWriterOptions { Indented = true });
    }

    private static void Write(Utf8JsonWriter json, LimitView view)
    {
        json.WriteStartObject();
        json.WriteString("limit", view.Name);
        json.WriteString("plan", view.Plan);
        json.WriteString("mode", view.Mode);
        json.WriteString("inForce", view.InForce);
        json.WriteNumber("used", view.Used);
        WriteNumber(json, "left", view.Left);
        json.WriteNumber("waiting", view.Waiting);
        json.WriteNumber("processes", view.Processes);
        json.WriteNumber("blockedSeconds", Math.Round(view.BlockedSeconds, 3));
        WriteNumber(json, "vendorLimit", view.VendorLimit);
        WriteNumber(json, "vendorRemaining", view.VendorRemaining);
        WriteNumber(json, "vendorResetSeconds", view.VendorResetSeconds);
        json.WriteEndObject();
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, double? number)
    {
        if (number is { } known)
        {
            json.WriteNumber(name, known);
        }
        else
        {
            json.WriteNull(name);
        }
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
