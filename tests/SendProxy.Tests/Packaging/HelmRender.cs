using System.Diagnostics;
using SendProxy.Tests.Tidy;

namespace SendProxy.Tests.Packaging;

/// <summary>The chart, rendered by helm itself (eng/helm.sh): once for a run to the side of the goldens.</summary>
internal static class HelmRender
{
    private const string Goldens = "helm/goldens";
    private const string Out = "artifacts/helm-goldens";
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(5);
    private static readonly Lazy<Task> Rendered = new(RenderAllAsync);

    /// <summary>Names of the value sets; each has a golden.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. Directory.EnumerateFiles(At(Goldens), "*.yaml").Where(f => !IsValues(f)).Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal)];

    public static string Golden(string name, string suffix = ".yaml") => File.ReadAllText(At($"{Goldens}/{name}{suffix}"));

    /// <returns>What the chart renders now.</returns>
    public static async Task<string> FreshAsync(string name, string suffix = ".yaml")
    {
        await Rendered.Value;
        return await File.ReadAllTextAsync(At($"{Out}/{name}{suffix}"));
    }

    /// <returns>The exit code and all output of one call of helm.</returns>
    public static Task<(int Exit, string Output)> HelmAsync(params string[] arguments) => StartAsync("bash", [At("eng/helm.sh"), .. arguments]);

    /// <returns>The exit code and all output of one rendering of the chart.</returns>
    public static Task<(int Exit, string Output)> TemplateAsync(params string[] arguments) => HelmAsync(["template", "demo", At("helm/sendproxy"), .. arguments]);

    /// <returns>The exit code and findings of a strict validation of rendered manifests.</returns>
    public static Task<(int Exit, string Output)> ValidateAsync(params string[] files) => StartAsync("bash", [At("eng/manifests/validate.sh"), .. files]);

    /// <summary>Without helm the chart cannot be rendered here; CI must not take that for a pass.</summary>
    public static async Task SkipWithoutHelmAsync() => Assert.SkipUnless(
        Environment.GetEnvironmentVariable("CI") == "true" || (await HelmAsync("version")).Exit == 0, "Needs helm; eng/setup.sh installs it.");

    public static string At(string path) => Path.Combine(SourceTree.Root, path);

    private static bool IsValues(string file) => file.EndsWith(".values.yaml", StringComparison.Ordinal);

    private static async Task RenderAllAsync()
    {
        var (exit, output) = await StartAsync("bash", [At("eng/helm-goldens.sh"), At(Out)]);
        Assert.True(exit == 0, $"eng/helm-goldens.sh ended with {exit}:\n{output}");
    }

    private static async Task<(int Exit, string Output)> StartAsync(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        using var hang = new CancellationTokenSource(Hang);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(hang.Token);
        var error = process.StandardError.ReadToEndAsync(hang.Token);
        await process.WaitForExitAsync(hang.Token);
        return (process.ExitCode, await output + await error);
    }
}
