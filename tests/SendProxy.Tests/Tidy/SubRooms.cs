using System.Reflection;
using System.Reflection.Emit;

namespace SendProxy.Tests.Tidy;

/// <summary>
/// The arrows between the sub-rooms of a room, read from compiled code: a sub-room sees its parent's types without a using, so the
/// source does not show them. A constant leaves no trace in compiled code and is no arrow.
/// </summary>
internal static class SubRooms
{
    /// <summary>Each sub-room and the sub-rooms of the same room that it may use. One direction only; a room's own files may use all of them.</summary>
    public static readonly IReadOnlyDictionary<string, string[]> Uses = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["Egress"] = ["Egress.Admission", "Egress.Bodies", "Egress.Recipients", "Egress.Routing"],
        ["Egress.Routing"] = ["Egress.Admission", "Egress.Bodies", "Egress.Recipients"],
        ["Egress.Recipients"] = ["Egress.Bodies"],
        ["Outbox"] = ["Outbox.Handover", "Outbox.Intake", "Outbox.Messages", "Outbox.Status", "Outbox.Worker"],
        ["Outbox.Handover"] = ["Outbox.Intake", "Outbox.Messages", "Outbox.Worker"],
        ["Outbox.Intake"] = ["Outbox.Messages"],
        ["Outbox.Status"] = ["Outbox.Messages"],
        ["Outbox.Worker"] = ["Outbox.Messages"],
        ["Queueing.Redis"] = ["Queueing", "Queueing.Redis.Shards", "Queueing.Sealed"],
        ["Queueing.Redis.Shards"] = ["Queueing"],
        ["Queueing.Sealed"] = ["Queueing"],
        ["Queueing.Sqlite"] = ["Queueing", "Queueing.Sealed"],
        ["Secrets.Sealing"] = ["Secrets"],
        ["Sending"] = ["Sending.Attempts", "Sending.Idempotency", "Sending.RateLimiting", "Sending.RateLimiting.Priorities", "Sending.Responses"],
        ["Sending.Attempts"] = ["Sending.RateLimiting", "Sending.Responses"],
        ["Sending.Idempotency"] = ["Sending.Attempts", "Sending.Responses"],
        ["Sending.RateLimiting"] =
        [
            "Sending.RateLimiting.Clocks", "Sending.RateLimiting.Concurrency", "Sending.RateLimiting.Feedback", "Sending.RateLimiting.Priorities",
            "Sending.RateLimiting.Quotas", "Sending.RateLimiting.Rates",
        ],
        ["Sending.RateLimiting.Concurrency"] = ["Sending.RateLimiting.Clocks", "Sending.RateLimiting.Feedback", "Sending.RateLimiting.Priorities"],
        ["Sending.RateLimiting.Quotas"] = ["Sending.RateLimiting.Priorities"],
        ["Sending.RateLimiting.Feedback"] = ["Sending.RateLimiting.Clocks"],
        ["Sending.RateLimiting.Priorities"] = ["Sending.RateLimiting.Clocks"],
        ["Sending.RateLimiting.Rates"] = ["Sending.RateLimiting.Clocks", "Sending.RateLimiting.Feedback", "Sending.RateLimiting.Priorities"],
        ["Upstreams"] = ["Upstreams.Connections", "Upstreams.Credentials", "Upstreams.Responses"],
    };

    /// <summary>Arrows that go the wrong way today: a row is deleted with the arrow, and none is added.</summary>
    public static readonly IReadOnlyList<string> Known =
    [
        "Sending.Attempts -> Sending",
        "Sending.Attempts -> Sending.Idempotency",
        "Sending.Idempotency -> Sending",
        "Sending.RateLimiting -> Sending",
        "Sending.RateLimiting.Concurrency -> Sending.RateLimiting",
        "Sending.RateLimiting.Feedback -> Sending.RateLimiting",
        "Sending.RateLimiting.Priorities -> Sending.RateLimiting",
        "Sending.RateLimiting.Quotas -> Sending.RateLimiting",
        "Sending.RateLimiting.Rates -> Sending.RateLimiting",
    ];

    private static readonly Dictionary<short, OpCode> OpCodesByValue = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => (OpCode)f.GetValue(null)!).ToDictionary(o => o.Value);

    /// <returns>Each arrow that is not declared, once, as <c>Sending.Attempts -> Sending (Exchange uses SendPlan)</c>.</returns>
    public static IEnumerable<string> Undeclared(IEnumerable<Type> types, IReadOnlyDictionary<string, string[]> declared) =>
        from arrow in Arrows(types)
        where !declared.GetValueOrDefault(arrow.From, []).Contains(arrow.To)
        select $"{arrow.From} -> {arrow.To} ({arrow.Example})";

    /// <returns>Pairs of sub-rooms that use each other by what is declared, directly or through others.</returns>
    public static IEnumerable<string> Circles(IReadOnlyDictionary<string, string[]> declared)
    {
        bool Reaches(string from, string to, HashSet<string> seen) =>
            seen.Add(from) && declared.GetValueOrDefault(from, []).Any(n => n == to || Reaches(n, to, seen));

        return declared.Keys.Where(room => Reaches(room, room, [])).Select(room => $"{room} is declared to use itself by way of others");
    }

    private static IEnumerable<(string From, string To, string Example)> Arrows(IEnumerable<Type> types) =>
        from type in types
        let room = RoomOf(type)
        where room is not null
        from used in Used(type)
        let other = RoomOf(used)
        where other is not null && other != room && Top(other) == Top(room)
        group $"{Outer(type).Name} uses {Outer(used).Name}" by (room, other) into arrow
        select (arrow.Key.room, arrow.Key.other, arrow.Order(StringComparer.Ordinal).First());

    /// <returns>The namespace below SendProxy; null for what is not in a room.</returns>
    private static string? RoomOf(Type type) =>
        type.Namespace is { } name && name.StartsWith("SendProxy.", StringComparison.Ordinal) ? name["SendProxy.".Length..] : null;

    private static string Top(string room) => room.Split('.')[0];

    private static Type Outer(Type type) => type.DeclaringType is { } outer ? Outer(outer) : type;

    private static HashSet<Type> Used(Type type)
    {
        const BindingFlags all = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        var used = new HashSet<Type>();
        Add(used, type.BaseType);
        foreach (var implemented in type.GetInterfaces())
        {
            Add(used, implemented);
        }

        foreach (var field in type.GetFields(all))
        {
            Add(used, field.FieldType);
        }

        foreach (var method in type.GetMethods(all).Cast<MethodBase>().Concat(type.GetConstructors(all)))
        {
            Add(used, (method as MethodInfo)?.ReturnType);
            foreach (var parameter in method.GetParameters())
            {
                Add(used, parameter.ParameterType);
            }

            AddBody(used, method);
        }

        return used;
    }

    private static void AddBody(HashSet<Type> used, MethodBase method)
    {
        if (method.GetMethodBody() is not { } body)
        {
            return;
        }

        foreach (var local in body.LocalVariables)
        {
            Add(used, local.LocalType);
        }

        var arguments = method is ConstructorInfo ? null : method.GetGenericArguments();
        foreach (var token in Tokens(body.GetILAsByteArray()!))
        {
            var member = method.Module.ResolveMember(token, method.DeclaringType!.GetGenericArguments(), arguments);
            Add(used, member as Type ?? member?.DeclaringType);
            foreach (var argument in member is MethodInfo { IsGenericMethod: true } generic ? generic.GetGenericArguments() : [])
            {
                Add(used, argument);
            }
        }
    }

    /// <returns>The metadata tokens of types, methods and fields in a method's code.</returns>
    private static IEnumerable<int> Tokens(byte[] code)
    {
        for (var i = 0; i < code.Length;)
        {
            var value = code[i] == 0xFE ? (short)(0xFE00 | code[i + 1]) : code[i];
            i += code[i] == 0xFE ? 2 : 1;
            switch (OpCodesByValue[value].OperandType)
            {
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType:
                    yield return BitConverter.ToInt32(code, i);
                    i += 4;
                    break;
                case OperandType.InlineSwitch:
                    i += 4 + (4 * BitConverter.ToInt32(code, i));
                    break;
                case OperandType.InlineNone:
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    i += 1;
                    break;
                case OperandType.InlineVar:
                    i += 2;
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    i += 8;
                    break;
                default:
                    i += 4;
                    break;
            }
        }
    }

    private static void Add(HashSet<Type> used, Type? type)
    {
        if (type is null || (type.IsGenericParameter && !used.Add(type)))
        {
            return;
        }

        if (type.HasElementType)
        {
            Add(used, type.GetElementType());
            return;
        }

        used.Add(type.IsGenericType ? type.GetGenericTypeDefinition() : type);
        foreach (var argument in type.GenericTypeArguments)
        {
            Add(used, argument);
        }
    }
}
