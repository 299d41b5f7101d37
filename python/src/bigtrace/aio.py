"""The asyncio client: as `Bigtrace`, with `await`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

import grpc
import grpc.aio
import pyarrow as pa
from typing_extensions import Self, Unpack

from bigtrace._proto import bigtrace_pb2
from bigtrace.answer import BatchedAnswer, Message, WholeAnswer, given_schema, schema_of_response
from bigtrace.calls import (
    STATUS_SECONDS_MAX,
    ListedTrace,
    Methods,
    Status,
    deadline_of,
    is_unimplemented,
    listed,
    methods_of,
    needs_ours,
    recorded_failures_frame,
    retry_seconds,
    status_of,
    warn_of_failures,
)
from bigtrace.connection import TLS, connection
from bigtrace.errors import BigtraceError, from_rpc_error
from bigtrace.progress import Progress, Reporter
from bigtrace.request import QueryOptions, Request, Traces, addresses_of, request_of, summary_script
from bigtrace.result import Failure, Result, failures_frame

if TYPE_CHECKING:
    import pandas
    import polars


class AsyncBigtrace:
    """The asyncio twin of `Bigtrace`: the same arguments, answers and errors.

    An awaited query that is cancelled (`task.cancel()`) is cancelled at the orchestrator too. Decoding happens in
    the event loop. For one event loop: that in which it is first used.
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
        self._connection = connection(orchestrator_address, tls, token, token_file)
        self._credentials = self._connection.credentials()
        self._metadata = tuple(self._connection.metadata())
        self._opened: tuple[grpc.aio.Channel, Methods] | None = None
        self._only_upstream = False

    def __repr__(self) -> str:
        return f"AsyncBigtrace({self._connection.address!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connection; running queries are cancelled."""
        if self._opened is not None:
            await self._opened[0].close(None)

    async def query(self, traces: Traces, sql_query: str, **options: Unpack[QueryOptions]) -> pandas.DataFrame:
        """As `Bigtrace.query`."""
        return (await self._checked(traces, sql_query, options)).to_pandas()

    async def query_arrow(self, traces: Traces, sql_query: str, **options: Unpack[QueryOptions]) -> pa.Table:
        """As `Bigtrace.query_arrow`."""
        return (await self._checked(traces, sql_query, options)).to_arrow()

    async def query_polars(self, traces: Traces, sql_query: str, **options: Unpack[QueryOptions]) -> polars.DataFrame:
        """As `Bigtrace.query_polars`."""
        return (await self._checked(traces, sql_query, options)).to_polars()

    async def summary(self, traces: Traces, spec: str, **options: Unpack[QueryOptions]) -> pandas.DataFrame:
        """As `Bigtrace.summary`."""
        return await self.query(traces, summary_script(spec), **options)

    async def run(self, traces: Traces, sql_query: str, **options: Unpack[QueryOptions]) -> Result:
        """As `Bigtrace.run`."""
        request = request_of(traces, sql_query, options)
        reporter = Reporter(request.progress)
        attempt = 0
        try:
            while True:
                answer = WholeAnswer(request, reporter)
                try:
                    async with aclosing(self._messages(request, reporter.wanted, keep_names=True)) as messages:
                        async for message in messages:
                            answer.feed(message)
                    return answer.end()
                except BigtraceError as error:
                    await self._pause(error, attempt, request)
                attempt += 1
        finally:
            reporter.close()

    async def stream(self, traces: Traces, sql_query: str, **options: Unpack[QueryOptions]) -> AsyncBatchStream:
        """As `Bigtrace.stream`; the batches come by `async for`."""
        request = request_of(traces, sql_query, options)
        return AsyncBatchStream(self, request, await self._schema(request))

    async def list_traces(self, patterns: Traces, *, where: str | None = None, limit: int = 0) -> list[ListedTrace]:
        """As `Bigtrace.list_traces`."""
        wanted = (*addresses_of(patterns), *(() if where is None else (f"/where/{where}".encode(),)))
        call = self._stubs().list(bigtrace_pb2.ListRequest(pattern=wanted, limit=limit), metadata=self._metadata)
        try:
            found = [trace async for response in call for trace in listed(response)]
        except grpc.RpcError as error:
            raise from_rpc_error(error, self._connection.address) from error
        return sorted(found, key=lambda trace: os.fsencode(trace.address))

    async def failures(self, query_id: str = "") -> pandas.DataFrame:
        """As `Bigtrace.failures`."""
        request = bigtrace_pb2.FailuresRequest(query_id=query_id)
        call = self._stubs().failures(request, metadata=self._metadata, timeout=STATUS_SECONDS_MAX)
        try:
            return recorded_failures_frame([response async for response in call])
        except grpc.RpcError as error:
            raise from_rpc_error(error, self._connection.address) from error

    async def status(self) -> Status:
        """As `Bigtrace.status`."""
        request = bigtrace_pb2.StatusRequest()
        try:
            return status_of(await self._stubs().status(request, metadata=self._metadata, timeout=STATUS_SECONDS_MAX))
        except grpc.RpcError as error:
            raise from_rpc_error(error, self._connection.address) from error

    async def cancel(self, query_id: str) -> int:
        """As `Bigtrace.cancel`."""
        request = bigtrace_pb2.CancelRequest(query_id=query_id)
        try:
            response = await self._stubs().cancel(request, metadata=self._metadata, timeout=STATUS_SECONDS_MAX)
        except grpc.RpcError as error:
            raise from_rpc_error(error, self._connection.address) from error
        return int(response.cancelled)

    def _stubs(self) -> Methods:
        """The channel belongs to the event loop that runs when it is opened."""
        if self._opened is None:
            address, options = self._connection.address, self._connection.options()
            channel = (
                grpc.aio.insecure_channel(address, options)
                if self._credentials is None
                else grpc.aio.secure_channel(address, self._credentials, options)
            )
            self._opened = (channel, methods_of(channel))
        return self._opened[1]

    async def _checked(self, traces: Traces, sql_query: str, options: QueryOptions) -> Result:
        result = await self.run(traces, sql_query, **options)
        warn_of_failures(result)
        return result

    async def _pause(self, error: BigtraceError, attempt: int, request: Request) -> None:
        """Waits before the query is asked again. Raises: `error`, where it is not."""
        seconds = retry_seconds(error, attempt, request.retries)
        if seconds is None:
            raise error
        await asyncio.sleep(seconds)

    async def _messages(self, request: Request, progress: bool, keep_names: bool) -> AsyncGenerator[Message, None]:
        """As `Bigtrace._messages`."""
        while True:
            upstream = self._only_upstream or (keep_names and request.plain and request.has_aliases)
            if self._only_upstream and not request.plain:
                raise needs_ours(request, self._connection.address)
            common = {"timeout": deadline_of(request), "metadata": self._metadata}
            call = (
                self._stubs().upstream(request.upstream_args(), **common)
                if upstream
                else self._stubs().query(request.messages(progress), **common)
            )
            try:
                async for message in call:
                    yield message
                return
            except grpc.RpcError as error:
                if upstream or not is_unimplemented(error):
                    raise from_rpc_error(error, self._connection.address, request.query_id) from error
            finally:
                call.cancel()
            self._only_upstream = True

    async def _schema(self, request: Request) -> pa.Schema | None:
        """As `Bigtrace._schema`."""
        schema = given_schema(request)
        if schema is not None or self._only_upstream:
            return schema
        attempt = 0
        while True:
            try:
                response = await self._stubs().schema(
                    request.schema_request(), metadata=self._metadata, timeout=deadline_of(request)
                )
                return schema_of_response(response, request.typing)
            except grpc.RpcError as error:
                if is_unimplemented(error):
                    return None
                failed = from_rpc_error(error, self._connection.address, request.query_id)
                await self._pause(failed, attempt, request)
            attempt += 1


