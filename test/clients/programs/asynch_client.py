import asyncio

from asynch import connect
from questions import ASK, HOST, PASSWORD, TCP_PORT, USER, cancelled, error_of, plain, report


def connection():
    return connect(host=HOST, port=TCP_PORT, user=USER, password=PASSWORD, database="bigtrace")


async def fetched(sql, parameters=None):
    async with connection() as connected, connected.cursor() as cursor:
        await cursor.execute(sql, parameters)
        return await cursor.fetchall()


async def streamed(sql):
    async with connection() as connected, connected.cursor() as cursor:
        cursor.set_stream_results(True, 65536)
        await cursor.execute(sql)
        return [row[0] async for row in cursor]


def ask(*arguments):
    return asyncio.run(fetched(*arguments))


def killed():
    ask("KILL QUERY WHERE startsWith(query, 'SELECT x') AND position(query, 'matrix-asynch') > 0")


numbers = asyncio.run(streamed(ASK["stream"]))
report(
    describe=[list(row[:2]) for row in ask(ASK["describe"])],
    aggregate=plain(ask(ASK["aggregate"])[0][0]),
    join=plain(ask(ASK["join"])[0][0]),
    error=error_of(lambda: ask(ASK["error"])),
    bind=plain(ask(ASK["bind"]["percent"], ASK["bind"]["parameters"])[0][0]),
    values=[plain(value) for value in ask(ASK["values_hex"])[0]],
    stream=[str(len(numbers)), str(sum(numbers))],
    cancel=cancelled(lambda: ask(f"{ASK['endless']} -- matrix-asynch"), lambda: ask(ASK["running"])[0][0], killed),
)
