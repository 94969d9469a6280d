using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using SendProxy.Hosting;

namespace SendProxy.Cli;

/// <summary>Messages of the outbox for people and for scripts.</summary>
internal static class OutboxTexts
{
    private static readonly string[] Head = ["ID", "STATE", "ROUTE", "REFERENCE", "ACCEPTED", "ATTEMPTS", "NEXT", "EXPIRES", "REASON"];

    /// <summary>Messages as a table.</summary>
    public static string Table(IReadOnlyList<JsonElement> items, string? next) => items.Count == 0
        ? "No message is meant by this filter."
        : $"{Cli.Table.Write(Head, [.. items.Select(Row)])}\nTimes are UTC." + (next is null ? "" : " There are more: use --max, or a filter.");

    /// <summary>One message: a member a line, then its body where it was asked for.</summary>
    public static string Item(JsonElement view)
    {
        var text = new StringBuilder();
        foreach (var member in view.GetProperty("message").EnumerateObject().Concat(view.EnumerateObject()).Where(m => m.Name is not ("message" or "body" or "response")))
        {
            text.Append(CultureInfo.InvariantCulture, $"{member.Name,-15}  {(member.Value.ValueKind == JsonValueKind.Null ? "-" : member.Value.ToString())}\n");
        }

        if (view.GetProperty("message").TryGetProperty("response", out var response))
        {
            text.Append(CultureInfo.InvariantCulture, $"{"response",-15}  {response.GetRawText()}\n");
        }

        return view.TryGetProperty("body", out var body) ? text.Append('\n').Append(body.GetString()).ToString() : text.ToString().TrimEnd('\n');
    }

    /// <summary>All pages of what a query means, up to a number.</summary>
    /// <returns>Null where no proxy answers: then the reason was printed.</returns>
    public static async Task<(List<JsonElement> Items, string? Next)?> PagesAsync(
        AdminOptions common, string query, int max, ParseResult result, CancellationToken cancellation)
    {
        var items = new List<JsonElement>();
        string? next = "";
        while (next is not null && items.Count < max)
        {
            var path = $"{AdminSocket.OutboxPath}?{query}&max={Math.Min(1000, max - items.Count)}&cursor={next}";
            if (await common.SendAsync(HttpMethod.Get, path, result, cancellation) is not { } page)
            {
                return null;
            }

            items.AddRange(page.GetProperty("items").EnumerateArray());
            next = page.GetProperty("next").GetString();
        }

        return (items, next);
    }

    private static string[] Row(JsonElement item) =>
    [
        Cell(item, "id"), Cell(item, "state"), Cell(item, "route"), Cell(item, "reference"), Time(item, "accepted"),
        item.GetProperty("attempts").GetInt32().ToString(CultureInfo.InvariantCulture), Time(item, "nextAttempt"), Time(item, "expires"), Cell(item, "reason"),
    ];

    private static string Cell(JsonElement item, string name) => item.GetProperty(name).GetString() is { Length: > 0 } text ? text : "-";

    private static string Time(JsonElement item, string name) =>
        Cli.Table.Time(item.GetProperty(name) is { ValueKind: JsonValueKind.String } time ? time.GetDateTimeOffset() : null);
}
