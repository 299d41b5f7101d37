"""Reads the messages with which the orchestrator responds. No network code."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from bigtrace._proto import bigtrace_pb2, perfetto_pb2
from bigtrace.columns import ADDRESS, Typing, addresses, array_of, distinct_names, type_of
from bigtrace.decode import NULL, Chunk, Decoder
from bigtrace.errors import DataError
from bigtrace.progress import Progress, Reporter, progress_of
from bigtrace.request import Request
from bigtrace.result import Failure, Result

#: Encoded results are decoded together once they have this many bytes.
_DECODE_BYTES = 4 * 2**20
#: Maximum number of rows in a batch.
_BATCH_ROWS = 65_536

Message = bigtrace_pb2.QueryResponse | perfetto_pb2.BigtraceQueryResponse


class ResponseReader:
    """Reads the messages of one call."""

    def __init__(self, request: Request, reporter: Reporter) -> None:
        self.request = request
        self.failures: list[Failure] = []
        self.progress: Progress | None = None
        self.decoder = Decoder()
        self._reporter = reporter

    def feed(self, message: Message) -> None:
        """Raises: BigtraceError: the script failed on a trace, or a result is malformed."""
        if isinstance(message, perfetto_pb2.BigtraceQueryResponse):
            for at, result in enumerate(message.result):
                self.decoder.add(message.trace, result, last=at == len(message.result) - 1)
            return
        for event in message.event:
            which = event.WhichOneof("event")
            if which == "rows":
                self.decoder.add(event.rows.trace, event.rows.result, event.rows.last)
            elif which == "failure":
                self.failures.append(_failure(event.failure))
            elif which == "progress":
                self.progress = progress_of(event.progress)
                self._reporter.update(self.progress)


class ResultBuilder(ResponseReader):
    """Collects all rows."""

    def __init__(self, request: Request, reporter: Reporter) -> None:
        super().__init__(request, reporter)
        self._chunks: list[Chunk] = []

    def feed(self, message: Message) -> None:
        super().feed(message)
        if self.decoder.waiting_bytes >= _DECODE_BYTES:
            self._chunks += self.decoder.take()

    def end(self) -> Result:
        """Raises: DataError: rows are missing."""
        self.decoder.end()
        self._chunks += self.decoder.take()
        request = self.request
        return Result(request.query_id, self._chunks, request.typing, self.failures, self.progress)


class BatchBuilder(ResponseReader):
    """Converts the rows of each message to Arrow record batches of one schema.

    `schema`: schema of the batches, with `_trace_address`; None: that of the first rows.
    """

    def __init__(self, request: Request, reporter: Reporter, schema: pa.Schema | None) -> None:
        super().__init__(request, reporter)
        self.schema = schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Returns the rows that are complete.

        Raises:
            DataError: a cell does not fit its column, or a trace has other columns.
        """
        for chunk in self.decoder.take():
            if not chunk.names and not chunk.rows:
                continue
            if self.schema is None:
                self.schema = schema_of_chunk(chunk, self.request.typing)
            batch = self._batch(chunk, self.schema)
            for start in range(0, batch.num_rows, _BATCH_ROWS):
                yield batch.slice(start, _BATCH_ROWS)

    def end(self) -> None:
        """Raises: DataError: rows are missing."""
        self.decoder.end()

    def _batch(self, chunk: Chunk, schema: pa.Schema) -> pa.RecordBatch:
        names = distinct_names(chunk.names)
        wanted = schema.names[1:]
        if sorted(names) != sorted(wanted):
            trace = chunk.traces[0][0].decode("utf-8", "backslashreplace") if chunk.traces else None
            raise DataError(
                f"columns {', '.join(names)} differ from those of the stream: {', '.join(wanted)}",
                code="columns_mismatch",
                trace=trace,
                remedy="query() and query_arrow() accept other columns, with NULL where a trace has none",
            )
        arrays = [addresses(chunk, self.request.typing)]
        for name in wanted:
            type_ = schema.field(name).type
            arrays.append(array_of(chunk, names.index(name), type_, self.request.typing, name))
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


def schema_of_chunk(chunk: Chunk, typing: Typing) -> pa.Schema:
    seen = [column.seen for column in chunk.columns]
    return _schema(distinct_names(chunk.names), seen, typing)


def schema_of_response(response: bigtrace_pb2.SchemaResponse, typing: Typing) -> pa.Schema:
    """Returns the types as ClickHouse's views choose them: docs/column-types.md."""
    seen = []
    for column in response.column:
        kinds = column.cell_kinds
        if kinds & ~(1 << NULL) == 0:
            kinds |= column.possible_kinds
        seen.append(kinds | column.learned_kinds)
    return _schema(distinct_names(column.name for column in response.column), seen, typing)


def schema_of_options(request: Request) -> pa.Schema | None:
    """Returns the schema of the batches if the caller passed a whole one."""
    if request.schema is None:
        return None
    return _named({name: request.schema.field(name).type for name in request.schema.names}, request.typing)


def _schema(names: list[str], seen: list[int], typing: Typing) -> pa.Schema:
    types = {}
    for name, kinds in zip(names, seen):
        declared = typing.declared.get(name)
        # Numbers and text: as text, numbers keep every digit.
        types[name] = declared if declared is not None else type_of(kinds, typing) or typing.text
    return _named(types, typing)


def _named(types: dict[str, pa.DataType], typing: Typing) -> pa.Schema:
    return pa.schema({ADDRESS: typing.text} | {name: type_ for name, type_ in types.items() if name != ADDRESS})


def _failure(failure: bigtrace_pb2.TraceFailure) -> Failure:
    trace = failure.trace.decode("utf-8", "backslashreplace")
    return Failure(trace, failure.code, failure.message, failure.attempts)
