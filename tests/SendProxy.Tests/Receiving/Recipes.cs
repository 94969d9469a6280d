using System.Text;
using Microsoft.AspNetCore.Http;
using SendProxy.Configuration;
using SendProxy.Receiving;
using SendProxy.Secrets;

namespace SendProxy.Tests.Receiving;

/// <summary>A webhook as a vendor sent it, checked against the recipe of an embedded preset, as it stands in YAML.</summary>
internal sealed class Recipes
{
    private readonly HeaderDictionary _headers = [];
    private readonly SourceOptions _source;

    public Recipes(string preset, string publicUrl = "https://mycompany.com/myapp.php")
    {
        _source = Read($"{{ preset: {preset}, secrets: [{{ env: NONE }}], publicUrl: \"{publicUrl}\" }}");
    }

    public SourceOptions Source => _source;

    public DateTimeOffset Now { get; set; } = DateTimeOffset.FromUnixTimeSeconds(1614265330);

    public string Secret { get; set; } = "";

    public byte[] Body { get; set; } = [];

    public string Text
    {
        set => Body = Encoding.UTF8.GetBytes(value);
    }

    public string PublicUrl { get; set; } = "";

    public string Query { get; set; } = "";

    public bool IsForm { get; set; }

    public string? this[string header]
    {
        set
        {
            if (value is null)
            {
                _headers.Remove(header);
            }
            else
            {
                _headers[header] = value;
            }
        }
    }

    /// <summary>Reads a source as a configuration would have it.</summary>
    public static SourceOptions Read(string yaml)
    {
        var document = new SettingsDocument(_ => null);
        var place = new SettingsSource("test", Path.GetTempPath());
        var node = document.Parse(yaml, place)!;
        var source = SourceOptions.Read("test", new SettingsReader(document, "webhooks.sources.test", [new SettingsLayer(node, place)], "webhooks.sources.NAME"));
        document.RefuseUnknownKeys();
        return document.Errors.Count == 0 ? source : throw new SettingsException(document.Errors, document.Included);
    }

    public void Twice(string header, string first, string second) =>
        _headers[header] = new Microsoft.Extensions.Primitives.StringValues([first, second]);

    /// <returns><c>accepted</c> or the reason.</returns>
    public string Check()
    {
        var (head, rejection) = Verifier.CheckHead(_source.Recipe!, _headers, _source.Tolerance, Now);
        if (head is null)
        {
            return rejection.Word();
        }

        var key = SigningKey.Create(new Secret(Secret), _source.Recipe!.Key);
        var url = new SignedUrl(PublicUrl, Query, IsForm);
        return key is not null && Verifier.Matching(_source.Recipe, [key], head, Body, url) is not null
            ? "accepted"
            : Rejection.SignatureMismatch.Word();
    }
}
