using SendProxy.Secrets.Sealing;

namespace SendProxy.Tests.Secrets.Sealing;

public class SealContextTests
{
    private static readonly Guid Id = Guid.Parse("01900000-0000-7000-8000-000000000001");
    private static readonly SealContext Place = new("outbox", Id, "sms", SealPart.Body);

    /// <summary>Each differs in one field, by its content alone: no length says which.</summary>
    public static TheoryData<string> Others => ["queue", "id", "route", "part", "border"];

    [Theory]
    [MemberData(nameof(Others))]
    public void AssociatedData_OneFieldOfTheSameLengthDiffers_IsAnother(string field)
    {
        var other = field switch
        {
            "queue" => Place with { Queue = "inbox_" },
            "id" => Place with { Id = Guid.Parse("01900000-0000-7000-8000-000000000002") },
            "route" => Place with { Route = "mms" },
            "part" => Place with { Part = SealPart.Metadata },
            _ => Place with { Queue = "outboxs", Route = "ms" },
        };

        Assert.NotEqual(Place.ToAssociatedData(), other.ToAssociatedData());
    }

    [Fact]
    public void AssociatedData_IsPartIdAndEachTextAfterItsLength()
    {
        // What was sealed with one version must open with the next: the form is fixed.
        Assert.Equal(
            "01" + "01900000000070008000000000000001" + "00000006" + "6f7574626f78" + "00000003" + "736d73",
            Convert.ToHexStringLower(Place.ToAssociatedData()));
    }
}
