using SendProxy.Configuration;
using SendProxy.Errors;
using SendProxy.Hosting;
using SendProxy.Sending.RateLimiting;
using SendProxy.Upstreams.Credentials;

namespace SendProxy.Admin;

/// <summary>The admin socket's API, for the commands. Nothing it tells is a secret.</summary>
internal sealed class AdminHandler(CredentialUsageTracker keys, LimiterFactory limits, JournalAdmin journal, WebhooksAdmin webhooks, OutboxAdmin outbox)
{
    public Task HandleAsync(HttpContext context) => (context.Request.Method, context.Request.Path.Value) switch
    {
        ("GET", AdminSocket.CredentialsPath) => CredentialsAsync(context),
        ("GET", AdminSocket.LimitsPath) => LimitsAsync(context),
        ("POST", AdminSocket.UnblockPath) => UnblockAsync(context),
        _ => journal.Handle(context) ?? webhooks.Handle(context) ?? outbox.Handle(context) ?? Problem.WriteAsync(context, Refusal.NotSent(ProxyError.NotFound, $"This listener has GET {AdminSocket.CredentialsPath} and GET {AdminSocket.LimitsPath}."), Guid.NewGuid().ToString()),
    };

    private Task CredentialsAsync(HttpContext context) => AdminJson.WriteAsync(
        context, new CredentialsView(keys.KnowsFleet ? "fleet" : "process", [.. keys.Report().Select(CredentialView.Of)]), AdminJson.Default.CredentialsView);

    private Task LimitsAsync(HttpContext context) => AdminJson.WriteAsync(
        context, new LimitsView(limits.Process, [.. limits.Shown.SelectMany(l => l.Views()).Select(LimitStatusView.Of)]), AdminJson.Default.LimitsView);

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

        await AdminJson.WriteAsync(
            context, new UnblockView(result.Limit, result.CanBeBlocked, Math.Round(result.BlockedSeconds, 3), result.Scope), AdminJson.Default.UnblockView);
    }
}
