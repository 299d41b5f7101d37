import clickhouse_connect
from questions import ASK, HOST, HTTP_PORT, PASSWORD, USER, cancelled, error_of, plain, report


def connect():
    return clickhouse_connect.get_client(
        host=HOST, port=HTTP_PORT, username=USER, password=PASSWORD, database="bigtrace", autogenerate_session_id=False
    )


client = connect()
described = client.query(ASK["describe"]).result_rows
values = client.query(ASK["values"], query_formats={"String": "bytes"}).result_rows[0]
with client.query_row_block_stream(ASK["stream"]) as blocks:
    numbers = [row[0] for block in blocks for row in block]
report(
    describe=[list(row[:2]) for row in described],
    aggregate=plain(client.query(ASK["aggregate"]).result_rows[0][0]),
    join=plain(client.query(ASK["join"]).result_rows[0][0]),
    error=error_of(lambda: client.query(ASK["error"])),
    bind=plain(client.query(ASK["bind"]["sql"], parameters=ASK["bind"]["parameters"]).result_rows[0][0]),
    values=[plain(value) for value in values],
    stream=[str(len(numbers)), str(sum(numbers))],
    cancel=cancelled(
        lambda: connect().query(ASK["endless"], settings={"query_id": "matrix-connect"}),
        lambda: client.query(ASK["running"]).result_rows[0][0],
        lambda: client.command("KILL QUERY WHERE query_id = 'matrix-connect'"),
    ),
)
