using System.Diagnostics;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Issues;

// The real clients of this machine, each with its defaults, against the real binary.
public class RealClientsTests
{
    private const string Node = "fetch(process.argv[1], { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: process.argv[2] }).then(r => console.log(r.status))";

    private const string Python = """
        import sys, urllib.request
        print(urllib.request.urlopen(urllib.request.Request(sys.argv[1], sys.argv[2].encode(), {'Content-Type': 'application/json'})).status)
        """;

    private const string Java = """
        import java.net.URI;
        import java.net.http.*;
        public class Send {
            public static void main(String[] a) throws Exception {
                var request = HttpRequest.newBuilder(URI.create(a[0])).header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(a[1])).build();
                System.out.println(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
            }
        }
        """;

    private const string Go = """
        package main
        import ("fmt"; "net/http"; "os"; "strings")
        func main() {
            answer, err := http.Post(os.Args[1], "application/json", strings.NewReader(os.Args[2]))
            if err != nil { panic(err) }
            fmt.Println(answer.StatusCode)
        }
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("curl", "", "", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Content-Type: application/json", "{url}", "-d", "{body}")]
    [InlineData("curl", "", "", "--http2", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Content-Type: application/json", "{url}", "-d", "{body}")]
    [InlineData("node", "", "", "-e", Node, "{url}", "{body}")]
    [InlineData("python3", "", "", "-c", Python, "{url}", "{body}")]
    [InlineData("java", "Send.java", Java, "Send.java", "{url}", "{body}")]
    [InlineData("go", "send.go", Go, "run", "send.go", "{url}", "{body}")]
    public async Task Send_ByARealClient_Arrives(string tool, string file, string source, params string[] arguments)
    {
        Assert.SkipUnless(IsInstalled(tool), $"{tool} is not installed");
        await using var stage = await EgressStage.SetAsync();
        if (file.Length > 0)
        {
            stage.Folder.Write(file, source);
        }

        var output = await RunAsync(tool, stage.Folder.Path, arguments.Select(a => a switch
        {
            "{url}" => new Uri(stage.Proxy.Address("egress"), "/v1/sms/send").ToString(),
            "{body}" => EgressStage.Sms,
            _ => a,
        }));

        Assert.Equal("202", output);
        Assert.Equal(1L, stage.Vendor.Ledger.Effects);
    }

    private static bool IsInstalled(string tool) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, tool)));

    private static async Task<string> RunAsync(string tool, string folder, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(tool) { WorkingDirectory = folder, RedirectStandardOutput = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(Token).WaitAsync(TimeSpan.FromMinutes(2), Token);
        await process.WaitForExitAsync(Token);
        return output.Trim();
    }
}
