#if DEBUG
using System.Runtime.InteropServices;
using SendProxy.Secrets;
using SendProxy.Upstreams.Credentials;

namespace SendProxy.Composition;

/// <summary>
/// In a debug build SIGUSR2, whose default action ends a process anyway, throws where nobody catches, with all that holds keys
/// in the message: the secrecy hunt looks at what such a crash writes.
/// </summary>
internal static class PlantedDefect
{
    private const int UserSignal2 = 12;

    public static IDisposable OnSignal(IServiceProvider services) => PosixSignalRegistration.Create((PosixSignal)UserSignal2, _ =>
    {
        var held = services.GetRequiredService<SecretPoller>().All.SelectMany(w => w.Set.All.Select(s => $"{w} {w.Set} {new SelectedCredential(s.Secret, s.Slot)}"));
        throw new InvalidOperationException($"planted defect: {string.Join(' ', held)} {string.Join(' ', services.GetRequiredService<CredentialUsageTracker>().Report())}");
    });
}
#endif
