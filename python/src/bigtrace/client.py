"""The synchronous client."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
import pyarrow as pa
from typing_extensions import Self, Unpack

from bigtrace._proto import bigtrace_pb2
from bigtrace.calls import (
    STATUS_SECONDS_MAX,
    ListedTrace,
    Status,
    deadline_of,
    is_unimplemented,
    listed,
    methods_of,
    needs_ours,
    recorded_failures_frame,
    status_of,
    warn_of_failures,
)
from bigtrace.cancellation import Cancellation
from bigtrace.connection import TLS, connection
from bigtrace.errors import BigtraceError, QueryCancelledError, from_rpc_error
from bigtrace.progress import Progress, Reporter
from bigtrace.request import QueryOptions, Request, Traces, addresses_of, request_of, summary_script
from bigtrace.response import BatchBuilder, Message, ResultBuilder, schema_of_options, schema_of_response
from bigtrace.result import Failure, Result, failures_frame

if TYPE_CHECKING:
    import pandas
    import polars


class Bigtrace:
    """A client of a Bigtrace orchestrator. Several threads may use it at once.

    >>> from bigtrace import Bigtrace
    >>> with Bigtrace("127.0.0.1:5051") as bigtrace:  # doctest: +SKIP
    ...     frame = bigtrace.query(["/local/**"], "SELECT count(*) AS slices FROM slice")

    Every method that runs a query takes the keyword arguments of `QueryOptions`, and raises `BigtraceError`:
    docs/clients/python.md lists its classes.
    """

    def __init__(
        self,
        orchestrator_address: str | None = None,
        wait_for_ready_for_testing: bool = False,
        *,
        tls: TLS | bool | str | os.PathLike[str] | None = None,
        token: str | None = None,
        token_file: str | os.PathLike[str] | None = None,
    ) -> None:
        """The client connects when it runs its first query.

        Args:
            orchestrator_address: `host:port`. Default: the environment variable BIGTRACE_ORCHESTRATOR, or
                BIGTRACE_ORCHESTRATOR_ADDRESS, or 127.0.0.1:5051.
            wait_for_ready_for_testing: wait until the orchestrator accepts connections, instead of failing.
            tls: True: TLS with the CA certificates of the system; a path: a PEM file of CA certificates; `TLS(…)`: with
                a client certificate; False: no TLS. Default: TLS if the environment variable BIGTRACE_TLS_CA is set;
                BIGTRACE_TLS_CERT, BIGTRACE_TLS_KEY and BIGTRACE_TLS_NAME complete it.
            token: bearer token to send.
            token_file: file with the token. Default: the environment variable BIGTRACE_TOKEN_FILE, or the token
                itself in BIGTRACE_TOKEN.
        """
        self._connection = connection(orchestrator_address, tls, token, token_file)
        credentials, options = self._connection.credentials(), self._connection.options()
        address = self._connection.address
        self._channel = (
            grpc.insecure_channel(address, options)
            if credentials is None
            else grpc.secure_channel(address, credentials, options)
        )
        self._methods = methods_of(self._channel)
        self._metadata = self._connection.metadata()
        self._wait_for_ready = wait_for_ready_for_testing
        self._only_upstream = False

    def __repr__(self) -> str:
        return f"Bigtrace({self._connection.address!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection; running queries are cancelled."""
        self._channel.close()

    def query(self, traces: Traces, sql_query: str, **options: Unpack[QueryOptions]) -> pandas.DataFrame:
        """Runs a script on each trace.

        Args:
            traces: trace addresses and patterns, such as `/local/app.pftrace` and `/gcs/bucket/o/**`.
            sql_query: PerfettoSQL; the rows of its last statement are the result.

        Returns:
            The rows of all traces, `_trace_address` first. Shape: (rows, 1 + columns of the script). If traces
            have different columns, a column that a trace lacks is NULL. `Result.to_pandas` documents the types.
        """
        return self._checked(traces, sql_query, options).to_pandas()

    def query_arrow(self, traces: Traces, sql_query: str, **options: Unpack[QueryOptions]) -> pa.Table:
        """As `query`; returns an Arrow table."""
        return self._checked(traces, sql_query, options).to_arrow()

    def query_polars(self, traces: Traces, sql_query: str, **options: Unpack[QueryOptions]) -> polars.DataFrame:
        """As `query`; returns a polars frame."""
        return self._checked(traces, sql_query, options).to_polars()

    def summary(self, traces: Traces, spec: str, **options: Unpack[QueryOptions]) -> pandas.DataFrame:
        """Computes Perfetto trace summaries.

        Args:
            traces: as of `query`.
            spec: a TraceSummarySpec as textproto, such as `metric_spec { id: "…" … }`.

        Returns:
            One row for each value of a metric: docs/own-sql.md lists the columns.
        """
        return self.query(traces, summary_script(spec), **options)

    def run(self, traces: Traces, sql_query: str, **options: Unpack[QueryOptions]) -> Result:
        """As `query`; returns the rows in any form, with the failures of a lenient query."""
        return self._run(request_of(traces, sql_query, options), Cancellation())

    def stream(self, traces: Traces, sql_query: str, **options: Unpack[QueryOptions]) -> BatchStream:
        """Runs a script on each trace, and yields rows as they arrive.

        The types of the columns are found first, by running the script on a few of the traces, unless `schema` is
        a `pyarrow.Schema`. Rows of different traces interleave; those of one trace keep their order. A slow
        reader slows the orchestrator down; the client holds a few messages in memory.

        Returns:
            An iterator over `pyarrow.RecordBatch`es of at most 65,536 rows. Closing it, or leaving its `with` block,
            cancels the rest of the query.
        """
        return self._stream(request_of(traces, sql_query, options), Cancellation())

    def list_traces(self, patterns: Traces, *, limit: int = 0) -> list[ListedTrace]:
        """Returns the traces that match patterns, sorted by address.

        Args:
            patterns: trace addresses and patterns.
            limit: maximum number of traces; 0: no limit.
        """
        request = bigtrace_pb2.ListRequest(pattern=addresses_of(patterns), limit=limit)
        try:
            responses = self._methods.list(request, **self._common(None))
            found = [trace for response in responses for trace in listed(response)]
        except grpc.RpcError as error:
            raise from_rpc_error(error, self._connection.address) from error
        return sorted(found, key=lambda trace: os.fsencode(trace.address))

    def failures(self, query_id: str = "") -> pandas.DataFrame:
        """Returns the recent failures that the orchestrator has recorded; with `query_id`, those of one query."""
        request = bigtrace_pb2.FailuresRequest(query_id=query_id)
        try:
            return recorded_failures_frame(self._methods.failures(request, **self._common(STATUS_SECONDS_MAX)))
        except grpc.RpcError as error:
            raise from_rpc_error(error, self._connection.address) from error

    def status(self) -> Status:
        """Returns the state of the orchestrator, with its workers and running queries."""
        try:
            return status_of(self._methods.status(bigtrace_pb2.StatusRequest(), **self._common(STATUS_SECONDS_MAX)))
        except grpc.RpcError as error:
            raise from_rpc_error(error, self._connection.address) from error

    def cancel(self, query_id: str) -> int:
        """Cancels the running queries with this id. Returns their number."""
        try:
            request = bigtrace_pb2.CancelRequest(query_id=query_id)
            return int(self._methods.cancel(request, **self._common(STATUS_SECONDS_MAX)).cancelled)
        except grpc.RpcError as error:
            raise from_rpc_error(error, self._connection.address) from error

    def _checked(self, traces: Traces, sql_query: str, options: QueryOptions) -> Result:
        result = self.run(traces, sql_query, **options)
        warn_of_failures(result)
        return result

    def _run(self, request: Request, cancellation: Cancellation) -> Result:
        reporter = Reporter(request.progress)
        attempt = 0
        try:
            while True:
                builder = ResultBuilder(request, reporter)
                try:
                    with closing(self._messages(request, reporter.wanted, cancellation, keep_names=True)) as messages:
                        for message in messages:
                            builder.feed(message)
                    return builder.end()
                except BigtraceError as error:
                    cancellation.pause(error, attempt, request.retries)
                attempt += 1
        finally:
            reporter.close()

    def _stream(self, request: Request, cancellation: Cancellation) -> BatchStream:
        return BatchStream(self, request, self._schema(request, cancellation), cancellation)

    def _messages(
        self, request: Request, progress: bool, cancellation: Cancellation, keep_names: bool
    ) -> Generator[Message, None, None]:
        """Yields the messages of one call; closing the generator cancels the call.

        `keep_names`: name traces as the caller did, as Perfetto's service does.
        """
        upstream = self._only_upstream or (keep_names and request.plain and request.has_aliases)
        if self._only_upstream and not request.plain:
            raise needs_ours(request, self._connection.address)
        common = self._common(deadline_of(request))
        call = (
            self._methods.upstream(request.upstream_args(), **common)
            if upstream
            else self._methods.query(request.messages(progress), **common)
        )
        try:
            with cancellation.of(call):
                yield from call
        except grpc.RpcError as error:
            if upstream or not is_unimplemented(error):
                raise from_rpc_error(error, self._connection.address, request.query_id) from error
        else:
            return
        finally:
            call.cancel()
        self._only_upstream = True
        yield from self._messages(request, progress, cancellation, keep_names)

    def _schema(self, request: Request, cancellation: Cancellation) -> pa.Schema | None:
        """Returns None if the orchestrator does not report types."""
        schema = schema_of_options(request)
        if schema is not None or self._only_upstream:
            return schema
        attempt = 0
        while True:
            try:
                call = self._methods.schema.future(request.schema_request(), **self._common(deadline_of(request)))
                with cancellation.of(call):
                    return schema_of_response(call.result(), request.typing)
            except grpc.FutureCancelledError:
                raise QueryCancelledError("the query was cancelled", code="cancelled") from None
            except grpc.RpcError as error:
                if is_unimplemented(error):
                    return None
                failed = from_rpc_error(error, self._connection.address, request.query_id)
                cancellation.pause(failed, attempt, request.retries)
            attempt += 1

    def _common(self, timeout: float | None) -> dict[str, object]:
        return {"metadata": self._metadata, "timeout": timeout, "wait_for_ready": self._wait_for_ready}


