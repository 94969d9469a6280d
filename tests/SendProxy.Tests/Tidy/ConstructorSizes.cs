using System.Reflection;

namespace SendProxy.Tests.Tidy;

/// <summary>A type that is given many things to work with does several jobs, and no test can make one of it.</summary>
internal static class ConstructorSizes
{
    public const int DependenciesMax = 6;

    /// <summary>Types that take more still. A row is deleted when its type is split, and none is added.</summary>
    public static readonly IReadOnlyList<string> NotYetSplit =
    [
    ];

    /// <returns>Each constructor with more parameters, by name and number. Records are data: their parameters are their fields.</returns>
    public static IEnumerable<string> TooLarge(IEnumerable<Type> types) =>
        from type in types
        where !IsRecord(type) && !type.Name.StartsWith('<')
        from constructor in type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
        let count = constructor.GetParameters().Length
        where count > DependenciesMax
        select $"{type.FullName}: a constructor with {count} parameters, limit {DependenciesMax}; make those that belong together a type, or the type several";

    private static bool IsRecord(Type type) => type.GetMethod("PrintMembers", BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public) is not null;
}
