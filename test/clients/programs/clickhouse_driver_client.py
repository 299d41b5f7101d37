from clickhouse_driver import Client
from questions import ASK, HOST, PASSWORD, TCP_PORT, USER, cancelled, error_of, plain, report


def connect(**settings):
    return Client(host=HOST, port=TCP_PORT, user=USER, password=PASSWORD, database="bigtrace", settings=settings)


client, other = connect(), connect()
numbers = [row[0] for row in client.execute_iter(ASK["stream"], settings={"max_block_size": 65536})]
report(
    describe=[list(row[:2]) for row in client.execute(ASK["describe"])],
    aggregate=plain(client.execute(ASK["aggregate"])[0][0]),
    join=plain(client.execute(ASK["join"])[0][0]),
    error=error_of(lambda: client.execute(ASK["error"])),
    bind=plain(client.execute(ASK["bind"]["percent"], ASK["bind"]["parameters"])[0][0]),
    values=[plain(value) for value in connect(strings_as_bytes=True).execute(ASK["values"])[0]],
    stream=[str(len(numbers)), str(sum(numbers))],
    cancel=cancelled(
        lambda: other.execute(ASK["endless"], query_id="matrix-driver"),
        lambda: client.execute(ASK["running"])[0][0],
        lambda: client.execute("KILL QUERY WHERE query_id = 'matrix-driver'"),
    ),
)
