import ibis
from questions import ASK, HOST, HTTP_PORT, PASSWORD, USER, cancelled, error_of, plain, report


def connect():
    return ibis.clickhouse.connect(host=HOST, port=HTTP_PORT, user=USER, password=PASSWORD, database="bigtrace")


client = connect()


def rows(sql, **options):
    return connect().con.query(sql, **options).result_rows


def table(sql, **schema):
    """A table expression: without `schema`, ibis asks ClickHouse for the columns, and so runs the script twice."""
    return client.sql(sql, schema=ibis.schema(schema))


def killed():
    rows("KILL QUERY WHERE startsWith(query, 'SELECT x') AND position(query, 'matrix-ibis') > 0")


numbers = table(ASK["stream"], x="int64")
count, total = 0, 0
for batch in numbers.to_pyarrow_batches(chunk_size=65536):
    count += batch.num_rows
    total += sum(batch.column(0).to_pylist())
values = table(ASK["values_hex"], lowest="int64", highest="int64", absent="string", raw="string", broken="string")
parameters = {name: str(value) for name, value in ASK["bind"]["parameters"].items()}
report(
    describe=[list(row[:2]) for row in rows(ASK["describe"])],
    aggregate=plain(table(ASK["rows"], dur="int64").count().execute()),
    join=plain(rows(ASK["join"])[0][0]),
    error=error_of(lambda: table(ASK["error"], nix="int64").execute()),
    bind=plain(rows(ASK["bind"]["sql"], parameters=parameters)[0][0]),
    values=[plain(value) for value in values.to_pyarrow().to_pylist()[0].values()],
    stream=[str(count), str(total)],
    cancel=cancelled(lambda: rows(f"{ASK['endless']} -- matrix-ibis"), lambda: rows(ASK["running"])[0][0], killed),
)
