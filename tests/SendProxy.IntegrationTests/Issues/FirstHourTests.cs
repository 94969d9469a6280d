using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using SendProxy.IntegrationTests.Egress;
using SendProxy.IntegrationTests.Webhooks;

namespace SendProxy.IntegrationTests.Issues;

// What the real program says to somebody who meets it for the first time.
public class FirstHourTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_PortInUse_IsToldOnceAndLast()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        using var folder = new ProxyFolder().Configure(EgressStage.Config(new Uri("http://127.0.0.1:9"), more: """
            journal: { path: journal.db, allowEphemeral: true, minimum: memory }
            webhooks:
              sources: { sendapi: { preset: sendapi, secrets: [{ file: key }] } }
              subscribers: { app: { url: "http://127.0.0.1:9/none" } }
            """).Replace("metrics: [\"127.0.0.1:0\"]", $"metrics: [\"{other.LocalEndpoint}\"]", StringComparison.Ordinal)).WriteSecret("key", EgressStage.Key);
        await using var proxy = ProxyProcess.Launch(folder, "serve");

        Assert.Equal(1, await proxy.WaitForExitAsync(Token));

        var said = proxy.Output.Where(l => l.Contains("\"level\":\"error\"", StringComparison.Ordinal) || l.Contains("\"level\":\"fatal\"", StringComparison.Ordinal)
            || !l.StartsWith('{')).ToArray();
        Assert.Equal(2, said.Count(l => l.Contains("address already in use", StringComparison.Ordinal)));
        Assert.DoesNotContain(said, l => l.Contains("Exception", StringComparison.Ordinal) || l.Contains("Hosting", StringComparison.Ordinal));
        Assert.Contains(said, l => l.StartsWith("sendproxy: ", StringComparison.Ordinal) && l.EndsWith("Change listen, or end what uses the address.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Terminate_OrderlyEnd_IsToldLast()
    {
        await using var stage = await EgressStage.SetAsync();

        Assert.Equal(0, await stage.Proxy.TerminateAsync(Token));

        Assert.Contains("\"event\":\"Stopped\"", stage.Proxy.Output[^1], StringComparison.Ordinal);
        Assert.DoesNotContain(stage.Proxy.Output, l => l.Contains("\"event\":\"TlsLoaded\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WrongPort_IsToldTheRightOneOfThisProcess()
    {
        await using var stage = await EgressStage.SetAsync(more: """
            journal: { path: journal.db, allowEphemeral: true, minimum: memory }
            webhooks: { sources: { sendapi: { preset: sendapi, secrets: [{ file: hook }] } } }
            """, prepare: f => f.Write("hook", Vendor.Secret));
        async Task<string> AskAsync(string listener, string path)
        {
            using var answer = await stage.Client.PostAsync(new Uri(stage.Proxy.Address(listener), path), null, Token);
            return await answer.Content.ReadAsStringAsync(Token);
        }

        var (egress, webhooks, metrics) = (stage.Proxy.Address("egress").Port, stage.Proxy.Address("webhooks").Port, stage.Proxy.Address("metrics").Port);
        Assert.Contains($"the port of listen.webhooks ({webhooks}).", await AskAsync("egress", "/webhooks/sendapi"), StringComparison.Ordinal);
        Assert.Contains($"the port of listen.metrics ({metrics}).", await AskAsync("egress", "/metrics"), StringComparison.Ordinal);
        Assert.Contains($"the port of listen.egress ({egress}).", await AskAsync("webhooks", "/v1/sms/send"), StringComparison.Ordinal);
        Assert.Contains($"listen.egress ({egress}), vendors to that of listen.webhooks ({webhooks}).", await AskAsync("metrics", "/v1/sms/send"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Blocked_Refusal_NamesTheVendorAndTheCommandAndTheLogHasBothEnds()
    {
        await using var stage = await EgressStage.SetAsync("retry: { attempts: 1 }", more: "limits: { plan: { rate: 100/s } }");
        using var met = await stage.SendAsync(headers: ("X-Sandbox-Fault", "rate-limited;retry_after=100"));

        using var refused = await stage.SendAsync();
        var problem = await refused.AssertProblemAsync(HttpStatusCode.TooManyRequests, "rate_limited", "no");
        await stage.Proxy.WaitForLineAsync(l => l.Contains("\"event\":\"Blocked\"", StringComparison.Ordinal) && l.Contains("\"Limit\":\"plan\"", StringComparison.Ordinal), Token);
        await using var unblock = ProxyProcess.Launch(stage.Folder, "limits", "unblock", "plan");
        Assert.Equal(0, await unblock.WaitForExitAsync(Token));
        await stage.Proxy.WaitForLineAsync(l => l.Contains("\"event\":\"BlockEnded\"", StringComparison.Ordinal), Token);
        using var sent = await stage.SendAsync();

        var detail = problem.GetProperty("detail").GetString()!;
        Assert.Contains("The vendor blocks limits.plan: it answered 429", detail, StringComparison.Ordinal);
        Assert.Contains("sendproxy limits unblock plan", detail, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Accepted, sent.StatusCode);
    }

    [Fact]
    public async Task WebhooksList_NothingThere_SaysWhatWasLookedFor()
    {
        await using var stage = await EgressStage.SetAsync(more: """
            journal: { path: journal.db, allowEphemeral: true, minimum: memory }
            webhooks:
              sources: { sendapi: { preset: sendapi, secrets: [{ file: hook }] } }
              subscribers: { app: { url: "http://127.0.0.1:9/none" } }
            """, prepare: f => f.Write("hook", Vendor.Secret));
        async Task<string> ListAsync(params string[] filter)
        {
            await using var command = ProxyProcess.Launch(stage.Folder, ["webhooks", "list", .. filter]);
            Assert.Equal(0, await command.WaitForExitAsync(Token));
            return string.Join('\n', command.Output);
        }

        Assert.Contains("No stored item needs a person: none is held, dead, unknown or expired.", await ListAsync(), StringComparison.Ordinal);
        Assert.Contains("No stored item is dead or held, to the subscriber app.", await ListAsync("--state", "dead", "--state", "held", "--subscriber", "app"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoConnection_NoKey_AreToldWithTheCause()
    {
        await using var stage = await EgressStage.SetAsync("retry: { attempts: 1 }", address: new Uri("http://127.0.0.1:9"));
        using var unreachable = await stage.SendAsync();
        var problem = await unreachable.AssertProblemAsync(HttpStatusCode.BadGateway, "upstream_unreachable", "no");
        await using var without = await EgressStage.SetAsync(key: null);
        using var unsent = await without.SendAsync();
        var missing = await unsent.AssertProblemAsync(HttpStatusCode.ServiceUnavailable, "credential_unavailable", "no");

        Assert.Contains("no connection to http://127.0.0.1:9: nothing listens there", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.EndsWith("/key) is missing: create it.", missing.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("foo: 1\n")]
    [InlineData("webhooks: { sources: {\n")]
    public async Task Command_ConfigurationBrokenSince_StillFindsTheProxyThatRuns(string breakage)
    {
        await using var stage = await EgressStage.SetAsync(more: "limits: { plan: { rate: 100/s } }");
        stage.Folder.Configure(await File.ReadAllTextAsync(stage.Folder.ConfigPath, Token) + breakage);

        await using var command = ProxyProcess.Launch(stage.Folder, "limits");

        Assert.Equal(0, await command.WaitForExitAsync(Token));
        Assert.Contains(command.Output, l => l.StartsWith("plan ", StringComparison.Ordinal));
    }

    // The published folder has two files, and the obvious one alone starts.
    [Fact]
    public async Task Executable_WithoutItsLibrary_SaysWhichFileIsMissing()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("SENDPROXY_BINARY") is { Length: > 0 } && File.Exists(Path.Combine(Path.GetDirectoryName(ProxyProcess.Binary)!, "libe_sqlite3.so")),
            "Only the published executable has its library beside it.");
        using var folder = new ProxyFolder().Configure(EgressStage.Config(new Uri("http://127.0.0.1:9"), more: "journal: { path: journal.db, allowEphemeral: true, minimum: memory }"))
            .WriteSecret("key", EgressStage.Key);
        var alone = Path.Combine(folder.Path, "sendproxy");
        File.Copy(ProxyProcess.Binary, alone);

        var (serve, served) = await ProxyProcess.RunAsync(folder, [alone, "serve", "--config", folder.ConfigPath], Token);
        var (check, checkedOutput) = await ProxyProcess.RunAsync(folder, [alone, "check", "--config", folder.ConfigPath], Token);

        Assert.Equal((1, 2), (serve, check));
        Assert.All([served, checkedOutput], o => Assert.Contains("needs libe_sqlite3.so beside the executable", o, StringComparison.Ordinal));
    }

    // What README.md shows is what is compiled and run here.
    [Fact]
    public async Task Readme_SnippetOfAnApplication_Works()
    {
        await using var stage = await EgressStage.SetAsync();
        using var client = new HttpClient(new ToPort(stage.Client.BaseAddress!.Port));

#pragma warning disable xUnit1051 // An application has no token of a test's.
        // README
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost:4750/v1/sms/send")
        {
            Content = JsonContent.Create(new { to = "+491701234567", from = "Shop", text = "Your order is on its way" }),
            Headers = { { "Idempotency-Key", "order-42-shipped" } },
        };
        using var answer = await client.SendAsync(request);

        // No retries around it: the proxy made those that may be made. What went out, it says itself.
        var sent = answer.Headers.GetValues("SendProxy-Sent").Single();
        if (!answer.IsSuccessStatusCode && sent == "no")
        {
            // Nothing went out: the body says why (RFC 9457). Mend it, or send it again later with the same key.
        }
        // end of README
#pragma warning restore xUnit1051

        Assert.Equal((HttpStatusCode.Accepted, "yes"), (answer.StatusCode, sent));
        var source = await File.ReadAllTextAsync(Path.Combine(Root(), "tests/SendProxy.IntegrationTests/Issues/FirstHourTests.cs"), Token);
        var compiled = source.Split("// READ" + "ME\n")[1].Split("        // end of READ" + "ME")[0];
        var shown = (await File.ReadAllTextAsync(Path.Combine(Root(), "README.md"), Token)).Split("```csharp\n")[1].Split("```")[0];
        Assert.Equal(Undented(compiled), Undented(shown));
    }

    private static string[] Undented(string text)
    {
        var lines = text.TrimEnd().Split('\n');
        var indent = lines[0].Length - lines[0].TrimStart().Length;
        return [.. lines.Select(l => l.Length > indent ? l[indent..] : "")];
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "SendProxy.sln")))
        {
            folder = folder.Parent!;
        }

        return folder.FullName;
    }

    private sealed class ToPort(int port) : DelegatingHandler(new HttpClientHandler())
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.RequestUri = new UriBuilder(request.RequestUri!) { Host = "127.0.0.1", Port = port }.Uri;
            return base.SendAsync(request, cancellationToken);
        }
    }
}
