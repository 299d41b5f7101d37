from questions import ASK, HOST, HTTP_PORT, PASSWORD, USER, cancelled, error_of, plain, report
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import URL

url = URL.create("clickhousedb", USER, PASSWORD, HOST, HTTP_PORT, "bigtrace")
engine = create_engine(url, connect_args={"autogenerate_session_id": False})


def rows(sql, parameters=None):
    with engine.connect() as connection:
        return connection.execute(text(sql.replace(":", "\\:")), parameters or {}).fetchall()


def killed():
    rows("KILL QUERY WHERE startsWith(query, 'SELECT x') AND position(query, 'matrix-alchemy') > 0")


assert "help" in inspect(engine).get_table_names(schema="bigtrace")
with engine.connect() as connection:
    bound = connection.execute(text(ASK["bind"]["colon"]), ASK["bind"]["parameters"]).fetchall()
    numbers = [row[0] for row in connection.execute(text(ASK["stream"]))]
report(
    describe=[list(row[:2]) for row in rows(ASK["describe"])],
    aggregate=plain(rows(ASK["aggregate"])[0][0]),
    join=plain(rows(ASK["join"])[0][0]),
    error=error_of(lambda: rows(ASK["error"])),
    bind=plain(bound[0][0]),
    values=[plain(value) for value in rows(ASK["values_hex"])[0]],
    stream=[str(len(numbers)), str(sum(numbers))],
    cancel=cancelled(
        lambda: rows(f"{ASK['endless']} -- matrix-alchemy"), lambda: rows(ASK["running"])[0][0], killed
    ),
)
