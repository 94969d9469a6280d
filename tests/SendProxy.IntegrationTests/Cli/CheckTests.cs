using System.Text.Json;

namespace SendProxy.IntegrationTests.Cli;

// The first command an operator types, on the real executable.
public class CheckTests
{
    private const string Good = "version: 1\nlisten: { egress: ['127.0.0.1:0'], webhooks: ['127.0.0.1:0'], metrics: ['127.0.0.1:0'] }\nupstreams: { sendapi: { preset: sendapi, address: 'https://api.sendapi.example', credential: { file: key } } }\n";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Check_GoodFile_ExitsZero()
    {
        var (exit, output) = await RunAsync(f => f.Configure(Good).WriteSecret("key", "sk_live_0123456789"));

        Assert.Equal(0, exit);
        Assert.Contains("proxy.yaml is good: 1 upstream, ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("warning", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "is missing: create it")]
    [InlineData("", "is empty")]
    [InlineData("sk_test_0123456789", "it holds a test key; set allowTestKey: true")]
    [InlineData("pk_live_0123456789", "and does not begin with sk_live_; it is used all the same")]
    public async Task Check_KeyThatWouldNotDo_IsWarnedOf(string? key, string expected)
    {
        var (exit, output) = await RunAsync(f => _ = key is null ? f.Configure(Good) : f.Configure(Good).Write("key", key));

        Assert.Equal(0, exit);
        Assert.Contains("proxy.yaml:3:82: upstreams.sendapi.credential: file ", output, StringComparison.Ordinal);
        Assert.Contains(expected, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_NoFile_AdviceLeadsToOne()
    {
        using var folder = new ProxyFolder();
        await using var check = ProxyProcess.Launch(folder, "check");
        Assert.Equal(2, await check.WaitForExitAsync(Token));
        Assert.Contains(check.Output, l => l.Contains("sendproxy check --print-example > proxy.yaml", StringComparison.Ordinal));

        await using var example = ProxyProcess.Launch(folder, "check", "--print-example");
        Assert.Equal(0, await example.WaitForExitAsync(Token));
        folder.Configure(string.Join('\n', example.Output).Replace("address: \"\"", "address: https://api.sendapi.example", StringComparison.Ordinal));

        // Of the example alone: neither its secrets nor a disk for its journal are here.
        await using var again = ProxyProcess.Launch(folder, "check", "--config-only");
        Assert.Equal(0, await again.WaitForExitAsync(Token));
    }

    [Fact]
    public async Task Check_WhatServingRefuses_ExitsTwoWithPlaceAndTheSameWords()
    {
        const string journal = "webhooks: { sources: { sendapi: { preset: sendapi, secrets: [{ file: key }] } } }\n"
            + "journal: { path: j.db, minimum: memory, allowEphemeral: true, sealKeys: [{ file: key }] }\n";
        Action<ProxyFolder> prepare = f => f.Configure(Good + journal).WriteSecret("key", "sk_live_0123456789");

        var (exit, output) = await RunAsync(prepare);
        var (alone, good) = await RunAsync(prepare, "--config-only");
        using var folder = new ProxyFolder();
        prepare(folder);
        await using var serving = ProxyProcess.Launch(folder, "serve");

        Assert.Equal((2, 1), (exit, await serving.WaitForExitAsync(Token)));
        Assert.Contains("proxy.yaml:5:", output, StringComparison.Ordinal);
        Assert.Contains("is no AES-256 key: 32 bytes, raw or in base64 or hex, are needed (openssl rand -base64 32).", output, StringComparison.Ordinal);
        Assert.Contains(serving.Output, l => l.StartsWith("sendproxy: The seal key ", StringComparison.Ordinal) && l.Contains("is no AES-256 key: 32 bytes", StringComparison.Ordinal));
        Assert.True(alone == 0 && good.Contains("is good", StringComparison.Ordinal), good);
    }

    [Fact]
    public async Task Check_BadFile_ExitsTwoAndNamesEachPlace()
    {
        var (exit, output) = await RunAsync(f => f.Configure(Good + "limit: {}\nprocess: { maxInFlight: 0 }\n"));

        Assert.Equal(2, exit);
        Assert.Contains("proxy.yaml:4:1: limit: unknown setting; did you mean limits?", output, StringComparison.Ordinal);
        Assert.Contains("proxy.yaml:5:", output, StringComparison.Ordinal);
        Assert.Contains("2 errors", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_Json_IsReadable()
    {
        var (exit, output) = await RunAsync(f => f.Configure(Good + "limit: {}\n"), "--output", "json");

        using var json = JsonDocument.Parse(output);
        Assert.Equal((2, false, 4), (
            exit, json.RootElement.GetProperty("good").GetBoolean(), json.RootElement.GetProperty("errors")[0].GetProperty("line").GetInt32()));
    }

    [Fact]
    public async Task Serve_BadFile_ExitsTwoWithTheSameWords()
    {
        using var folder = new ProxyFolder().Configure(Good + "limit: {}\n");
        await using var process = ProxyProcess.Launch(folder, "serve");

        Assert.Equal(2, await process.WaitForExitAsync(Token));
        Assert.Contains(process.Output, l => l.EndsWith("proxy.yaml:4:1: limit: unknown setting; did you mean limits?", StringComparison.Ordinal));
        Assert.DoesNotContain(process.Output, l => l.Contains("   at ", StringComparison.Ordinal));
    }

    private static async Task<(int Exit, string Output)> RunAsync(Action<ProxyFolder> prepare, params string[] more)
    {
        using var folder = new ProxyFolder();
        prepare(folder);
        await using var process = ProxyProcess.Launch(folder, ["check", .. more]);
        var exit = await process.WaitForExitAsync(Token);
        return (exit, string.Join('\n', process.Output));
    }
}
