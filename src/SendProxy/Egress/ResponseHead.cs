using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using SendProxy.Sending.Responses;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Egress;

/// <summary>
/// Writes the head of an upstream's response for the caller: what may come back of it, made such that no HTTP server refuses to
/// write it and no common client refuses to read it, and how the response came about.
/// </summary>
internal static class ResponseHead
{
    private const int LongestReason = 128;
    private const int LargestNeeded = 1024;

    // Headers that callers act upon are passed on even where many others came before them.
    private static readonly HashSet<string> Needed = new(StringComparer.OrdinalIgnoreCase) { "Content-Type", "Location", "Retry-After", "WWW-Authenticate" };

    /// <summary>Status, reason and headers. The length of the body is written only where it is certain.</summary>
    /// <returns>False where the caller must get no body: by its method or by the status.</returns>
    public static bool Write(HttpContext context, EgressContext call, HttpResponseMessage from)
    {
        var response = context.Response;
        response.StatusCode = StatusOf(call, from);
        context.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = ReasonOf(call, from);
        CopyHeaders(call, from, response.Headers);
        BoundRetryAfter(call, from, response.Headers);
        call.Explain(response.Headers);
        var hasBody = true;
        if (response.StatusCode == StatusCodes.Status205ResetContent)
        {
            // RFC 9110, 15.3.6: a 205 has no content, and says so.
            (response.ContentLength, hasBody) = (0, false);
        }
        else if (ResponseReader.IsBodiless(call.Message!.Method, from))
        {
            // The length tells of the body that GET would bring. RFC 9110, 8.6: a 204 has none.
            response.ContentLength = response.StatusCode == StatusCodes.Status204NoContent ? null : ResponseFraming.Length(from);
            hasBody = false;
        }

        return hasBody;
    }

    /// <summary>Only what is certain to be accepted: for a response whose head the server refused.</summary>
    public static void WriteLeast(HttpContext context, EgressContext call, HttpResponseMessage from)
    {
        context.Response.Clear();
        context.Response.StatusCode = StatusOf(call, from);
        call.Change(ResponsePart.Whole);
        call.Explain(context.Response.Headers);
    }

    private static int StatusOf(EgressContext call, HttpResponseMessage from)
    {
        // Clients read 600 to 999 as failures of the server (RFC 9110, 15); below 200 no response is final.
        if ((int)from.StatusCode is >= 200 and < 1000 and var status)
        {
            return status;
        }

        call.Change(ResponsePart.Status);
        return StatusCodes.Status502BadGateway;
    }

    private static string? ReasonOf(EgressContext call, HttpResponseMessage from)
    {
        var reason = from.ReasonPhrase;
        if (reason is null || (reason.Length <= LongestReason && ResponseChanges.IsClean(reason)))
        {
            return reason;
        }

        call.Change(ResponsePart.Reason);
        return ResponseChanges.Clean(reason.Length <= LongestReason ? reason : reason[..LongestReason]);
    }

    private static void CopyHeaders(EgressContext call, HttpResponseMessage from, IHeaderDictionary to)
    {
        var bounds = call.Route!.Plan.Pipeline.Upstream.Options.Responses;
        var room = (Headers: bounds.MaxHeaders, Bytes: bounds.MaxHeadersSize);

        // Headers of the content come first: where there is no room for all, a body without its type would be worth less.
        Copy(from.Content.Headers.NonValidated, call, to, ref room);
        Copy(from.Headers.NonValidated, call, to, ref room);
    }

    // The limits themselves wait no longer than this. A client that obeyed a vendor's thirty years would never come again.
    private static void BoundRetryAfter(EgressContext call, HttpResponseMessage from, IHeaderDictionary to)
    {
        if (to.RetryAfter.Count == 0)
        {
            return;
        }

        var max = call.Route!.Plan.Pipeline.Upstream.Options.RateHeaders.MaxRetryAfter;
        var date = from.Headers.NonValidated.TryGetValues("Date", out var told) && RateHeaders.TryDate(told.ToString(), out var at) ? at : call.Began;
        foreach (var value in to.RetryAfter)
        {
            if (RateHeaders.BoundedRetryAfter(value!, date, max) is { } bounded)
            {
                to.RetryAfter = bounded;
                call.ChangeHeader("Retry-After");
                return;
            }
        }
    }

    private static void Copy(HttpHeadersNonValidated from, EgressContext call, IHeaderDictionary to, ref (int Headers, long Bytes) room)
    {
        const int separators = 4; // ": " and the end of the line
        foreach (var (name, values) in from)
        {
            if (!HeaderNames.ComesBack(name))
            {
                continue;
            }

            var value = values.Count == 1 ? new StringValues(Clean(values.ToString(), name, call)) : new StringValues([.. values.Select(v => Clean(v, name, call))]);
            var bytes = 0L;
            foreach (var one in value)
            {
                bytes += name.Length + one!.Length + separators;
            }

            if ((value.Count > room.Headers || bytes > room.Bytes) && !(Needed.Contains(name) && bytes <= LargestNeeded))
            {
                call.ChangeHeader(name);
                continue;
            }

            room = (room.Headers - value.Count, room.Bytes - bytes);
            to[name] = value;
        }
    }

    private static string Clean(string value, string name, EgressContext call)
    {
        if (ResponseChanges.IsClean(value))
        {
            return value;
        }

        call.ChangeHeader(name);
        return ResponseChanges.Clean(value);
    }
}