class AsyncBatchStream:
    """The rows of a query as Arrow record batches; see `Bigtrace.stream`."""

    def __init__(self, client: AsyncBigtrace, request: Request, schema: pa.Schema | None) -> None:
        self._request = request
        self._reporter = Reporter(request.progress)
        self._answer = BatchedAnswer(request, self._reporter, schema)
        self._batches = self._read(client)

    @property
    def query_id(self) -> str:
        """The name of the query."""
        return self._request.query_id

    @property
    def schema(self) -> pa.Schema | None:
        """Of every batch. None until the first one, where the orchestrator is Perfetto's own."""
        return self._answer.schema

    @property
    def failures(self) -> list[Failure]:
        """Traces that failed so far; empty unless the query is lenient."""
        return self._answer.failures

    @property
    def progress(self) -> Progress | None:
        """The last progress that was reported."""
        return self._answer.progress

    def failures_frame(self) -> pandas.DataFrame:
        """One row for each trace that failed so far."""
        return failures_frame(self.failures)

    async def close(self) -> None:
        """Cancels what is left of the query."""
        await self._batches.aclose()
        self._reporter.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> pa.RecordBatch:
        return await anext(self._batches)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _read(self, client: AsyncBigtrace) -> AsyncGenerator[pa.RecordBatch, None]:
        attempt, given = 0, False
        while True:
            try:
                call = client._messages(self._request, self._reporter.wanted, keep_names=False)
                async with aclosing(call) as messages:
                    async for message in messages:
                        self._answer.feed(message)
                        for batch in self._answer.batches():
                            given = True
                            yield batch
                self._answer.end()
                return
            except BigtraceError as error:
                if given:
                    raise
                await client._pause(error, attempt, self._request)
            attempt += 1
            self._answer = BatchedAnswer(self._request, self._reporter, self._answer.schema)
