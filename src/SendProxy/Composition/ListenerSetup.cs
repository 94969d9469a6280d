using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using SendProxy.Hosting;
using SendProxy.Overload;

namespace SendProxy.Composition;

/// <summary>Wires Kestrel's listeners and the bounds of their connections.</summary>
internal static class ListenerSetup
{
    public static void AddListeners(this WebApplicationBuilder builder, ProxySettings settings, ProcessResources resources)
    {
        var (admin, bound) = (resources.Admin, resources.Bound);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => Listeners.Bind(
            k, settings.Listen, settings.Roles, admin, bound, k.ApplicationServices.GetRequiredService<ConnectionLimiter>));
        builder.Services.Configure<SocketTransportOptions>(o =>
        {
            // Two hand-overs between threads less for each request; it still runs on a worker of the pool, not on the thread that polls (docs/decisions/0020).
            o.UnsafePreferInlineScheduling = true;
            o.MaxReadBufferSize = ConnectionOptions.ReadAheadBytes;
            o.CreateBoundListenSocket = endpoint =>
                endpoint is not UnixDomainSocketEndPoint unix ? SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint)
                : unix.ToString() == admin.Path ? admin.Bound!
                : UnixSocket.Bind(unix.ToString(), settings.Listen.SocketMode);
        });
        builder.Services
            .AddSingleton(bound)
            .AddSingleton(admin)
            .AddSingleton<ConnectionMetrics>()
            .AddSingleton(services => Connections(services, settings));
    }

    private static ConnectionLimiter Connections(IServiceProvider services, ProxySettings settings)
    {
        var (budget, connections) = (services.GetRequiredService<MemoryBudget>(), settings.Listen.Connections);
        ConnectionBounds Bounds(ListenerKind kind)
        {
            var all = connections.Of(kind, budget.Bytes, settings.Roles);
            return new ConnectionBounds(all, connections.OfAddress(kind, all, settings.Guard.AllowRemote));
        }

        return ActivatorUtilities.CreateInstance<ConnectionLimiter>(services, (Func<ListenerKind, ConnectionBounds>)Bounds);
    }
}
