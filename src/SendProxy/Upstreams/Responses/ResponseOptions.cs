using SendProxy.Configuration;

namespace SendProxy.Upstreams.Responses;

/// <summary>Section <c>responses</c>.</summary>
/// <param name="MaxHeadSize">Of what the vendor may send; in bytes.</param>
/// <param name="MaxHeaders">Header lines of a response that go to the caller.</param>
/// <param name="MaxHeadersSize">Bytes of them.</param>
internal sealed record ResponseOptions(long MaxHeadSize, int MaxHeaders, long MaxHeadersSize)
{
    public static ResponseOptions Read(SettingsReader responses) => new(
        MaxHeadSize: responses.Size("maxHeadSize", "256KiB", "8KiB", "4MiB", "Largest head of a response that is read; a larger one is told as upstream_broken."),
        MaxHeaders: (int)responses.Integer("maxHeaders", 70, 10, 1000,
            "Most header lines of the vendor's that are passed on; what goes beyond is dropped and told. Python's http.client reads 100 with the proxy's own."),
        MaxHeadersSize: responses.Size("maxHeadersSize", "12KiB", "1KiB", "1MiB",
            "Most bytes of the vendor's headers that are passed on; what goes beyond is dropped and told. Node.js reads 16KiB with the proxy's own."));
}
