"""Checks and encodes the options of a query. No network code."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
from typing_extensions import TypedDict

from bigtrace._proto import bigtrace_pb2, perfetto_pb2
from bigtrace.columns import InvalidUtf8, Typing, typing_of
from bigtrace.errors import InvalidArgumentError
from bigtrace.progress import ProgressOption

#: Maximum number of addresses in one message.
_ADDRESSES_A_MESSAGE = 1000
_PROGRESS_INTERVAL_MS = 200

#: Addresses that differ from their canonical form: absolute paths, `//`, `.` and `..`, URLs and escapes. A client of
#: Perfetto's API expects results under the name that it sent.
_HAS_OTHER_NAME = re.compile(rb"^/local/.*(//|/\.\.?(/|$)|/$)|^/local//|^/https?/|^/gcs/.*%", re.DOTALL)


@dataclass(frozen=True)
class Limits:
    """Bounds of one query. 0 means the service's own bound, which a query cannot exceed.

    Attributes:
        result_rows: rows of one trace.
        result_bytes: bytes of the rows of one trace.
        trace_bytes: size of one trace, in bytes.
        memory_bytes: memory of one TraceProcessor instance, in bytes.
    """

    result_rows: int = 0
    result_bytes: int = 0
    trace_bytes: int = 0
    memory_bytes: int = 0


class QueryOptions(TypedDict, total=False):
    """Keyword arguments of every method that runs a query.

    Attributes:
        where: an expression over the catalog table `bigtrace.traces`; the traces for which it is true are added to
            `traces`, which may then be empty or None.
        lenient: report failed traces instead of ending the query with the first one. Default: False.
        limits: bounds of the query.
        timeout: time limit of the query, in seconds. Default: the orchestrator's.
        retries: how many times a query is sent again while the orchestrator or its workers cannot be reached.
            Default: 3. No row is returned twice: a stream is retried only before its first row.
        progress: True: draw a bar (needs tqdm); False: none; a function: it receives a `Progress` about five times
            a second. Default: a bar on a terminal and in a notebook, if tqdm is installed.
        schema: types of columns by name (`pyarrow.int64()`, `float64()`, `string()`, `binary()`), or a
            `pyarrow.Schema`, instead of those that column finding determines.
        invalid_utf8: how to return text that is not UTF-8: 'error' (the default), 'replace' (U+FFFD), or 'bytes'
            (all text as bytes).
        user: the user of the query, for fairness and logs. Default: from the certificate or the address.
        query_id: the id of the query in logs and for `cancel`. Default: a random one.
    """

    where: str | Iterable[str] | None
    lenient: bool
    limits: Limits | None
    timeout: float | None
    retries: int
    progress: ProgressOption
    schema: pa.Schema | Mapping[str, pa.DataType] | None
    invalid_utf8: InvalidUtf8
    user: str
    query_id: str | None


Address = str | bytes | os.PathLike[str]
Traces = Address | Iterable[Address] | None


@dataclass(frozen=True)
class Request:
    """A query, which may be sent several times."""

    addresses: tuple[bytes, ...]
    sql: bytes
    query_id: str
    lenient: bool
    limits: Limits
    timeout: float | None
    retries: int
    progress: ProgressOption
    schema: pa.Schema | None
    typing: Typing
    user: str

    @property
    def plain(self) -> bool:
        """Whether Perfetto's own service can run it: it is strict and without bounds."""
        return not self.lenient and self.limits == Limits() and self.timeout is None and self.user == ""

    @property
    def has_aliases(self) -> bool:
        return any(_HAS_OTHER_NAME.search(address) for address in self.addresses)

    def messages(self, progress: bool) -> Iterator[bigtrace_pb2.QueryRequest]:
        """Returns the messages of one call of bigtrace.v1.Orchestrator.Query."""
        yield bigtrace_pb2.QueryRequest(
            start=bigtrace_pb2.QueryStart(
                query_id=self.query_id,
                sql=self.sql,
                on_failure=bigtrace_pb2.LENIENT if self.lenient else bigtrace_pb2.STRICT,
                limits=self._limits(),
                user=self.user,
                progress_interval_ms=_PROGRESS_INTERVAL_MS if progress else 0,
            )
        )
        for start in range(0, len(self.addresses), _ADDRESSES_A_MESSAGE):
            some = self.addresses[start : start + _ADDRESSES_A_MESSAGE]
            yield bigtrace_pb2.QueryRequest(traces=bigtrace_pb2.Traces(address=some))

    def schema_request(self) -> bigtrace_pb2.SchemaRequest:
        return bigtrace_pb2.SchemaRequest(
            query_id=self.query_id,
            sql=self.sql,
            address=self.addresses,
            user=self.user,
            limits=self._limits(),
            on_failure=bigtrace_pb2.LENIENT if self.lenient else bigtrace_pb2.STRICT,
        )

    def upstream_args(self) -> perfetto_pb2.BigtraceQueryArgs:
        """Returns the request of Perfetto's own service."""
        return perfetto_pb2.BigtraceQueryArgs(traces=self.addresses, sql_query=self.sql)

    def _limits(self) -> bigtrace_pb2.Limits:
        return bigtrace_pb2.Limits(
            timeout_ms=0 if self.timeout is None else max(1, round(self.timeout * 1000)),
            result_rows_max=self.limits.result_rows,
            result_bytes_max=self.limits.result_bytes,
            trace_bytes_max=self.limits.trace_bytes,
            memory_bytes_max=self.limits.memory_bytes,
        )


