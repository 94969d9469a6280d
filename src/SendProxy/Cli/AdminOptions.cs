using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace SendProxy.Cli;

/// <summary>The options that commands over the admin socket have in common.</summary>
internal sealed class AdminOptions(Option<string> config)
{
    private readonly Option<string> _output = Output();
    private readonly Option<string?> _socket = new("--socket") { Description = "The admin socket; by default where the configuration puts it." };

    /// <summary>How the last call ended; 0 when it was answered.</summary>
    public int ExitCode { get; private set; }

    public Command AddTo(Command command)
    {
        command.Add(_output);
        command.Add(_socket);
        return command;
    }

    public bool WantsJson(ParseResult result) => result.GetValue(_output) == "json";

    /// <returns>The answer; null when there is none: then the reason was printed.</returns>
    public async Task<JsonElement?> SendAsync(HttpMethod method, string path, ParseResult result, CancellationToken cancellation, byte[]? body = null)
    {
        var (json, problem, code) = await AdminClient.SendAsync(method, path, result.GetValue(_socket), result.GetValue(config)!, cancellation, body);
        ExitCode = code;
        if (json is null)
        {
            await result.InvocationConfiguration.Error.WriteLineAsync(problem);
            return null;
        }

        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    /// <summary>Asks once and prints the answer: as it came for scripts, else as <paramref name="text"/> has it.</summary>
    /// <param name="before">Printed in front of the text, such as what clears the screen.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> PrintAsync<T>(
        HttpMethod method, string path, JsonTypeInfo<T> type, Func<T, string> text, ParseResult result, CancellationToken cancellation, string before = "")
    {
        if (await SendAsync(method, path, result, cancellation) is { } answer)
        {
            await result.InvocationConfiguration.Output.WriteLineAsync(
                WantsJson(result) ? answer.GetRawText() : before + text(answer.Deserialize(type)!));
        }

        return ExitCode;
    }

    private static Option<string> Output()
    {
        var output = new Option<string>("--output", "-o") { Description = "text or json.", DefaultValueFactory = _ => "text" };
        output.AcceptOnlyFromAmong("text", "json");
        return output;
    }
}

/// <summary>The options that say which stored webhook items are meant.</summary>
internal sealed class WebhookFilterOptions
{
    private readonly Option<string[]> _state = new("--state") { Description = "Only items in this state; may be given several times.", AllowMultipleArgumentsPerToken = false };
    private readonly Option<string?> _source = new("--source") { Description = "Only events of this webhook source." };
    private readonly Option<string?> _subscriber = new("--subscriber") { Description = "Only deliveries to this subscriber." };

    public WebhookFilterOptions(string[] states) => _state.AcceptOnlyFromAmong(states);

    public Command AddTo(Command command)
    {
        command.Add(_state);
        command.Add(_source);
        command.Add(_subscriber);
        return command;
    }

    public bool IsGiven(ParseResult result) =>
        result.GetValue(_state) is { Length: > 0 } || result.GetValue(_source) is not null || result.GetValue(_subscriber) is not null;

    /// <returns>The filter in words: <c>dead, from the source sendapi</c>.</returns>
    public string Told(ParseResult result) => string.Join(", ", ((string?[])
    [
        result.GetValue(_state) is { Length: > 0 } states ? string.Join(" or ", states) : "stored",
        result.GetValue(_source) is { } source ? $"from the source {source}" : null,
        result.GetValue(_subscriber) is { } subscriber ? $"to the subscriber {subscriber}" : null,
    ]).OfType<string>());

    public string Query(ParseResult result)
    {
        var parts = (result.GetValue(_state) ?? []).Select(state => $"state={state}").ToList();
        if (result.GetValue(_source) is { } source)
        {
            parts.Add($"source={Uri.EscapeDataString(source)}");
        }

        if (result.GetValue(_subscriber) is { } subscriber)
        {
            parts.Add($"subscriber={Uri.EscapeDataString(subscriber)}");
        }

        return string.Join('&', parts);
    }
}