@dataclass
class _StreamState:
    """Separate from the stream, which holds the generator: an abandoned stream is then freed and cancelled at once."""

    request: Request
    reporter: Reporter
    builder: BatchBuilder


class BatchStream:
    """The rows of a query as Arrow record batches; see `Bigtrace.stream`. Use it in one thread."""

    def __init__(
        self, client: Bigtrace, request: Request, schema: pa.Schema | None, cancellation: Cancellation
    ) -> None:
        reporter = Reporter(request.progress)
        self._state = _StreamState(request, reporter, BatchBuilder(request, reporter, schema))
        self._batches = _batches(client, self._state, cancellation)

    @property
    def query_id(self) -> str:
        """The id of the query."""
        return self._state.request.query_id

    @property
    def schema(self) -> pa.Schema | None:
        """The schema of every batch. With Perfetto's own orchestrator, None until the first batch."""
        return self._state.builder.schema

    @property
    def failures(self) -> list[Failure]:
        """Traces that failed so far; empty unless the query is lenient."""
        return self._state.builder.failures

    @property
    def progress(self) -> Progress | None:
        """The last progress that was reported."""
        return self._state.builder.progress

    def failures_frame(self) -> pandas.DataFrame:
        """One row for each trace that failed so far."""
        return failures_frame(self.failures)

    def to_reader(self) -> pa.RecordBatchReader:
        """Returns a reader for programs that read Arrow streams: `pyarrow.dataset.write_dataset`, DuckDB, polars."""
        if self.schema is None:
            raise BigtraceError("the orchestrator does not report column types", remedy="pass schema=")
        return pa.RecordBatchReader.from_batches(self.schema, self)

    def close(self) -> None:
        """Cancels the rest of the query."""
        self._batches.close()
        self._state.reporter.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> pa.RecordBatch:
        return next(self._batches)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _batches(
    client: Bigtrace, state: _StreamState, cancellation: Cancellation
) -> Generator[pa.RecordBatch, None, None]:
    request, reporter = state.request, state.reporter
    attempt, has_rows = 0, False
    while True:
        try:
            with closing(client._messages(request, reporter.wanted, cancellation, keep_names=False)) as messages:
                for message in messages:
                    state.builder.feed(message)
                    for batch in state.builder.batches():
                        has_rows = True
                        yield batch
            state.builder.end()
            return
        except BigtraceError as error:
            if has_rows:
                raise
            cancellation.pause(error, attempt, request.retries)
        attempt += 1
        state.builder = BatchBuilder(request, reporter, state.builder.schema)