def request_of(traces: Traces, sql: str | bytes, options: QueryOptions) -> Request:
    """Checks the options.

    Raises:
        InvalidArgumentError: no traces, no SQL, or an option that is not what it must be.
    """
    unknown = sorted(set(options) - set(QueryOptions.__annotations__))
    if unknown:
        raise TypeError(f"unknown options: {', '.join(unknown)}")
    addresses = (*addresses_of(traces), *_where(options.get("where")))
    if not addresses:
        raise InvalidArgumentError("Trace list cannot be empty", code="no_traces")
    if not sql:
        raise InvalidArgumentError("SQL query cannot be empty", code="no_sql")
    timeout = options.get("timeout")
    if timeout is not None and not 0 < timeout < 2**32 / 1000:
        raise InvalidArgumentError(
            f"timeout={timeout!r} must be > 0 and < {2**32 // 1000} seconds", code="invalid_option"
        )
    schema = options.get("schema")
    return Request(
        addresses=addresses,
        sql=sql if isinstance(sql, bytes) else sql.encode("utf-8", "surrogateescape"),
        query_id=options.get("query_id") or uuid.uuid4().hex,
        lenient=options.get("lenient", False),
        limits=options.get("limits") or Limits(),
        timeout=timeout,
        retries=options.get("retries", 3),
        progress=options.get("progress"),
        schema=schema if isinstance(schema, pa.Schema) else None,
        typing=typing_of(schema, options.get("invalid_utf8", "error")),
        user=options.get("user", ""),
    )


def addresses_of(traces: Traces) -> tuple[bytes, ...]:
    """Returns the bytes of one or several addresses or patterns."""
    if traces is None:
        return ()
    if isinstance(traces, (str, bytes, os.PathLike)):
        return (os.fsencode(traces),)
    return tuple(os.fsencode(address) for address in traces)


def _where(where: str | Iterable[str] | None) -> tuple[bytes, ...]:
    """Returns the address `/where/EXPRESSION`; several expressions must all be true."""
    if where is None:
        return ()
    expressions = [where] if isinstance(where, str) else list(where)
    if not expressions or not all(expressions):
        raise InvalidArgumentError("where is empty", code="invalid_filter")
    path = expressions[0] if len(expressions) == 1 else f"/{json.dumps(expressions)}"
    return (f"/where/{path}".encode("utf-8", "surrogateescape"),)


def summary_script(spec: str) -> str:
    """Returns the script that computes a TraceSummarySpec in textproto."""
    return f"SUMMARIZE TRACE {spec}"
