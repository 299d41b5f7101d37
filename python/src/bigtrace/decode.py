"""Decodes `QueryResult`s to columns, whole batches at a time.

A result holds its cells row by row: one byte for each cell's kind, and the values of each kind one after the other.
Nothing here loops over cells or rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigtrace._proto import query_result_pb2
from bigtrace.errors import DataError, QueryFailedError

NULL, INT, FLOAT, TEXT, BLOB = 1, 2, 3, 4, 5

Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]
Kinds = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Column:
    """The cells of one column over some rows.

    Attributes:
        kinds: the kind of each cell, NULL to BLOB; length: the number of rows.
        ints, floats, texts, blobs: the values of the cells of that kind, in the order of their rows. `texts` are
            bytes, as the engine wrote them, without the NUL behind each.
        seen: set of bits `1 << kind` of all cells.
    """

    kinds: Kinds
    ints: Int64s
    floats: Float64s
    texts: pa.BinaryArray
    blobs: pa.BinaryArray
    seen: int


@dataclass(frozen=True)
class Chunk:
    """Rows of some traces whose columns have the same names.

    Attributes:
        names: the names of the columns, as the engine wrote them.
        columns: one for each name, all of the same length.
        traces: address and number of rows of each trace, in order; the numbers add up to the rows of a column.
    """

    names: tuple[bytes, ...]
    columns: list[Column]
    traces: list[tuple[bytes, int]]

    @property
    def rows(self) -> int:
        return sum(rows for _, rows in self.traces)


def malformed(what: str, trace: bytes | None = None) -> DataError:
    name = None if trace is None else trace.decode("utf-8", "backslashreplace")
    return DataError(f"malformed result: {what}", code="internal", trace=name)


@dataclass
class _Parts:
    """Encoded cells that have not been decoded."""

    cells: list[bytes] = field(default_factory=list)
    varints: list[bytes] = field(default_factory=list)
    floats: list[bytes] = field(default_factory=list)
    strings: list[bytes] = field(default_factory=list)
    blobs: list[bytes] = field(default_factory=list)
    cell_count: int = 0

    def add(self, other: _Parts) -> None:
        self.cells += other.cells
        self.varints += other.varints
        self.floats += other.floats
        self.strings += other.strings
        self.blobs += other.blobs
        self.cell_count += other.cell_count


@dataclass
class _Open:
    """A trace whose results have begun and not ended."""

    names: tuple[bytes, ...]
    held: _Parts = field(default_factory=_Parts)  # ends within a row


class Decoder:
    """Decodes the results of many traces, which may interleave, to chunks.

    Small results of several traces are decoded together.
    """

    def __init__(self) -> None:
        self._open: dict[bytes, _Open] = {}
        self._parts: dict[tuple[bytes, ...], tuple[_Parts, list[tuple[bytes, int]]]] = {}
        #: Bytes of results that wait to be decoded.
        self.waiting_bytes = 0

    def add(self, trace: bytes, result: bytes, last: bool) -> None:
        """One encoded QueryResult of `trace`; `last`: it is the last one of its trace.

        Raises:
            QueryFailedError: the script failed on the trace.
            DataError: the result is malformed.
        """
        try:
            message = query_result_pb2.QueryResult.FromString(result)
        except Exception:
            raise malformed("it is not a QueryResult", trace) from None
        if message.error:
            text = message.error.decode("utf-8", "backslashreplace")
            name = trace.decode("utf-8", "backslashreplace")
            raise QueryFailedError(text, code="sql_failed", trace=name)
        self.waiting_bytes += len(result)
        opened = self._open.get(trace)
        if opened is None:
            opened = self._open[trace] = _Open(tuple(message.column_names))
            self._parts.setdefault(opened.names, (_Parts(), []))
        self._take(trace, opened, message)
        if last:
            if opened.held.cell_count:
                raise malformed("it ends within a row", trace)
            del self._open[trace]

    def _take(self, trace: bytes, opened: _Open, message: query_result_pb2.QueryResult) -> None:
        held = opened.held
        for batch in message.batch:
            held.cells.append(batch.cells)
            held.cell_count += len(batch.cells)
            if batch.varint_cells:
                held.varints.append(batch.varint_cells)
            if batch.float64_cells:
                held.floats.append(batch.float64_cells)
            if batch.string_cells:
                held.strings.append(batch.string_cells)
            held.blobs += batch.blob_cells
        width = len(opened.names)
        if held.cell_count == 0:
            return
        if width == 0:
            raise malformed("it has cells but no columns", trace)
        if held.cell_count % width == 0:
            parts, traces = self._parts.setdefault(opened.names, (_Parts(), []))
            parts.add(held)
            traces.append((trace, held.cell_count // width))
            opened.held = _Parts()

    def take(self) -> list[Chunk]:
        """Returns the rows that are complete. If no trace had rows, returns the names of columns once without rows."""
        chunks = [_decode(names, parts, traces) for names, (parts, traces) in self._parts.items()]
        self._parts.clear()
        self.waiting_bytes = 0
        return chunks

    def end(self) -> None:
        """Raises: DataError: the results of a trace are incomplete."""
        for trace in self._open:
            raise malformed("its end is missing", trace)


def _decode(names: tuple[bytes, ...], parts: _Parts, traces: list[tuple[bytes, int]]) -> Chunk:
    kinds = np.frombuffer(b"".join(parts.cells), np.uint8)
    width = max(len(names), 1)
    table = kinds.reshape(-1, width)
    values = _Values(
        ints=varints(b"".join(parts.varints)),
        floats=_doubles(b"".join(parts.floats)),
        texts=terminated(b"".join(parts.strings)),
        blobs=pa.array(parts.blobs, pa.binary()) if parts.blobs else _NO_BYTES,
    )
    counts = np.bincount(kinds, minlength=BLOB + 1)
    found = [0, 0, len(values.ints), len(values.floats), len(values.texts), len(values.blobs)]
    if len(counts) > BLOB + 1 or counts[0] > 0:
        raise malformed("a cell has an unknown type")
    if any(counts[kind] != found[kind] for kind in (INT, FLOAT, TEXT, BLOB)):
        raise malformed("cells and values differ in number")
    alike = len(table) > 0 and bool((table == table[0]).all())
    columns = values.alike(table) if alike else values.mixed(table)
    return Chunk(names, columns[: len(names)], traces)


_NO_INTS = np.empty(0, np.int64)
_NO_FLOATS = np.empty(0, np.float64)
_NO_BYTES = pa.array([], pa.binary())


@dataclass(frozen=True)
class _Values:
    """The values of the cells of some rows, by their kinds."""

    ints: Int64s
    floats: Float64s
    texts: pa.BinaryArray
    blobs: pa.BinaryArray

    def alike(self, table: npt.NDArray[np.uint8]) -> list[Column]:
        """Where all rows have the same kinds: every nth value belongs to the same column."""
        first = table[0].tolist()
        at = dict.fromkeys((INT, FLOAT, TEXT, BLOB), 0)
        columns = []
        for position, kind in enumerate(first):
            step, offset = first.count(kind), at.get(kind, 0)
            at[kind] = offset + 1
            columns.append(
                Column(
                    kinds=table[:, position],
                    ints=self.ints[offset::step] if kind == INT else _NO_INTS,
                    floats=self.floats[offset::step] if kind == FLOAT else _NO_FLOATS,
                    texts=_every(self.texts, offset, step) if kind == TEXT else _NO_BYTES,
                    blobs=_every(self.blobs, offset, step) if kind == BLOB else _NO_BYTES,
                    seen=1 << kind,
                )
            )
        return columns

    def mixed(self, table: npt.NDArray[np.uint8]) -> list[Column]:
        """The place of a value among those of its kind is the number of such cells before its own."""
        flat = table.reshape(-1)
        places = {
            kind: (np.cumsum(flat == kind) - 1).reshape(table.shape)
            for kind in (INT, FLOAT, TEXT, BLOB)
            if len(table) > 0 and bool((flat == kind).any())
        }
        columns = []
        for position in range(table.shape[1]):
            kinds = table[:, position]
            of = {kind: place[kinds == kind, position] for kind, place in places.items()}
            seen = sum(1 << kind for kind in range(NULL, BLOB + 1) if bool((kinds == kind).any()))
            columns.append(
                Column(
                    kinds=kinds,
                    ints=self.ints[of[INT]] if INT in of else _NO_INTS,
                    floats=self.floats[of[FLOAT]] if FLOAT in of else _NO_FLOATS,
                    texts=self.texts.take(pa.array(of[TEXT])) if TEXT in of else _NO_BYTES,
                    blobs=self.blobs.take(pa.array(of[BLOB])) if BLOB in of else _NO_BYTES,
                    seen=seen,
                )
            )
        return columns


def _every(values: pa.BinaryArray, offset: int, step: int) -> pa.BinaryArray:
    if step == 1:
        return values
    return values.take(pa.array(np.arange(offset, len(values), step)))


def varints(data: bytes) -> Int64s:
    """Packed varints as int64.

    Raises:
        DataError: the last one is cut short, or one is longer than 10 bytes.
    """
    raw = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(raw < 0x80)
    if len(ends) == len(raw):
        return raw.astype(np.int64)
    if len(ends) == 0 or ends[-1] != len(raw) - 1:
        raise malformed("an integer is cut short")
    starts = np.empty_like(ends)
    starts[0] = 0
    starts[1:] = ends[:-1] + 1
    lengths = ends - starts
    longest = int(lengths.max())
    if longest > 9:
        raise malformed("an integer is longer than 10 bytes")
    values = (raw[starts] & 0x7F).astype(np.uint64)
    rest: Int64s = np.arange(len(starts))
    for byte in range(1, longest + 1):
        if bool((lengths[rest] < byte).any()):
            rest = rest[lengths[rest] >= byte]
        bits = (raw[starts[rest] + byte] & 0x7F).astype(np.uint64)
        values[rest] |= bits << np.uint64(7 * byte)
    return values.view(np.int64)


def _doubles(data: bytes) -> Float64s:
    if len(data) % 8:
        raise malformed("a double is cut short")
    return np.frombuffer(data, "<f8")


def terminated(data: bytes) -> pa.BinaryArray:
    """NUL-terminated texts, as bytes.

    Raises:
        DataError: the last one has no end.
    """
    if not data:
        return _NO_BYTES
    raw = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(raw == 0)
    if len(ends) == 0 or ends[-1] != len(raw) - 1:
        raise malformed("the last text has no end")
    # The NULs go: each text then begins where the one before ended.
    offsets = np.zeros(len(ends) + 1, np.int64)
    offsets[1:] = ends - np.arange(len(ends))
    without = data.translate(None, b"\0")
    if len(without) >= 2**31:
        raise malformed("more than 2 GiB of text in one batch")
    buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(without)]
    return pa.Array.from_buffers(pa.binary(), len(ends), buffers)
