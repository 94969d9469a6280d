using Microsoft.AspNetCore.Http.Features;
using SendProxy.Admin;
using SendProxy.Egress;
using SendProxy.Hosting;
using SendProxy.Overload;
using SendProxy.Receiving;

namespace SendProxy.Composition;

/// <summary>Hands each request to the one delegate of its listener: no routing between them.</summary>
internal static class RequestDispatch
{
    public static void DispatchByListener(this WebApplication app)
    {
        var egress = app.Services.GetRequiredService<EgressHandler>();
        var webhooks = app.Services.GetRequiredService<WebhookHandler>();
        var admin = app.Services.GetRequiredService<AdminHandler>();
        var health = app.Services.GetRequiredService<HealthHandler>();
        var lifetime = app.Services.GetRequiredService<DrainingLifetime>();
        var time = app.Services.GetRequiredService<TimeProvider>();

        // Made here, since nobody asks for it: its series are set when they are collected.
        _ = app.Services.GetRequiredService<OverloadMetrics>();
        app.Run(context =>
        {
            var connection = context.Features.GetRequiredFeature<ListenerConnection>();
            connection.RequestStarted();
            if (lifetime.Stopping)
            {
                // The caller's next request must not meet a connection that is about to close.
                context.Response.Headers.Connection = "close";
            }

            // The first two tell the connection themselves that the request has ended.
            return connection.Kind switch
            {
                ListenerKind.Egress => egress.HandleAsync(context),
                ListenerKind.Webhooks => webhooks.HandleAsync(context),
                ListenerKind.Admin => EndedAsync(admin.HandleAsync(context), connection, time),
                _ => EndedAsync(health.HandleAsync(context), connection, time),
            };
        });
    }

    private static async Task EndedAsync(Task handling, ListenerConnection connection, TimeProvider time)
    {
        try
        {
            await handling;
        }
        finally
        {
            connection.RequestEnded(time.GetTimestamp());
        }
    }
}
