using System.Net.Sockets;
using System.Text.Json;
using SendProxy.Hosting;

namespace SendProxy.Cli;

/// <summary>Asks a running proxy over its admin socket.</summary>
internal static class AdminClient
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <param name="socket">Where it is; null: where the configuration puts it.</param>
    /// <returns>The answer's JSON; or null and, for people, why there is none with the exit code for it.</returns>
    public static Task<(string? Json, string Problem, int ExitCode)> GetAsync(string path, string? socket, string configuration, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Get, path, socket, configuration, cancellation);

    /// <summary>The same with another method.</summary>
    public static async Task<(string? Json, string Problem, int ExitCode)> SendAsync(
        HttpMethod method, string path, string? socket, string configuration, CancellationToken cancellation, byte[]? body = null)
    {
        // A file that was broken while the proxy runs is when its commands are needed.
        var (places, refused) = socket is null ? ProxySettings.AdminPlacesOf(configuration, Environment.GetEnvironmentVariable) : ([socket], null);
        foreach (var place in places)
        {
            try
            {
                return await SendAsync(method, path, place, body, cancellation);
            }
            catch (HttpRequestException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.AccessDenied })
            {
                return (null, $"{place} is another user's: run this as the user that runs the proxy.", ExitCodes.NoProxy);
            }
            catch (HttpRequestException)
            {
                // Nobody there: perhaps at the next place.
            }
        }

        return refused is not null
            ? (null, $"{refused.Message}\nThe configuration says where the admin socket is, and no proxy answers at {string.Join(" or ", places)}; name it yourself with --socket.",
                ExitCodes.BadConfiguration)
            : (null, $"No proxy answers at {string.Join(" or ", places)}: is it running, as this user, with this --config?", ExitCodes.NoProxy);
    }

    private static async Task<(string? Json, string Problem, int ExitCode)> SendAsync(
        HttpMethod method, string path, string place, byte[]? body, CancellationToken cancellation)
    {
        using var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = async (_, token) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(place), token);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        using var client = new HttpClient(handler) { Timeout = Patience };
        using var request = new HttpRequestMessage(method, new Uri($"http://admin{path}")) { Content = body is null ? null : new ByteArrayContent(body) };
        using var response = await client.SendAsync(request, cancellation);
        var text = await response.Content.ReadAsStringAsync(cancellation);
        return response.IsSuccessStatusCode ? (text, "", 0) : (null, Detail(text), ExitCodes.Refused);
    }

    // A problem says in its detail what is wrong (RFC 9457).
    private static string Detail(string text)
    {
        try
        {
            using var problem = JsonDocument.Parse(text);
            return problem.RootElement.GetProperty("detail").GetString() ?? text;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return text;
        }
    }
}
