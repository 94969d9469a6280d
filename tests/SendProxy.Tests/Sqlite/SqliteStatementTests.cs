using CsCheck;
using Microsoft.Data.Sqlite;
using SendProxy.Sqlite;

namespace SendProxy.Tests.Sqlite;

public sealed class SqliteStatementTests : IDisposable
{
    private readonly SqliteConnection _connection = new("Data Source=:memory:");

    public SqliteStatementTests() => _connection.Open();

    public void Dispose() => _connection.Dispose();

    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.Const(""), Gen.String[Gen.Char['a', 'z'], 0, 600], Gen.String[Gen.Const("aß€\0").SelectMany(set => Gen.Int[0, 3].Select(i => set[i])), 0, 300],
        Gen.Int[0, 200].Select(n => string.Concat(Enumerable.Repeat("\U0001F600", n))));

    [Fact]
    public void Run_AnyValues_ComeBackAsTheyWere()
    {
        using var statement = new SqliteStatement(_connection.Handle!, "SELECT ?3, ?1, ?2, ?4");

        Gen.Select(Gen.Long, Texts, Gen.Byte.Array[0, 2000]).Sample((number, text, bytes) =>
        {
            statement.Bind([text, bytes, number, (string?)null]);
            using var rows = new SqliteRows(statement);

            Assert.True(rows.Read());
            Assert.Equal((number, text), (rows.Number(0), rows.Text(1)));
            Assert.Equal(bytes, rows.Bytes(2));
            Assert.Equal((false, false, false, true), (rows.IsNull(0), rows.IsNull(1), rows.IsNull(2), rows.IsNull(3)));
            Assert.Equal((null, null, null), (rows.NumberOrNull(3), rows.TextOrNull(3), rows.BytesOrNull(3)));
            Assert.False(rows.Read());
        }, iter: 1000, threads: 1);
    }

    [Fact]
    public void Run_AfterAFailure_WorksAgain()
    {
        _connection.Execute("CREATE TABLE n (n INTEGER PRIMARY KEY)");
        using var insert = new SqliteStatement(_connection.Handle!, "INSERT INTO n VALUES (?1)");
        insert.Bind([1]);
        Assert.False(insert.Step());
        insert.Reset();
        insert.Bind([1]);
        Assert.Equal(SQLitePCL.raw.SQLITE_CONSTRAINT, Assert.Throws<SqliteException>(() => insert.Step()).SqliteErrorCode);

        insert.Bind([2]);

        Assert.False(insert.Step());
    }

    [Fact]
    public void Prepare_NoSql_SaysSo() =>
        Assert.Contains("syntax error", Assert.Throws<SqliteException>(() => new SqliteStatement(_connection.Handle!, "SELEC 1")).Message, StringComparison.Ordinal);
}
