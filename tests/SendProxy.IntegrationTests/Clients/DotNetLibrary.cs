using SendGrid;
using SendGrid.Helpers.Mail;
using SendGrid.Helpers.Reliability;
using Stripe;
using Twilio.Clients;
using Twilio.Rest.Api.V2010.Account;

namespace SendProxy.IntegrationTests.Clients;

/// <summary>One call with a vendor's own client library for .NET. SendGrid's retries are off as shipped; here they are on.</summary>
internal static class DotNetLibrary
{
    public const string Prefix = "dotnet-";

    private static readonly TimeSpan Quick = TimeSpan.FromMilliseconds(1);

    /// <returns>How the call ended, in one line.</returns>
    public static async Task<string> CallAsync(string client, Uri url, CancellationToken cancellation)
    {
        try
        {
            return await SendAsync(client, url, cancellation);
        }
        catch (Exception e) when (e is StripeException or Twilio.Exceptions.TwilioException or HttpRequestException or TimeoutException)
        {
            return $"error: {e.Message.Split('\n')[0]}";
        }
    }

    private static async Task<string> SendAsync(string client, Uri url, CancellationToken cancellation)
    {
        using var http = new HttpClient(new ToAddress(url));
        switch (client[Prefix.Length..])
        {
            case "sendgrid":
                var options = new SendGridClientOptions { ApiKey = "SG.none", Host = url.ToString().TrimEnd('/'), ReliabilitySettings = new ReliabilitySettings(2, Quick, Quick, Quick) };
                var mail = MailHelper.CreateSingleEmail(new EmailAddress("b@example.com"), new EmailAddress("a@example.com"), "Hello", "Hello", "Hello");
                var answer = await new SendGridClient(options).SendEmailAsync(mail, cancellation);
                return answer.IsSuccessStatusCode ? "success" : $"error: {answer.StatusCode}";
            case "twilio":
                var twilio = new TwilioRestClient($"AC{new string('0', 32)}", "none", httpClient: new Twilio.Http.SystemNetHttpClient(http));
                await MessageResource.CreateAsync(to: "+491701234567", from: "+491700000000", body: "Hello", client: twilio);
                return "success";
            case "stripe":
                var stripe = new StripeClient("sk_test_none", httpClient: new SystemNetHttpClient(http, maxNetworkRetries: 2, enableTelemetry: false), apiBase: url.ToString().TrimEnd('/'));
                await new CustomerService(stripe).CreateAsync(new CustomerCreateOptions { Name = "Jenny" }, cancellationToken: cancellation);
                return "success";
            default:
                throw new ArgumentException($"no library {client}", nameof(client));
        }
    }

    // Twilio's library knows no other address than the vendor's.
    private sealed class ToAddress(Uri url) : DelegatingHandler(new HttpClientHandler { AllowAutoRedirect = false })
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.RequestUri = new Uri(url, request.RequestUri!.PathAndQuery);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
