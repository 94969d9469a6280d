using System.Globalization;
using SendProxy.Sandbox.Recording;
using Spectre.Console;

namespace SendProxy.Sandbox.Demo;

/// <summary>Prints the story.</summary>
internal sealed class DemoReport(IAnsiConsole console)
{
    // The series worth a look here; the rest is at /metrics.
    private static readonly string[] Series =
    [
        "sendproxy_requests_total", "sendproxy_attempts_total", "sendproxy_retries_total", "sendproxy_credential_answers_total",
        "sendproxy_webhooks_total", "sendproxy_deliveries_total",
    ];

    public void Title(DemoStage stage)
    {
        console.WriteLine();
        console.Write(new Rule("[bold]SendProxy demo[/]").LeftJustified());
        console.MarkupLineInterpolated($"The application calls [bold]{stage.Proxy.Egress}[/] without a key; the vendor (the sandbox) is at [bold]{stage.Vendor.HttpsAddress}[/], over TLS.");
        console.WriteLine();
    }

    public void Sends(IReadOnlyList<Sent> sends)
    {
        var table = Plain("sent", "met on the way", "status", "attempts", "idempotency key by", "message id");
        foreach (var sent in sends)
        {
            table.AddRow(
                Text(sent.Channel), Text(sent.Met), Text(sent.Status.ToString(CultureInfo.InvariantCulture)),
                Text(sent.Attempts), Text(sent.Idempotency == "generated" ? "the proxy" : sent.Idempotency), Text(sent.MessageId ?? "none"));
        }

        Section("Three sends", table);
    }

    public void Ledger(IReadOnlyList<LedgerEntry> ledger)
    {
        var table = Plain("what the vendor really sent", "channel", "with the key (fingerprint)");
        foreach (var entry in ledger)
        {
            table.AddRow(Text(entry.MessageId), Text(entry.Channel), Text(entry.KeyFingerprint));
        }

        Section($"The vendor's ledger: {ledger.Count} messages", table);
    }

    public void Events(IReadOnlyList<WebhookItemBuilder> events)
    {
        var table = Plain("event", "received", "signature");
        foreach (var group in events.GroupBy(e => e.Type).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            table.AddRow(
                Text(group.Key), Text(group.Count().ToString(CultureInfo.InvariantCulture)), Text(group.All(e => e.IsSigned) ? "good" : "bad"));
        }

        Section($"Webhooks at the application: {events.Count}", table);
    }

    public void Burst(int sends, int plan, int refused)
    {
        var table = Plain("sends at once", "the plan", "answered 429 by the vendor");
        table.AddRow(Text($"{sends}"), Text($"{plan}/s"), Text($"{refused}"));
        Section("A burst over the plan", table);
    }

    public void Outbox(int accepted, long sentMeanwhile, int sent, int twice)
    {
        var table = Plain("accepted while the vendor was down", "sent then", "sent after the proxy was killed and both were back", "twice");
        table.AddRow(Text($"{accepted}"), Text($"{sentMeanwhile}"), Text($"{sent}"), Text($"{twice}"));
        Section("The outbox", table);
    }

    public void Metrics(IReadOnlyList<string> lines)
    {
        var table = Plain("metric", "value");
        foreach (var line in lines.Where(l => Series.Any(s => l.StartsWith(s + "{", StringComparison.Ordinal))))
        {
            var at = line.LastIndexOf(' ');
            table.AddRow(Text(line[..at]), Text(line[(at + 1)..]));
        }

        Section("A handful of the metrics", table);
    }

    public void Verdict(IReadOnlyList<(bool IsTrue, string Statement)> statements)
    {
        console.Write(new Rule("[bold]What is true[/]").LeftJustified());
        foreach (var (isTrue, statement) in statements)
        {
            console.MarkupLineInterpolated(isTrue ? (FormattableString)$"  [green]yes[/]  {statement}" : $"  [red]NO [/]  {statement}");
        }

        console.WriteLine();
        console.MarkupLine(statements.All(s => s.IsTrue)
            ? "[green]All of it is true.[/]"
            : "[red]Not all of it is true: the demo failed.[/]");
    }

    public void Failed(string why) => console.MarkupLineInterpolated($"[red]The demo failed.[/] {why}");

    public void Addresses(DemoStage stage)
    {
        console.WriteLine();
        console.Write(new Rule("[bold]Still running; end it with Ctrl+C[/]").LeftJustified());
        console.WriteLine($$"""
            Send:        curl -i {{stage.Proxy.Egress}}v1/sms/send -H 'Content-Type: application/json' -d '{"to":"+491701234567","from":"Shop","text":"Hello"}'
            Break it:    curl -i {{stage.Proxy.Egress}}v1/sms/send -H 'Content-Type: application/json' -d '{"to":"+447700900101","from":"Shop","text":"Hello"}'
            Ledger:      curl {{stage.Vendor.HttpAddress}}sandbox/ledger
            Metrics:     curl {{stage.Proxy.Metrics}}metrics
            Webhooks:    {{stage.Proxy.Webhooks}}webhooks/sendapi, fanned out to {{stage.Application.Address}}
            Settings:    {{stage.Folder.ConfigFile}} (changes are applied within seconds)
            """);
    }

    private static Table Plain(params string[] columns)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(column) { NoWrap = column is "message id" or "what the vendor really sent" });
        }

        return table;
    }

    private static Text Text(string text) => new(text);

    private void Section(string title, Table table)
    {
        console.MarkupLineInterpolated($"[bold]{title}[/]");
        console.Write(table);
    }
}
