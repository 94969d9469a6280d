using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;

namespace SendProxy.Sandbox.Cli;

/// <summary>Where to listen. A type of its own, for the command line's parser has no null.</summary>
/// <param name="EndPoint">Null for nowhere.</param>
internal sealed record ListenAddress(IPEndPoint? EndPoint)
{
    public static readonly ListenAddress Off = new((IPEndPoint?)null);

    /// <summary>Reads <c>127.0.0.1:8080</c>, <c>[::1]:0</c>, a port on 127.0.0.1, or <c>off</c>.</summary>
    public static ListenAddress Parse(ArgumentResult result)
    {
        var text = result.Tokens.Count > 0 ? result.Tokens[0].Value : "";
        if (text == "off") { return Off; }
        if (ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            return new ListenAddress(new IPEndPoint(IPAddress.Loopback, port));
        }

        if (text.Contains(':', StringComparison.Ordinal) && IPEndPoint.TryParse(text, out var address))
        {
            return new ListenAddress(address);
        }

        result.AddError($"'{text}' is no address: write 127.0.0.1:8080, [::1]:0, a port, or off.");
        return Off;
    }
}
