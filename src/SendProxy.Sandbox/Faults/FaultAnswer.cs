using SendProxy.Sandbox.Answers;

namespace SendProxy.Sandbox.Faults;

/// <summary>The error that a fault answers with.</summary>
internal static class FaultAnswer
{
    // Ten years: longer than any client may believe.
    private const string AbsurdSeconds = "315360000";
    private const int UsualWaitMs = 1000;

    public static Answer Of(Fault fault, string requestId, DateTimeOffset now)
    {
        var error = fault.Error ?? ApiError.Internal;
        var answer = Answer.Of(error, requestId);
        var hint = fault.RetryAfter ?? fault.Kind.RetryAfter;
        var wait = fault.Length(UsualWaitMs);
        return hint switch
        {
            null when error.Status is 409 or 429 or 503 => answer with { RetryAfter = wait },
            null => answer,
            "absent" => answer with { HidesRetryAfter = true },
            "date" => answer with { RetryAfterText = RateHeaders.HttpDate(now + wait) },
            "past" => answer with { RetryAfterText = RateHeaders.HttpDate(now - TimeSpan.FromMinutes(1)) },
            "absurd" => answer with { RetryAfterText = AbsurdSeconds },
            "malformed" => answer with { RetryAfterText = "soon" },
            _ => answer with { RetryAfterText = hint },
        };
    }
}
