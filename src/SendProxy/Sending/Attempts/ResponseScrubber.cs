using SendProxy.Secrets;
using SendProxy.Sending.Responses;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Sending.Attempts;

/// <summary>Takes the credential of an attempt out of the response that it brought, and counts how often it stood there.</summary>
internal readonly struct ResponseScrubber(string upstream, Secret secret, SendingMetrics metrics)
{
    /// <summary>The head, and the trailers of a response that was read whole.</summary>
    public void ScrubHead(HttpResponseMessage response)
    {
        Count(Scrubber.ScrubHead(response, secret));
        if (ResponseReader.MayHaveTrailers(response))
        {
            ScrubTrailers(response);
        }
    }

    /// <summary>A body that was read whole.</summary>
    public void ScrubBody(byte[] body) => Count(Scrubber.Scrub(body, secret));

    /// <summary>A body that is passed on as it comes: it is scrubbed on its way, its trailers at its end, and its end is counted.</summary>
    public void ScrubStream(HttpResponseMessage response, TimeSpan idle, TimeProvider time)
    {
        var scrubber = this;
        response.Content = new StreamedContent(response.Content, body => scrubber.Through(body, response, idle, time));
    }

    private ResponseBodyStream Through(Stream body, HttpResponseMessage response, TimeSpan idle, TimeProvider time)
    {
        var scrubber = this;
        return new ResponseBodyStream(Scrubber.Through(body, secret, scrubber.Count), idle, time, end => scrubber.End(end, response));
    }

    private void End(ResponseBodyEnd end, HttpResponseMessage response)
    {
        metrics.Streamed(upstream, end);
        if (end == ResponseBodyEnd.Whole)
        {
            ScrubTrailers(response);
        }
    }

    private void ScrubTrailers(HttpResponseMessage response) => Count(Scrubber.ScrubHeaders(response.TrailingHeaders, secret));

    private void Count(int found)
    {
        if (found > 0)
        {
            metrics.Scrubbed(upstream, found);
        }
    }
}
