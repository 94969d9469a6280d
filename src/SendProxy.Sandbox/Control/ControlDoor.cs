using System.Text.Json;
using SendProxy.Sandbox.Server;

namespace SendProxy.Sandbox.Control;

/// <summary>What tests ask and set, under <c>/sandbox</c>. It needs no API key and meets no limit.</summary>
internal sealed class ControlDoor
{
    private const int BodyMax = 16 << 20;
    private readonly Dictionary<(string Method, string Path), Func<ControlCall, ControlAnswer>> _routes = [];
    private readonly CancellationToken _stop;

    public ControlDoor(CancellationToken stop)
    {
        _stop = stop;
        On("GET", "/sandbox", _ => ControlAnswer.Ok(Index));
    }

    /// <summary>Adds a route. A path that ends in <c>/*</c> has a variable last part.</summary>
    public void On(string method, string path, Func<ControlCall, ControlAnswer> answer) =>
        _routes.Add((method, path), answer);

    public async Task HandleAsync(HttpContext context, string path)
    {
        var answer = await AnswerAsync(context, path);
        context.Response.StatusCode = answer.Status;
        if (answer.Write is not { } write) { return; }
        context.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
    }

    private async Task<ControlAnswer> AnswerAsync(HttpContext context, string path)
    {
        var parent = path[..path.LastIndexOf('/')] + "/*";
        var method = context.Request.Method;
        var isExact = _routes.TryGetValue((method, path), out var route);
        if (!isExact && !_routes.TryGetValue((method, parent), out route))
        {
            return _routes.Keys.Any(k => k.Path == path || k.Path == parent)
                ? ControlAnswer.Problem(StatusCodes.Status405MethodNotAllowed, "This address does not take the method.")
                : ControlAnswer.Problem(StatusCodes.Status404NotFound, "GET /sandbox lists the addresses.");
        }

        try
        {
            var body = await BodyReader.ReadAsync(context.Request, BodyMax, _stop)
                ?? throw new ControlException("The body is too large.");
            using var document = body.Length == 0 ? null : JsonDocument.Parse(body);
            var id = isExact ? "" : Uri.UnescapeDataString(path[(path.LastIndexOf('/') + 1)..]);
            return route!(new ControlCall(context.Request.Query, id, document?.RootElement ?? default));
        }
        catch (ControlException problem)
        {
            return ControlAnswer.Problem(StatusCodes.Status400BadRequest, problem.Message);
        }
        catch (JsonException)
        {
            return ControlAnswer.Problem(StatusCodes.Status400BadRequest, "The body is not valid JSON.");
        }
    }

    private void Index(Utf8JsonWriter json)
    {
        json.WriteStartArray("addresses");
        foreach (var (method, path) in _routes.Keys) { json.WriteStringValue($"{method} {path}"); }
        json.WriteEndArray();
    }
}
