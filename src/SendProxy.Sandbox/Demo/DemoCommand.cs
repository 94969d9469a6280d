using System.CommandLine;
using Spectre.Console;

namespace SendProxy.Sandbox.Demo;

/// <summary>What is broken on purpose, to see that the demo would tell.</summary>
internal enum Breakage
{
    None,

    /// <summary>The proxy has a key that the vendor does not know.</summary>
    WrongKey,

    /// <summary>The proxy checks webhooks with another secret than the vendor signs with.</summary>
    WrongWebhookSecret,

    /// <summary>The proxy's configuration has no limit.</summary>
    LimiterOff,
}

/// <summary><c>demo</c>: the main job of the proxy, told as a story. Exit 0 only if all of it is true.</summary>
internal static class DemoCommand
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(50);

    private static readonly Dictionary<string, Breakage> Breakages = new(StringComparer.Ordinal)
    {
        ["nothing"] = Breakage.None,
        ["wrong-key"] = Breakage.WrongKey,
        ["wrong-webhook-secret"] = Breakage.WrongWebhookSecret,
        ["limiter-off"] = Breakage.LimiterOff,
    };

    public static Command Build()
    {
        var stay = new Option<bool>("--stay") { Description = "Keep everything running afterwards and print addresses to try." };
        var breakage = new Option<string>("--break")
        {
            Description = "Break something on purpose: the demo must fail.",
            DefaultValueFactory = _ => "nothing",
        };
        breakage.AcceptOnlyFromAmong([.. Breakages.Keys]);
        var binary = new Option<string?>("--proxy") { Description = "The proxy's executable. Default: SENDPROXY_BINARY, or the one built beside this." };
        var command = new Command("demo", "Send an SMS, a WhatsApp message and an email through the real proxy, and see what happens.") { stay, breakage, binary };
        command.SetAction((parsed, stop) => RunAsync(parsed.GetValue(stay), Breakages[parsed.GetValue(breakage)!], parsed.GetValue(binary), stop));
        return command;
    }

    private static async Task<int> RunAsync(bool stay, Breakage breakage, string? binary, CancellationToken stop)
    {
        if (Console.IsOutputRedirected)
        {
            // No terminal whose width could be asked: wide enough that ids stand on one line.
            AnsiConsole.Profile.Width = 120;
        }

        var report = new DemoReport(AnsiConsole.Console);
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(stop);
        bounded.CancelAfter(Bound);
        try
        {
            var executable = binary ?? DemoProxy.FindBinary();
            await using var stage = await DemoStage.SetAsync(breakage, executable, bounded.Token);
            var story = new DemoStory(stage, report, executable);
            var isTrue = await story.TellAsync(bounded.Token);
            if (stay)
            {
                report.Addresses(stage);
                await WaitForEndAsync(stop);
            }

            return isTrue ? 0 : 1;
        }
        catch (DemoFailedException e)
        {
            report.Failed(e.Message);
            return 1;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            report.Failed($"It took longer than {Bound.TotalSeconds:0} s.");
            return 1;
        }
    }

    private static async Task WaitForEndAsync(CancellationToken stop)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = stop.Register(ended.SetResult);
        await ended.Task;
    }
}

/// <summary>The demo cannot go on; the message says why and what to do.</summary>
internal sealed class DemoFailedException(string message) : Exception(message);
