using System.Text.Json;

namespace SendProxy.Sandbox.Control;

/// <summary>An answer to a request to <c>/sandbox</c>.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Write">Writes the members of the object that is the body; null for no body.</param>
internal sealed record ControlAnswer(int Status, Action<Utf8JsonWriter>? Write = null)
{
    public static readonly ControlAnswer Done = new(StatusCodes.Status204NoContent);

    public static ControlAnswer Ok(Action<Utf8JsonWriter> write) => new(StatusCodes.Status200OK, write);

    public static ControlAnswer Problem(int status, string message) =>
        new(status, json => json.WriteString("error", message));
}
