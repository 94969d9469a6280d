using System.Runtime.InteropServices;
using SendProxy.Compare;

// The whole comparison; bench/compare/run.sh builds what is compared, then calls this. From the repository's root.
if (RunOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine($"usage: sendproxy-compare [--quick] [--only {string.Join(',', RunOptions.AllParts)}] [--rounds N] [--seconds N] [--budget SECONDS] [--page FILE] [--plots DIR]");
    return 2;
}

var start = TimeProvider.System.GetTimestamp();
var page = new Page();
using var shop = new Workshop(Environment.CurrentDirectory);
// Also where it is ended from outside, nothing that it started goes on.
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => shop.Dispose());
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => shop.Dispose());
await shop.StartUpstreamAsync();
page.Line("# Results");
page.Line("Written by `bash bench/compare/run.sh`; how to read it: [README.md](README.md). One run, one machine: compare rows, not runs.\n");
foreach (var line in Versions.All(shop, options))
{
    page.Line($"- {line}");
}

LoadCase[] main = [new(1), new(32), new(256), new(32, 100), new(32, 1000), new(32, 3000)];
LoadCase[] brief = [new(32), new(32, 1000)];
var parts = new (string Name, Func<Task> Run)[]
{
    ("start", () => Starts.RunAsync(shop, page, options)),
    ("out", () => Titled("Way out, upstream over http", () => WayOut.RunAsync(shop, page, options, "http", Candidates.All, main))),
    ("tls", () => Titled("Way out, upstream over TLS", () => WayOut.RunAsync(shop, page, options, "https", Candidates.All, brief))),
    ("features", () => Titled("SendProxy without one thing each, upstream over http", () => WayOut.RunAsync(shop, page, options, "http", Candidates.Features, brief))),
    ("in", () => WayIn.RunAsync(shop, page, options)),
    ("outbox", () => WayOutbox.RunAsync(shop, page, options)),
    ("growth", () => Growth.RunAsync(shop, page, options)),
    ("fault", () => Faults.RunAsync(shop, page, options)),
};
var failed = 0;
foreach (var (name, run) in parts.Where(p => options.Parts.Contains(p.Name)))
{
    if (TimeProvider.System.GetElapsedTime(start) > options.Budget)
    {
        page.Note($"Left out for want of time: {name}.");
        continue;
    }

    var begun = TimeProvider.System.GetTimestamp();
    try
    {
        await run();
        page.Note($"This part took {TimeProvider.System.GetElapsedTime(begun).TotalSeconds:0} s; load average {Proc.LoadAverage()}.");
    }
    catch (Exception e) when (e is TimeoutException or InvalidOperationException or IOException)
    {
        failed++;
        page.Note($"{name} failed: {e.Message}");
    }

    page.Write(options.Page);
}

page.Note($"Load average at the end: {Proc.LoadAverage()}; it took {TimeProvider.System.GetElapsedTime(start).TotalSeconds:0} s.");
page.Write(options.Page);
return failed;

Task Titled(string title, Func<Task> run)
{
    page.Heading(title);
    return run();
}
