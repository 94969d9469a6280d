using System.Text.Json;
using SendProxy.Load;

// One run of load against one address; prints one line of JSON. What the flags mean: LoadOptions.
if (LoadOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine(LoadOptions.Usage);
    return 2;
}

using var generator = new Generator(options, TimeProvider.System);
var report = generator.Run();
Console.WriteLine(JsonSerializer.Serialize(report, ReportJson.Default.LoadReport));
return report.Answers > 0 ? 0 : 1;
