using System.Globalization;
using System.Text.Json;
using SendProxy.Sandbox.Faults;

namespace SendProxy.Sandbox.Control;

/// <summary>Rules for faults.</summary>
internal static class FaultControl
{
    public static void MapFaults(this ControlDoor door, FaultRules rules)
    {
        door.On("GET", "/sandbox/faults", _ => ControlAnswer.Ok(json => WriteRules(json, rules)));
        door.On("GET", "/sandbox/faults/kinds", _ => ControlAnswer.Ok(WriteKinds));
        door.On("POST", "/sandbox/faults", call => Add(call, rules));
        door.On("DELETE", "/sandbox/faults/*", call =>
            int.TryParse(call.Id, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && rules.Remove(id)
                ? ControlAnswer.Done
                : ControlAnswer.Problem(StatusCodes.Status404NotFound, "There is no rule of this id."));
        door.On("DELETE", "/sandbox/faults", _ =>
        {
            rules.Clear();
            return ControlAnswer.Done;
        });
    }

    private static ControlAnswer Add(ControlCall call, FaultRules rules)
    {
        var fault = Fault.Parse(call.Text("fault") ?? "", out var problem) ?? throw new ControlException(problem!);
        foreach (var name in (ReadOnlySpan<string>)["ms", "retry_after", "status"])
        {
            if (call.Text(name) is { } value)
            {
                fault = fault.With(name, value) ?? throw new ControlException($"'{name}' is out of bounds.");
            }
        }

        var share = Share(call);
        var rule = new FaultRule(fault)
        {
            // A share goes on; without one the next request alone meets the fault.
            Count = call.Integer("count", 1, int.MaxValue) ?? (share is null ? 1 : null),
            Share = share ?? 1,
            Skip = call.Integer("skip", 0, int.MaxValue) ?? 0,
            Path = call.Text("path"),
            Channel = call.Text("channel"),
        };
        try
        {
            var id = rules.Add(rule);
            return new ControlAnswer(StatusCodes.Status201Created, json => json.WriteNumber("id", id));
        }
        catch (InvalidOperationException full)
        {
            throw new ControlException(full.Message);
        }
    }

    private static double? Share(ControlCall call)
    {
        if (call.Member("share") is not { } value) { return null; }
        return value.ValueKind == JsonValueKind.Number && value.GetDouble() is > 0 and <= 1 and var share
            ? share
            : throw new ControlException("'share' must be a number above 0 and up to 1.");
    }

    private static void WriteRules(Utf8JsonWriter json, FaultRules rules)
    {
        json.WriteStartArray("rules");
        foreach (var (id, rule, met) in rules.Read())
        {
            json.WriteStartObject();
            json.WriteNumber("id", id);
            json.WriteString("fault", rule.Fault.Name);
            if (rule.Count is { } count) { json.WriteNumber("count", count); } else { json.WriteNull("count"); }
            json.WriteNumber("share", rule.Share);
            json.WriteNumber("skip", rule.Skip);
            json.WriteString("path", rule.Path);
            json.WriteString("channel", rule.Channel);
            json.WriteNumber("met", met);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteKinds(Utf8JsonWriter json)
    {
        json.WriteStartArray("kinds");
        foreach (var kind in FaultCatalog.All)
        {
            json.WriteStartObject();
            json.WriteString("name", kind.Name);
            json.WriteString("phone", kind.Phone);
            json.WriteString("address", kind.Address);
            json.WriteString("about", kind.About);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
