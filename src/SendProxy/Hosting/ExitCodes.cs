namespace SendProxy.Hosting;

/// <summary>What the exit code of the process says; the same for serving and for all commands. 0 is only ever an orderly end.</summary>
internal static class ExitCodes
{
    /// <summary>The journal or an address to listen on cannot be had.</summary>
    public const int CannotStart = 1;

    /// <summary>Of a command: the proxy answered, and refused what it was asked for.</summary>
    public const int Refused = 1;

    /// <summary>The configuration is refused.</summary>
    public const int BadConfiguration = 2;

    /// <summary>No proxy answers on the admin socket.</summary>
    public const int NoProxy = 3;

    /// <summary>The process ended though nobody asked it to (EX_SOFTWARE of sysexits.h).</summary>
    public const int Defect = 70;
}
