using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using SendProxy.Errors;

namespace SendProxy.Tests.Tidy;

// What no analyzer checks, over the product itself. PlantedTests shows that each check finds what it is for.
public partial class TidyTests
{
    private static readonly Assembly App = typeof(ProxyError).Assembly;

    [Fact]
    public void Sources_AreShortAndUndivided() => AssertNone(AllSources().SelectMany(s => SourceChecks.Shape(s.Path, s.Lines)));

    [Fact]
    public void Rooms_UseOnlyWhatTheyMay() => AssertNone(SourceTree.Files("src/SendProxy").SelectMany(s => SourceChecks.Arrows(s.Path, s.Lines)));

    [Fact]
    public void SubRooms_UseOnlyWhatIsDeclared() => AssertSame(
        SubRooms.Known, SubRooms.Undeclared(Own(App), SubRooms.Uses), "declare an arrow in SubRooms.Uses only where it does not close a circle");

    [Fact]
    public void SubRooms_AreDeclaredInOneDirection() => AssertNone(SubRooms.Circles(SubRooms.Uses));

    [Fact]
    public void Rooms_AreSmall() => AssertSame(
        SourceChecks.LargeRooms, SourceChecks.Crowded(SourceTree.Files("src/SendProxy").Select(s => s.Path)), "make it rooms of one kind each");

    [Fact]
    public void TypeNames_AreTheFieldsTerms() => AssertSame(PrivateWords.NotYetRenamed, PrivateWords.In(Own(App)), "rename the type");

    [Fact]
    public void Constructors_TakeFewThings() => AssertSame(ConstructorSizes.NotYetSplit, ConstructorSizes.TooLarge(Own(App)), "none is added to the list");

    [Fact]
    public void Texts_CiteOnlyWhatIsInTheRepository()
    {
        var files = Citations.Files();

        AssertNone(Citations.AllTexts().Where(t => !t.Path.StartsWith("tests/SendProxy.Tests/Tidy/", StringComparison.Ordinal))
            .SelectMany(t => Citations.Missing(t.Path, t.Lines, files)));
    }

    [Fact]
    public void Secrets_AreRevealedInFewPlaces() => AssertNone(SourceTree.Files("src/SendProxy").SelectMany(s => SourceChecks.Reveals(s.Path, s.Lines)));

    [Fact]
    public void Sources_HaveNoMarks() => AssertNone(AllSources().SelectMany(s => SourceChecks.Marks(s.Path, s.Lines)));

    [Fact]
    public void Methods_NoneIsAsyncVoid() => AssertNone(TypeChecks.AsyncVoid(Own(App)));

    [Fact]
    public void StaticFields_AllAreReadonly() => AssertNone(TypeChecks.MutableStatics(Own(App)));

    [Fact]
    public void TypeNames_NoneIsVague() => AssertNone(TypeChecks.VagueNames(Own(App)));

    [Fact]
    public void EventIds_AreUnique() => AssertNone(TypeChecks.DoubleEventIds(Own(App)));

    private static IEnumerable<(string Path, string[] Lines)> AllSources() =>
        SourceTree.Files("src").Concat(SourceTree.Files("tests")).Where(s => !s.Path.EndsWith("Tidy/PlantedTests.cs", StringComparison.Ordinal)
            && !s.Path.EndsWith("Tidy/SourceChecks.cs", StringComparison.Ordinal));

    private static Type[] Own(Assembly assembly) => [.. assembly.GetTypes().Where(t =>
        t.Namespace?.StartsWith("SendProxy", StringComparison.Ordinal) == true
        && !t.Name.Contains('<', StringComparison.Ordinal)
        && !t.IsDefined(typeof(CompilerGeneratedAttribute), false))];

    /// <summary>Findings are compared by what stands before the first <c>:</c> or <c>(</c>; a known one that is gone must leave the list.</summary>
    private static void AssertSame(IReadOnlyList<string> known, IEnumerable<string> findings, string remedy)
    {
        var all = findings.ToDictionary(f => f.Split([':', '('])[0].Trim(), StringComparer.Ordinal);
        AssertNone(all.Where(f => !known.Contains(f.Key)).Select(f => $"{f.Value}; {remedy}")
            .Concat(known.Where(k => !all.ContainsKey(k)).Select(k => $"{k} is mended: delete its row")));
    }

    // Assert.Empty cuts its message short; these messages are the point.
    private static void AssertNone(IEnumerable<string> findings)
    {
        var all = findings.ToArray();
        Assert.True(all.Length == 0, string.Join('\n', all));
    }
}

/// <summary>Checks over compiled types.</summary>
internal static partial class TypeChecks
{
    private const BindingFlags Declared =
        BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    public static IEnumerable<string> AsyncVoid(IEnumerable<Type> types) => Methods(types)
        .Where(m => m.ReturnType == typeof(void) && m.IsDefined(typeof(AsyncStateMachineAttribute), false))
        .Select(m => $"{m.DeclaringType}.{m.Name}: return Task");

    public static IEnumerable<string> MutableStatics(IEnumerable<Type> types) => types
        .SelectMany(t => t.GetFields(Declared))
        .Where(f => f.IsStatic && !f.IsInitOnly && !f.IsLiteral && !f.IsDefined(typeof(CompilerGeneratedAttribute), false))
        .Select(f => $"{f.DeclaringType}.{f.Name}: inject it");

    public static IEnumerable<string> VagueNames(IEnumerable<Type> types) =>
        types.Where(t => Vague().IsMatch(t.Name)).Select(t => $"{t}: name what it does");

    public static IEnumerable<string> DoubleEventIds(IEnumerable<Type> types) => Methods(types)
        .Select(m => (Method: m, Log: m.GetCustomAttribute<LoggerMessageAttribute>()))
        .Where(x => x.Log is not null)
        .GroupBy(x => x.Log!.EventId)
        .Where(g => g.Count() > 1)
        .Select(g => $"event id {g.Key} is used by {string.Join(", ", g.Select(x => $"{x.Method.DeclaringType}.{x.Method.Name}"))}");

    private static IEnumerable<MethodInfo> Methods(IEnumerable<Type> types) => types.SelectMany(t => t.GetMethods(Declared));

    [GeneratedRegex("(Manager|Helpers?|Utils?|Common|Misc|Impl)$")]
    private static partial Regex Vague();
}
