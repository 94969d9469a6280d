using Microsoft.Extensions.Logging;

namespace SendProxy.Tests.Tidy;

// A check that cannot fail is no check: each one is shown what it is for.
public partial class PlantedTests
{
    [Fact]
    public void Shape_LongFile_IsFound() =>
        Assert.Single(SourceChecks.Shape("src/SendProxy/Egress/A.cs", [.. Enumerable.Repeat("", SourceChecks.FileLinesMax + 1)]));

    [Fact]
    public void Shape_LongTestFile_HasALimitOfItsOwn()
    {
        Assert.Empty(SourceChecks.Shape("tests/A.cs", [.. Enumerable.Repeat("", SourceChecks.TestFileLinesMax)]));
        Assert.Single(SourceChecks.Shape("tests/A.cs", [.. Enumerable.Repeat("", SourceChecks.TestFileLinesMax + 1)]));
    }

    [Fact]
    public void Crowded_LargeFolder_IsFound()
    {
        var files = Enumerable.Range(0, SourceChecks.RoomFilesMax + 1).Select(i => $"src/SendProxy/Egress/A{i}.cs").ToArray();

        Assert.Single(SourceChecks.Crowded(files));
        Assert.Empty(SourceChecks.Crowded(files[1..]));
    }

    [Fact]
    public void SubRooms_UndeclaredArrow_IsFound() => Assert.Contains(
        SubRooms.Undeclared([typeof(SendProxy.Sending.Sender)], new Dictionary<string, string[]>()), a => a.StartsWith("Sending -> Sending.", StringComparison.Ordinal));

    [Fact]
    public void SubRooms_DeclaredCircle_IsFound() => Assert.Equal(2, SubRooms.Circles(new Dictionary<string, string[]>
    {
        ["A.B"] = ["A.C"],
        ["A.C"] = ["A.B"],
        ["A"] = ["A.B"],
    }).Count());

    [Fact]
    public void PrivateWords_InAName_AreFound() => Assert.Single(PrivateWords.In([typeof(PlantedLotBook), typeof(PlantedTests)]));

    [Theory]
    [InlineData("a.md", "see PLANTED.md, 3")]
    [InlineData("a.md", "see [x](docs/PLANTED.md)")]
    [InlineData("src/A.cs", "// docs/decisions/9999")]
    [InlineData("a.md", "look into `Planted/Planted.cs`")]
    public void Citations_FileThatIsNotThere_IsFound(string path, string line) => Assert.Single(Citations.Missing(path, [line], ["README.md"]));

    [Theory]
    [InlineData("see README.md and docs/A.md, [b](docs/A.md#x), [c](A.md)")]
    [InlineData("https://example.com/spec/PLANTED.md")]
    [InlineData("`src/A.cs`, docs/decisions/0001")]
    public void Citations_FileThatIsThere_IsNotFound(string line) =>
        Assert.Empty(Citations.Missing("a.md", [line], ["README.md", "docs/A.md", "src/A.cs", "docs/decisions/0001-a.md"]));

    [Fact]
    public void Shape_LongMethod_IsFound()
    {
        string[] lines = ["    void M()", "    {", .. Enumerable.Repeat("        x();", SourceChecks.MethodLinesMax + 1), "    }"];

        Assert.Single(SourceChecks.Shape("src/SendProxy/Egress/A.cs", lines));
    }

    [Fact]
    public void Shape_Region_IsFound() => Assert.Single(SourceChecks.Shape("a.cs", ["", "    #region x"]));

    [Theory]
    [InlineData("src/SendProxy/Upstreams/A.cs", "using SendProxy.Egress;")]
    [InlineData("src/SendProxy/Sending/Attempts/A.cs", "using SendProxy.Egress;")]
    [InlineData("src/SendProxy/Queueing/A.cs", "    var x = Sending.Sender.Create();")]
    [InlineData("src/SendProxy/Egress/A.cs", "    SendProxy.Cli.Commands.Run();")]
    public void Arrows_ForbiddenRoom_IsFound(string path, string line) => Assert.Single(SourceChecks.Arrows(path, [line]));

    [Theory]
    [InlineData("src/SendProxy/Egress/A.cs", "using SendProxy.Sending;")]
    [InlineData("src/SendProxy/ProxyHost.cs", "using SendProxy.Cli;")]
    [InlineData("src/SendProxy/Upstreams/A.cs", "    options.Egress.Count();")]
    public void Arrows_AllowedRoom_IsNotFound(string path, string line) => Assert.Empty(SourceChecks.Arrows(path, [line]));

    [Fact]
    public void Reveals_OtherFile_IsFound() =>
        Assert.Single(SourceChecks.Reveals("src/SendProxy/Egress/A.cs", ["Log(secret.Reveal());"]));

    [Fact]
    public void Marks_Todo_IsFound() => Assert.Single(SourceChecks.Marks("a.cs", ["// TODO later"]));

    [Fact]
    public void AsyncVoid_Method_IsFound() => Assert.Single(TypeChecks.AsyncVoid([typeof(Planted)]));

    [Fact]
    public void MutableStatics_Field_IsFound() => Assert.Single(TypeChecks.MutableStatics([typeof(Planted)]));

    [Fact]
    public void VagueNames_Helper_IsFound() => Assert.Single(TypeChecks.VagueNames([typeof(PlantedHelper)]));

    [Fact]
    public void DoubleEventIds_Pair_IsFound() => Assert.Single(TypeChecks.DoubleEventIds([typeof(Planted)]));

    [Fact]
    public void ConstructorSizes_SevenParameters_AreFound() => Assert.Single(ConstructorSizes.TooLarge([typeof(PlantedSeven), typeof(PlantedSix), typeof(PlantedData)]));

    private sealed record PlantedData(int A, int B, int C, int D, int E, int F, int G);

#pragma warning disable CS9113, CA1812 // They are here to be looked at.
    private sealed class PlantedSeven(int a, int b, int c, int d, int e, int f, int g);

    private sealed class PlantedSix(int a, int b, int c, int d, int e, int f);
#pragma warning restore CS9113, CA1812

    private static partial class Planted
    {
#pragma warning disable CA1823, IDE0051, CS0169, IDE0044, CS0414, SYSLIB1006 // It is here to be found.
        private static int _shared;

        public static async void Lost() => await Task.Yield();

        [LoggerMessage(1, LogLevel.Debug, "a")]
        public static partial void A(ILogger logger);

        [LoggerMessage(1, LogLevel.Debug, "b")]
        public static partial void B(ILogger logger);
#pragma warning restore CA1823, IDE0051, CS0169, IDE0044, CS0414, SYSLIB1006
    }

    private static class PlantedHelper;

    private static class PlantedLotBook;
}
