using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace SendProxy.Load;

/// <summary>The bytes of a request, made once; of a webhook the id, the time and the signature are written into them anew for each.</summary>
internal sealed class Request
{
    private const int IdDigits = 16;
    private const string IdPrefix = "evt_";

    private readonly byte[] _bytes;
    private readonly byte[] _secret;
    private readonly byte[] _signed = [];
    private readonly int _signatureAt;
    private readonly int _headIdAt;
    private readonly int _bodyIdAt;
    private readonly int _bodyAt;
    private readonly TimeProvider _time;
    private long _id;

    public Request(LoadOptions options, TimeProvider time)
    {
        _time = time;
        _secret = options.Secret;
        _id = Random.Shared.NextInt64(1, 9_000_000) * 1_000_000_000;
        var body = _secret.Length > 0 ? Event(options.Body) : Message(options.Body);
        var stamp = time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var id = IdPrefix + new string('0', IdDigits);
        var signing = _secret.Length > 0
            ? $"webhook-id: {id}\r\nwebhook-timestamp: {stamp}\r\nwebhook-signature: v1,{Convert.ToBase64String(new byte[HMACSHA256.HashSizeInBytes])}\r\n"
            : "";
        var head = $"POST {options.Path} HTTP/1.1\r\nHost: {options.Host}\r\nContent-Type: application/json\r\n{signing}Content-Length: {body.Length}\r\n\r\n";
        _bytes = Encoding.ASCII.GetBytes(head + body);
        _bodyAt = head.Length;
        if (_secret.Length > 0)
        {
            _headIdAt = head.IndexOf(id, StringComparison.Ordinal) + IdPrefix.Length;
            _bodyIdAt = _bodyAt + body.IndexOf(id, StringComparison.Ordinal) + IdPrefix.Length;
            _signatureAt = head.IndexOf("v1,", StringComparison.Ordinal) + "v1,".Length;
            _signed = Encoding.ASCII.GetBytes($"{id}.{stamp}.{body}");
        }
    }

    /// <summary>The bytes of the next one; they hold until the next call.</summary>
    public ReadOnlySpan<byte> Next()
    {
        if (_secret.Length == 0)
        {
            return _bytes;
        }

        Span<byte> id = stackalloc byte[IdDigits];
        Utf8Formatter.TryFormat(++_id, id, out _, new('D', IdDigits));
        id.CopyTo(_bytes.AsSpan(_headIdAt));
        id.CopyTo(_bytes.AsSpan(_bodyIdAt));
        id.CopyTo(_signed.AsSpan(IdPrefix.Length));
        id.CopyTo(_signed.AsSpan(_signed.Length - (_bytes.Length - _bodyIdAt)));
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_secret, _signed, hash);
        Base64.EncodeToUtf8(hash, _bytes.AsSpan(_signatureAt), out _, out _);
        return _bytes;
    }

    private static string Message(int length) => Padded("""{"to":"+491701234567","from":"Shop","text":""" + '"', length);

    private string Event(int length) => Padded(
        $$"""{"id":"{{IdPrefix}}{{new string('0', IdDigits)}}","type":"message.delivered","created_at":"{{_time.GetUtcNow():O}}","data":{"message_id":"msg_1"},"text":""" + '"',
        length);

    private static string Padded(string begin, int length) => begin + new string('a', Math.Max(length - begin.Length - 2, 1)) + "\"}";
}
