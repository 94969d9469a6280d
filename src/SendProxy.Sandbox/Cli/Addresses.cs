using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;

namespace SendProxy.Sandbox.Cli;

/// <summary>Reads where to listen: <c>127.0.0.1:8080</c>, <c>[::1]:0</c>, or a port on 127.0.0.1.</summary>
internal static class Addresses
{
    public static IPEndPoint? Parse(ArgumentResult result)
    {
        var text = result.Tokens.Count > 0 ? result.Tokens[0].Value : "";
        if (text == "off") { return null; }
        if (ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            return new IPEndPoint(IPAddress.Loopback, port);
        }

        if (text.Contains(':', StringComparison.Ordinal) && IPEndPoint.TryParse(text, out var address))
        {
            return address;
        }

        result.AddError($"'{text}' is no address: write 127.0.0.1:8080, [::1]:0, a port, or off.");
        return null;
    }
}
