"""The asyncio client: as `Bigtrace`, with `await`.

Calls run on threads of their own, and so does decoding: the event loop is never busy with rows. (`grpc.aio` replaces
the orchestrator's error by one of its own when a call ends while its requests are being written.)
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa
from typing_extensions import Self, Unpack

from bigtrace.calls import ListedTrace, Status, warn_of_failures
from bigtrace.cancellation import Cancellation
from bigtrace.client import BatchStream, Bigtrace
from bigtrace.connection import TLS
from bigtrace.progress import Progress
from bigtrace.request import QueryOptions, Traces, request_of, summary_script
from bigtrace.result import Failure, Result

if TYPE_CHECKING:
    import pandas
    import polars

#: Maximum number of concurrent calls of one client; further calls wait.
_CALLS_MAX = 64

T = TypeVar("T")


class AsyncBigtrace:
    """The asyncio version of `Bigtrace`: the same arguments, results and errors.

    Cancelling a task that waits for a query cancels the query. At most 64 calls of one client run at a time. The
    functions that are passed as `progress` are called on another thread.
    """

    def __init__(
        self,
        orchestrator_address: str | None = None,
        *,
        tls: TLS | bool | str | os.PathLike[str] | None = None,
        token: str | None = None,
        token_file: str | os.PathLike[str] | None = None,
    ) -> None:
        """As `Bigtrace`."""
        self._client = Bigtrace(orchestrator_address, tls=tls, token=token, token_file=token_file)
        self._threads = ThreadPoolExecutor(_CALLS_MAX, thread_name_prefix="bigtrace")

    def __repr__(self) -> str:
        return f"Async{self._client!r}"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connection; running queries are cancelled."""
        self._client.close()
        self._threads.shutdown(wait=False)

    async def query(self, traces: Traces, sql_query: str, **options: Unpack[QueryOptions]) -> pandas.DataFrame:
        """As `Bigtrace.query`."""
        return await self._table(traces, sql_query, options, Result.to_pandas)

    async def query_arrow(self, traces: Traces, sql_query: str, **options: Unpack[QueryOptions]) -> pa.Table:
        """As `Bigtrace.query_arrow`."""
        return await self._table(traces, sql_query, options, Result.to_arrow)

    async def query_polars(self, traces: Traces, sql_query: str, **options: Unpack[QueryOptions]) -> polars.DataFrame:
        """As `Bigtrace.query_polars`."""
        return await self._table(traces, sql_query, options, Result.to_polars)

    async def summary(self, traces: Traces, spec: str, **options: Unpack[QueryOptions]) -> pandas.DataFrame:
        """As `Bigtrace.summary`."""
        return await self._table(traces, summary_script(spec), options, Result.to_pandas)

    async def run(self, traces: Traces, sql_query: str, **options: Unpack[QueryOptions]) -> Result:
        """As `Bigtrace.run`."""
        request, cancellation = request_of(traces, sql_query, options), Cancellation()
        return await self._on_thread(cancellation, lambda: self._client._run(request, cancellation))

    async def stream(self, traces: Traces, sql_query: str, **options: Unpack[QueryOptions]) -> AsyncBatchStream:
        """As `Bigtrace.stream`; read the batches with `async for`."""
        request, cancellation = request_of(traces, sql_query, options), Cancellation()
        stream = await self._on_thread(cancellation, lambda: self._client._stream(request, cancellation))
        return AsyncBatchStream(self, stream, cancellation)

    async def list_traces(self, patterns: Traces, *, limit: int = 0) -> list[ListedTrace]:
        """As `Bigtrace.list_traces`."""
        return await self._on_thread(None, lambda: self._client.list_traces(patterns, limit=limit))

    async def failures(self, query_id: str = "") -> pandas.DataFrame:
        """As `Bigtrace.failures`."""
        return await self._on_thread(None, lambda: self._client.failures(query_id))

    async def status(self) -> Status:
        """As `Bigtrace.status`."""
        return await self._on_thread(None, self._client.status)

    async def cancel(self, query_id: str) -> int:
        """As `Bigtrace.cancel`."""
        return await self._on_thread(None, lambda: self._client.cancel(query_id))

    async def _table(self, traces: Traces, sql_query: str, options: QueryOptions, form: Callable[[Result], T]) -> T:
        request, cancellation = request_of(traces, sql_query, options), Cancellation()
        result = await self._on_thread(cancellation, lambda: self._client._run(request, cancellation))
        warn_of_failures(result)
        return await self._on_thread(None, lambda: form(result))

    async def _on_thread(self, cancellation: Cancellation | None, work: Callable[[], T]) -> T:
        """If this task is cancelled, it cancels the query; its thread then ends by itself."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except asyncio.CancelledError:
            if cancellation is not None:
                cancellation.cancel()
            raise


class AsyncBatchStream:
    """The rows of a query as Arrow record batches; see `Bigtrace.stream`. Use it in one task."""

    def __init__(self, client: AsyncBigtrace, stream: BatchStream, cancellation: Cancellation) -> None:
        self._client = client
        self._stream = stream
        self._cancellation = cancellation

    @property
    def query_id(self) -> str:
        """The id of the query."""
        return self._stream.query_id

    @property
    def schema(self) -> pa.Schema | None:
        """The schema of every batch. With Perfetto's own orchestrator, None until the first batch."""
        return self._stream.schema

    @property
    def failures(self) -> list[Failure]:
        """Traces that failed so far; empty unless the query is lenient."""
        return self._stream.failures

    @property
    def progress(self) -> Progress | None:
        """The last progress that was reported."""
        return self._stream.progress

    def failures_frame(self) -> pandas.DataFrame:
        """One row for each trace that failed so far."""
        return self._stream.failures_frame()

    async def close(self) -> None:
        """Cancels the rest of the query."""
        self._cancellation.cancel()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> pa.RecordBatch:
        batch = await self._client._on_thread(self._cancellation, lambda: next(self._stream, None))
        if batch is None:
            raise StopAsyncIteration
        return batch

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __del__(self) -> None:
        self._cancellation.cancel()
