"""The interface of Perfetto's BatchTraceProcessor, with workers instead of local processes."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from bigtrace.client import Bigtrace
from bigtrace.columns import ADDRESS
from bigtrace.errors import BigtraceError, InvalidArgumentError
from bigtrace.request import Traces, summary_script
from bigtrace.result import Result

if TYPE_CHECKING:
    import pandas
    import polars

#: Columns of `query_and_flatten` that describe the trace of a row, by name.
Metadata = Mapping[str, Any]


class FailureHandling(Enum):
    """The effect of a failed trace on a query."""

    #: The first failed trace ends the query with an error.
    RAISE_EXCEPTION = 0
    #: `stats()` counts the failed trace, and its frame is empty.
    INCREMENT_STAT = 1


@dataclass
class BatchTraceProcessorConfig:
    """`tp_config` is ignored: there is no local TraceProcessor.

    Each query loads the traces that it needs, so the stricter of the two settings applies to both.
    """

    tp_config: Any = None
    load_failure_handling: FailureHandling = FailureHandling.RAISE_EXCEPTION
    execute_failure_handling: FailureHandling = FailureHandling.RAISE_EXCEPTION

    @property
    def lenient(self) -> bool:
        strict = FailureHandling.RAISE_EXCEPTION
        return strict not in (self.load_failure_handling, self.execute_failure_handling)


@dataclass
class Stats:
    """Failures of the queries so far: traces that did not load, and scripts that failed."""

    load_failures: int = 0
    execute_failures: int = 0


class BatchTraceProcessor:
    """Runs scripts over a fixed list of traces: the constructor expands the patterns, once.

    >>> from bigtrace import BatchTraceProcessor
    >>> with BatchTraceProcessor("/gcs/bucket/o/**") as btp:  # doctest: +SKIP
    ...     frames = btp.query("SELECT * FROM slice")
    """

    class Observer(ABC):
        """Receives each trace that a query has run on."""

        @abstractmethod
        def trace_processed(self, metadata: Metadata, execution_time_seconds: float) -> None:
            """`execution_time_seconds`: time of the whole query, because traces run concurrently."""

    def __init__(
        self,
        traces: Traces,
        config: BatchTraceProcessorConfig | None = None,
        observer: Observer | None = None,
        *,
        client: Bigtrace | None = None,
        where: str | None = None,
        metadata: Mapping[str, Metadata] | None = None,
    ) -> None:
        """Lists the traces.

        Args:
            traces: trace addresses and patterns.
            config: the effect of failed traces.
            observer: receives each trace of `query_and_flatten`.
            client: the client to use. Default: `Bigtrace()`, configured by the environment.
            where: an expression over the catalog; its traces are added, and loaded at once.
            metadata: additional columns of `query_and_flatten`, by trace address.

        Raises:
            BigtraceError: a pattern is invalid, or matches no trace.
        """
        self.config = config or BatchTraceProcessorConfig()
        self.observer = observer
        self._own = client is None
        self._client = client or Bigtrace()
        self._stats = Stats()
        self.closed = False
        #: Addresses of the traces, sorted: the order of every list that a method returns.
        self.traces = self._resolve(traces, where)
        self._metadata = dict(metadata or {})

    def _resolve(self, traces: Traces, where: str | None) -> list[str]:
        found = set() if traces is None else {trace.address for trace in self._client.list_traces(traces)}
        if where is not None:
            # The orchestrator expands expressions only for queries.
            result = self._client.run(None, "SELECT 1", where=where, lenient=True)
            found |= {failure.trace for failure in result.failures}
            found.update(result.to_arrow()[ADDRESS].to_pylist())
        if not found:
            raise InvalidArgumentError(f"no trace matches {traces!r}", code="no_match")
        return sorted(found, key=os.fsencode)

    def query(self, sql: str) -> list[pandas.DataFrame]:
        """Runs a script on each trace.

        Returns:
            A frame for each trace, in the order of `traces`, without a column for the address.
        """
        frame = self._run(sql).to_pandas()
        rows = frame.groupby(ADDRESS, sort=False).indices
        bare = frame.drop(columns=ADDRESS)
        return [bare.iloc[rows.get(trace, [])].reset_index(drop=True) for trace in self.traces]

    def query_and_flatten(self, sql: str) -> pandas.DataFrame:
        """Runs a script on each trace.

        Returns:
            One frame of all rows. The columns `_trace_address` and those of `metadata` follow the script's.
        """
        began = time.monotonic()
        frame = self._run(sql).to_pandas()
        seconds = time.monotonic() - began
        frame[ADDRESS] = frame.pop(ADDRESS)
        for name in dict.fromkeys(name for of_trace in self._metadata.values() for name in of_trace):
            values = {trace: of_trace.get(name) for trace, of_trace in self._metadata.items()}
            frame[name] = frame[ADDRESS].map(values)
        if self.observer is not None:
            for trace in self.traces:
                about = {ADDRESS: trace, **self._metadata.get(trace, {})}
                self.observer.trace_processed(about, seconds)
        return frame

    def query_polars(self, sql: str) -> list[polars.DataFrame]:
        """As `query`, with polars frames."""
        frame = self._run(sql).to_polars()
        parts = frame.partition_by(ADDRESS, as_dict=True, include_key=False)
        empty = frame.clear().drop(ADDRESS)
        return [parts.get((trace,), empty) for trace in self.traces]

    def query_and_flatten_polars(self, sql: str) -> polars.DataFrame:
        """As `query_and_flatten`, as a polars frame and without `metadata`."""
        frame = self._run(sql).to_polars()
        return frame.select([*frame.columns[1:], ADDRESS])

    def query_single_result(self, sql: str) -> list[Any]:
        """Runs a script that returns one row of one column on each trace.

        Returns:
            A value for each trace, in the order of `traces`; None for NULL, and for a trace that failed.

        Raises:
            BigtraceError: a trace has another number of rows or columns.
        """
        result = self._run(sql)
        failed = {failure.trace for failure in result.failures}
        frame = result.to_pandas()
        if len(frame.columns) != 2:
            raise BigtraceError("Query should only return a single column", code="invalid_option")
        counts = frame.groupby(ADDRESS).size()
        for trace in self.traces:
            if trace not in failed and counts.get(trace, 0) != 1:
                raise BigtraceError("Query should only return a single row", code="invalid_option", trace=trace)
        values = dict(zip(frame[ADDRESS], frame.iloc[:, 1].astype(object)))
        return [_value(values.get(trace)) for trace in self.traces]

    def summary(self, spec: str) -> pandas.DataFrame:
        """Computes a trace summary on each trace; `spec` is a TraceSummarySpec as textproto.

        It replaces `metric`, whose protos TraceProcessor has deprecated.
        """
        return self.query_and_flatten(summary_script(spec))

    def stats(self) -> Stats:
        """Returns the failures so far; 0 unless the configuration counts them."""
        return self._stats

    def close(self) -> None:
        """Closes the connection, unless the caller passed the client."""
        if not self.closed and self._own:
            self._client.close()
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, sql: str) -> Result:
        if self.closed:
            raise BigtraceError("the BatchTraceProcessor is closed", code="invalid_option")
        result = self._client.run(self.traces, sql, lenient=self.config.lenient)
        for failure in result.failures:
            if failure.code == "sql_failed":
                self._stats.execute_failures += 1
            else:
                self._stats.load_failures += 1
        return result


def _value(value: Any) -> Any:
    import pandas

    return None if value is None or value is pandas.NA else value
