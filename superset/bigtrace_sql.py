"""Jinja functions that make ClickHouse SQL out of what people chose. Whatever they are given, it stays a value."""

from collections.abc import Callable, Iterable
from datetime import datetime, timezone

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


LOADS = "error_code = ''"


def sql_string(text: object) -> str:
    """A string literal of ClickHouse. Superset doubles no percent signs here: the SQL is not a format."""
    return "'" + str(text).replace("\\", "\\\\").replace("'", "\\'") + "'"


def sql_array(texts: Iterable[object] | str) -> str:
    """An array of string literals, as bigtrace(traces = …) wants; one string is an array of one."""
    return "[" + ", ".join(sql_string(text) for text in ([texts] if isinstance(texts, str) else texts)) + "]"


def chosen_traces(
    filter_values: Callable[..., list[object]],
    from_dttm: datetime | str | None = None,
    to_dttm: datetime | str | None = None,
) -> str:
    """The literal for bigtrace_where(filter = …): the traces that load and that the filters can select."""
    return sql_string(chosen_condition(filter_values, from_dttm, to_dttm))


def chosen_condition(
    filter_values: Callable[..., list[object]],
    from_dttm: datetime | str | None = None,
    to_dttm: datetime | str | None = None,
) -> str:
    """
    An expression over bigtrace.traces: the traces that load and that the filters can select.

    Only narrows: Superset puts the same filters around the dataset, and those decide. So a column whose
    values are no plain strings (NULL among them) is left to them, and if the filters select no trace, the smallest
    trace stands in, whose rows they remove: a chart then shows "No data" instead of an error.
    """
    conditions = []
    for column in TRACE_COLUMNS:
        values = filter_values(column)
        if values and all(isinstance(value, str) and not is_null_mark(value) for value in values):
            conditions.append(f"{column} IN ({', '.join(sql_string(value) for value in values)})")
    if from_dttm:
        conditions.append(f"start_time >= {time(from_dttm)}")
    if to_dttm:
        conditions.append(f"start_time < {time(to_dttm)}")
    if not conditions:
        return LOADS
    chosen = " AND ".join(conditions)
    loading = f"bigtrace.traces WHERE vanished_at IS NULL AND {LOADS}"
    smallest = f"address = (SELECT argMin(address, size) FROM {loading})"
    return f"{LOADS} AND ({chosen} OR ({smallest} AND (SELECT count() FROM {loading} AND {chosen}) = 0))"


def slices_named(names: list[object]) -> str:
    """The literal of a script: the durations of the slices with these names, or of all. Marks are left to Superset."""
    if any(is_null_mark(name) for name in names):
        names = []
    quoted = ", ".join("'" + str(name).replace("'", "''") + "'" for name in names)
    condition = f" AND name IN ({quoted})" if names else ""
    return sql_string(f"SELECT name, dur FROM slice WHERE dur > 0 AND name IS NOT NULL{condition}")


# What traces can be compared by: columns of bigtrace.traces, the day of the recording, and short metadata of the trace.
COMPARED_COLUMNS = ("address", *TRACE_COLUMNS[2:])
METADATA_BYTES_MAX = 100


def trace_properties() -> str:
    """A map of what a row of bigtrace.traces says: names of properties, and their values that are not empty."""
    columns = ", ".join(f"'{column}', toString(ifNull({column}, ''))" for column in COMPARED_COLUMNS)
    day = "'day of recording', ifNull(toString(toDate(start_time)), '')"
    own = f"mapFilter((name, value) -> value != '', map({columns}, {day}))"
    short = f"mapFilter((name, value) -> value != '' AND length(value) <= {METADATA_BYTES_MAX}, metadata)"
    renamed = "mapApply((name, value) -> (concat('metadata: ', name), value), CAST(%s, 'Map(String, String)'))"
    return f"mapConcat({own}, {renamed % short})"


def compared(
    filter_values: Callable[..., list[object]],
    from_dttm: datetime | str | None = None,
    to_dttm: datetime | str | None = None,
) -> str:
    """
    An expression over bigtrace.traces: on which side of a comparison a trace is, 'before', 'after', or neither ('').

    The filters compare_by, before and after of a dashboard choose a property and its values. Without them, the median of
    the times of recording separates the chosen traces; without one of the values, all others are on its side.
    """
    by, before, after = ([str(value) for value in filter_values(name, remove_filter=True)] for name in COMPARED)
    loading = f"bigtrace.traces WHERE vanished_at IS NULL AND {chosen_condition(filter_values, from_dttm, to_dttm)}"
    if not by:
        median = f"(SELECT quantileExact(0.5)(toUnixTimestamp64Nano(start_time)) FROM {loading} AND start_time IS NOT NULL)"
        return f"multiIf(start_time IS NULL, '', toUnixTimestamp64Nano(start_time) < {median}, 'before', 'after')"
    value = f"{trace_properties()}[{sql_string(by[0])}]"
    latest = f"[(SELECT argMax({value}, start_time) FROM {loading} AND {value} != '')]"
    is_before = f"has({sql_array(before)}, {value})" if before else "1"
    is_after = f"has({sql_array(after) if after else latest}, {value})" if after or not before else "1"
    order = [("before", is_before), ("after", is_after)]
    # What is named comes first: the other side has the rest.
    conditions = ", ".join(f"{condition}, '{side}'" for side, condition in sorted(order, key=lambda one: one[1] == "1"))
    return f"multiIf({value} = '', '', {conditions}, '')"


COMPARED = ("compare_by", "before", "after")


def is_null_mark(value: object) -> bool:
    """Superset's spellings of NULL and of the empty string in filters."""
    return value in ("<NULL>", "<empty string>")


def time(given: datetime | str) -> str:
    """A time in UTC. Superset hands it over as datetime or, since 6.1, as ISO 8601 text; both without a zone."""
    moment = datetime.fromisoformat(given) if isinstance(given, str) else given
    if moment.tzinfo is not None:
        moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return f"toDateTime64({sql_string(moment.isoformat(sep=' ', timespec='microseconds'))}, 6, 'UTC')"


def link_maker(base: str) -> Callable[[str], str]:
    """
    trace_link('t.address'): an expression, a link to the page `base`/open/<address in base64url>, which opens the trace
    in Perfetto's UI. The argument is SQL of the dataset's author.
    """
    start = sql_string(f'<a href="{base.rstrip("/")}/open/')

    def trace_link(address: str) -> str:
        name = f"arrayElement(splitByChar('/', {address}), -1)"
        return (
            f"concat({start}, base64URLEncode({address}), "
            f"""'" target="_blank" rel="noopener">', encodeXMLComponent({name}), '</a>')"""
        )

    return trace_link
