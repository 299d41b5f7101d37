"""Jinja functions that make ClickHouse SQL out of what people chose. Whatever they are given, it stays a value."""

from collections.abc import Callable, Iterable
from datetime import datetime

# Columns of bigtrace.traces: a filter on one of them chooses traces before any of them is opened.
TRACE_COLUMNS = (
    "address",
    "store",
    "format",
    "system_name",
    "os_release",
    "arch",
    "device",
    "android_build",
    "android_sdk",
    "chrome_version",
    "session_name",
)


def sql_string(text: object) -> str:
    """A string literal of ClickHouse. Superset doubles no percent signs here: the SQL is not a format."""
    return "'" + str(text).replace("\\", "\\\\").replace("'", "\\'") + "'"


def sql_array(texts: Iterable[object] | str) -> str:
    """An array of string literals, as bigtrace(traces = …) wants; one string is an array of one."""
    return "[" + ", ".join(sql_string(text) for text in ([texts] if isinstance(texts, str) else texts)) + "]"


def chosen_traces(
    filter_values: Callable[[str], list[object]],
    from_dttm: datetime | None = None,
    to_dttm: datetime | None = None,
) -> str:
    """
    The literal for bigtrace_where(filter = …): the traces that load and that the filters can select.

    Only narrows: Superset puts the same filters around the dataset, and those decide. So a column whose
    values are no plain strings (NULL among them) is left to them.
    """
    conditions = ["error_code = ''"]
    for column in TRACE_COLUMNS:
        values = filter_values(column)
        if values and all(isinstance(value, str) and not is_null_mark(value) for value in values):
            conditions.append(f"{column} IN ({', '.join(sql_string(value) for value in values)})")
    if from_dttm is not None:
        conditions.append(f"start_time >= {time(from_dttm)}")
    if to_dttm is not None:
        conditions.append(f"start_time < {time(to_dttm)}")
    return sql_string(" AND ".join(conditions))


def is_null_mark(value: object) -> bool:
    """Superset's spellings of NULL and of the empty string in filters."""
    return value in ("<NULL>", "<empty string>")


def time(moment: datetime) -> str:
    return f"toDateTime64({sql_string(moment.isoformat(sep=' ', timespec='microseconds'))}, 6, 'UTC')"


def link_maker(base: str) -> Callable[[str], str]:
    """
    trace_link('t.address'): an expression, a link that opens the trace in Perfetto's UI, which fetches it from
    `base`/trace/<address in base64url>/<name>. The argument is SQL of the dataset's author.
    """
    start = sql_string(f'<a href="https://ui.perfetto.dev/#!/?url={base.rstrip("/")}/trace/')

    def trace_link(address: str) -> str:
        name = f"arrayElement(splitByChar('/', {address}), -1)"
        return (
            f"concat({start}, base64URLEncode({address}), '/', encodeURLComponent({name}), "
            f"""'" target="_blank" rel="noopener">', encodeXMLComponent({name}), '</a>')"""
        )

    return trace_link
