using System.Security.Cryptography;
using SendProxy.Sandbox.Webhooks;

namespace SendProxy.Sandbox.Demo;

/// <summary>A temporary folder with the proxy's configuration, its key and its secrets, as an operator would mount them.</summary>
internal sealed class DemoFolder : IDisposable
{
    /// <summary>What the plan allows in a second: the sandbox counts it exactly, the proxy is told it.</summary>
    public const int PlanPerSecond = 10;

    public DemoFolder()
    {
        Path = Directory.CreateTempSubdirectory("sendproxy-demo-").FullName;
        Key = "sk_live_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));
        AppSecret = "whsec_" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    }

    public string Path { get; }

    public string ConfigFile => System.IO.Path.Combine(Path, "config", "proxy.yaml");

    /// <summary>What the vendor knows.</summary>
    public string Key { get; }

    /// <summary>What the proxy signs with towards the application.</summary>
    public string AppSecret { get; }

    public void Write(Uri vendor, string? authorityPem, Uri application, Breakage breakage)
    {
        var config = Directory.CreateDirectory(System.IO.Path.Combine(Path, "config")).FullName;
        void Put(string name, string text)
        {
            var file = System.IO.Path.Combine(config, name);
            File.WriteAllText(file, text);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }
        }

        Put("sendapi.key", (breakage == Breakage.WrongKey ? "sk_live_unknown00000000" : Key) + "\n");
        Put("sendapi.webhook", (breakage == Breakage.WrongWebhookSecret ? AppSecret : WebhookTarget.DefaultSecret) + "\n");
        Put("app.webhook", AppSecret + "\n");
        Put("vendor-ca.pem", authorityPem + "\n");
        Put("proxy.yaml", $$"""
            version: 1
            listen: { egress: ["127.0.0.1:0"], webhooks: ["127.0.0.1:0"], metrics: ["127.0.0.1:0"] }
            upstreams:
              sendapi:
                preset: sendapi
                address: {{vendor.GetLeftPart(UriPartial.Authority)}}
                allowInsecureLoopback: true            # the sandbox is on this machine
                credential: { file: sendapi.key }
                tls: { caFile: vendor-ca.pem }
            {{(breakage == Breakage.LimiterOff ? "" : $"limits: {{ plan: {{ rate: {PlanPerSecond}/s }} }}")}}
            webhooks:
              sources: { sendapi: { preset: sendapi, secrets: [{ file: sendapi.webhook }] } }
              subscribers: { app: { url: "{{application}}", signWith: [{ file: app.webhook }] } }
            journal:
              path: ../data/demo.db
              allowEphemeral: true                     # /tmp is in memory on many systems: good enough for a demo only
              minimum: memory
            outbox: { rampUp: 2s }                     # a demo has no patience

            """);
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
            // A temporary folder: the system removes it some day.
        }
    }
}
