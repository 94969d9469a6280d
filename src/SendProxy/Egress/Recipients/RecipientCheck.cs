using SendProxy.Egress.Bodies;
using SendProxy.Errors;

namespace SendProxy.Egress.Recipients;

/// <summary>Whether a route may send a message to those that its body names.</summary>
internal sealed class RecipientCheck(string route, RecipientOptions options, RecipientCounts counts, RecipientHash hash, RecipientMetrics metrics)
{
    // SendGrid's bound; a message to more is a list, and lists are sent in parts.
    private const int MaxInMessage = 1000;

    public RecipientCounts Counts => counts;

    /// <summary>Reads, checks and counts them, all or none.</summary>
    /// <returns>What was counted, or a refusal: 415, 422 or 429, nothing counted.</returns>
    public (RecipientReservation? Take, Refusal? Refusal) Take(HttpRequest request, ReadOnlyMemory<byte> body)
    {
        var (recipients, unreadable) = Read(request, body);
        if (unreadable is not null)
        {
            metrics.Refused(route, unreadable.Error == ProxyError.BodyTypeUnsupported ? "type" : "body");
            return (null, unreadable);
        }

        if (options.Allow.Count > 0 && recipients.Any(r => !Allowed(r)))
        {
            metrics.Refused(route, "not_allowed");
            return (null, Refusal.NotSent(ProxyError.RecipientNotAllowed, $"A recipient is not on recipients.allow of the route {route}."));
        }

        var counted = recipients.ConvertAll(r => new RecipientHashes(hash.Of(r.Text), hash.Of(r.Group)));
        if (counts.Take(counted, out var taken) is not { } used)
        {
            return (new RecipientReservation(counts, counted, taken), null);
        }

        metrics.Refused(route, used.Reason);
        return (null, Refusal.NotSent(ProxyError.RecipientLimited, $"recipients.{used.Setting} of the route {route} is used up.", used.Wait));
    }

    private (List<Recipient> Recipients, Refusal? Refusal) Read(HttpRequest request, ReadOnlyMemory<byte> body)
    {
        var (fields, refusal) = JsonBodyFields.Read(request.ContentType, request.Headers.ContentEncoding.ToString(), body);
        var recipients = new List<Recipient>();
        using (fields)
        {
            for (var i = 0; i < options.Fields.Count && refusal is null; i++)
            {
                (var texts, refusal) = fields!.Texts(options.Fields[i], required: i == 0);
                refusal ??= Add(recipients, texts, options.Fields[i].Text);
            }
        }

        return (recipients, refusal);
    }

    private static Refusal? Add(List<Recipient> recipients, IReadOnlyList<string> texts, string field)
    {
        if (recipients.Count + texts.Count > MaxInMessage)
        {
            return Refusal.NotSent(ProxyError.BodyInvalid, $"The message has more than {MaxInMessage} recipients; the field {field} exceeds them.");
        }

        foreach (var text in texts)
        {
            if (RecipientNormalizer.Normalise(text) is not { } recipient)
            {
                return Refusal.NotSent(ProxyError.BodyInvalid,
                    $"The field {field} must be one number with its country code (+49...) or one email address; letters, brackets and lists are none.");
            }

            recipients.Add(recipient);
        }

        return null;
    }

    private bool Allowed(Recipient recipient) =>
        options.Allow.Any(a => a[0] == '@' ? recipient.Group == a : recipient.Text.StartsWith(a, StringComparison.Ordinal));
}

/// <summary>What a message has taken of its route's bounds.</summary>
internal sealed class RecipientReservation(RecipientCounts counts, IReadOnlyList<RecipientHashes> recipients, TimeSpan taken)
{
    /// <summary>The first recipient as logs name it.</summary>
    public string Shown => RecipientHash.Shown(recipients[0].Recipient);

    public int Count => recipients.Count;

    public void GiveBack() => counts.GiveBack(recipients, taken);
}
