"""The whole result of a query, as a pandas, Arrow or polars table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigtrace.columns import (
    ADDRESS,
    Misfit,
    Typing,
    addresses,
    array_of,
    distinct_names,
    misfit_error,
    objects,
    type_of,
)
from bigtrace.decode import NULL, Chunk
from bigtrace.errors import DataError
from bigtrace.progress import Progress

if TYPE_CHECKING:
    import pandas
    import polars

#: Text of one column beyond which Arrow cannot reorder it as one array of 32-bit offsets.
_TEXT_BYTES_MAX = 2**31 - 1


@dataclass(frozen=True)
class Failure:
    """A trace that failed in a lenient query.

    Attributes:
        trace: its address.
        code: the orchestrator's error code, such as `trace_not_found`.
        message: what happened.
        attempts: how many times the orchestrator assigned the trace to a worker.
    """

    trace: str
    code: str
    message: str
    attempts: int


@dataclass
class Result:
    """The result of a query.

    Rows are sorted by trace address; rows of one trace keep the order in which the script returned them. The first
    column of each table, `_trace_address`, names the trace of a row.

    Attributes:
        query_id: the id of the query.
        failures: traces that failed; empty unless the query was lenient.
        progress: the last progress that the orchestrator reported, or None.
    """

    query_id: str
    chunks: list[Chunk]
    typing: Typing
    failures: list[Failure] = field(default_factory=list)
    progress: Progress | None = None

    def failures_frame(self) -> pandas.DataFrame:
        """One row for each failed trace: `_trace_address`, `code`, `message`, `attempts`."""
        return failures_frame(self.failures)

    def to_arrow(self) -> pa.Table:
        """int64, double, string or binary columns; all are nullable.

        Raises:
            DataError: a column has numbers and text, or text that is not UTF-8.
        """
        columns = self._merged()
        for column in columns:
            if column.type is None:
                raise column.mixed_error()
        arrays = {ADDRESS: self._addresses()} | {column.name: column.to_arrow() for column in columns}
        return _ordered(pa.table(arrays), self._order())

    def to_pandas(self) -> pandas.DataFrame:
        """int64, float64, str and object (bytes) columns.

        A column of integers with NULL is Int64, one of doubles with NULL is Float64: integers never become
        doubles. A column that holds numbers and text has the type object: int, float, str, bytes and None.

        Raises:
            DataError: text that is not UTF-8.
        """
        import pandas

        order = self._order()
        columns = self._merged()
        typed = {ADDRESS: self._addresses()}
        typed |= {column.name: column.to_arrow() for column in columns if column.type is not None}
        table = _ordered(pa.table(typed), order)
        series: dict[str, Any] = {ADDRESS: _pandas_array(table.column(ADDRESS))}
        for column in columns:
            if column.type is not None:
                series[column.name] = _pandas_array(table.column(column.name))
                continue
            values = np.empty(len(table), object)
            values[:] = list(column.to_objects())
            series[column.name] = pandas.Series(values if order is None else values[order], dtype=object)
        return pandas.DataFrame(series)

    def to_polars(self) -> polars.DataFrame:
        """Int64, Float64, String or Binary columns. Needs the package polars.

        Raises:
            DataError: as `to_arrow`.
        """
        import polars

        frame = polars.from_arrow(self.to_arrow())
        assert isinstance(frame, polars.DataFrame)
        return frame

    def _addresses(self) -> pa.ChunkedArray:
        return pa.chunked_array([addresses(chunk, self.typing) for chunk in self.chunks], self.typing.text)

    def _merged(self) -> list[_MergedColumn]:
        """Returns the columns by name, over all chunks; a column that a chunk lacks is NULL in it."""
        merged: dict[str, _MergedColumn] = {}
        for at, chunk in enumerate(self.chunks):
            for position, name in enumerate(distinct_names(chunk.names)):
                column = merged.get(name)
                if column is None:
                    column = merged[name] = _MergedColumn(name, self.chunks, self.typing)
                column.positions[at] = position
        return list(merged.values())

    def _order(self) -> npt.NDArray[np.int64] | None:
        """Returns for each row of the result its position among the decoded rows; None if they are in order."""
        runs = [run for chunk in self.chunks for run in chunk.traces]
        names = sorted({trace for trace, _ in runs})
        ranks = {trace: rank for rank, trace in enumerate(names)}
        of_runs = np.array([ranks[trace] for trace, _ in runs], np.int64)
        if bool((np.diff(of_runs) >= 0).all()):
            return None
        of_rows = np.repeat(of_runs, [rows for _, rows in runs])
        return np.argsort(of_rows, kind="stable")


@dataclass
class _MergedColumn:
    """A column over all chunks. `positions`: its position in each chunk that has it."""

    name: str
    chunks: list[Chunk]
    typing: Typing
    positions: dict[int, int] = field(default_factory=dict)

    @property
    def type(self) -> pa.DataType | None:
        declared = self.typing.declared.get(self.name)
        if declared is not None:
            return declared
        seen = 0
        for at, position in self.positions.items():
            seen |= self.chunks[at].columns[position].seen
        return type_of(seen, self.typing)

    def to_arrow(self) -> pa.ChunkedArray:
        wanted = self.type
        arrays = [
            array_of(chunk, self.positions[at], wanted, self.typing, self.name)
            if at in self.positions
            else pa.nulls(chunk.rows, wanted)
            for at, chunk in enumerate(self.chunks)
        ]
        return pa.chunked_array(arrays, wanted)

    def to_objects(self) -> Iterator[object]:
        for at, chunk in enumerate(self.chunks):
            if at not in self.positions:
                yield from [None] * chunk.rows
                continue
            try:
                yield from objects(chunk.columns[self.positions[at]], self.typing)
            except Misfit as misfit:
                raise misfit_error(misfit, chunk, self.name) from None

    def mixed_error(self) -> DataError:
        """Returns the error that names the first trace whose cells differ in kind from earlier ones."""
        seen = 0
        for at, position in self.positions.items():
            chunk = self.chunks[at]
            column = chunk.columns[position]
            if type_of(seen | column.seen, self.typing) is None:
                for row, kind in enumerate(column.kinds.tolist()):
                    seen |= 1 << kind
                    if kind != NULL and type_of(seen, self.typing) is None:
                        return misfit_error(Misfit(row, "numbers and text in one column"), chunk, self.name)
            seen |= column.seen
        raise AssertionError("the column has a type")


def failures_frame(failures: list[Failure]) -> pandas.DataFrame:
    """Returns one row for each failure."""
    import pandas

    columns: dict[str, Callable[[Failure], object]] = {
        ADDRESS: lambda one: one.trace,
        "code": lambda one: one.code,
        "message": lambda one: one.message,
        "attempts": lambda one: one.attempts,
    }
    return pandas.DataFrame({name: [value(one) for one in failures] for name, value in columns.items()})


def _ordered(table: pa.Table, order: npt.NDArray[np.int64] | None) -> pa.Table:
    if order is None:
        return table
    if all(column.nbytes < _TEXT_BYTES_MAX for column in table.columns):
        return table.take(pa.array(order))
    # Runs of rows that keep their order are not copied.
    ends = np.flatnonzero(np.diff(order) != 1) + 1
    bounds = [0, *ends.tolist(), len(order)]
    pieces = [table.slice(int(order[start]), end - start) for start, end in pairwise(bounds)]
    return pa.concat_tables(pieces)


def _pandas_array(column: pa.ChunkedArray) -> Any:
    import pandas

    if column.type not in (pa.int64(), pa.float64()):
        return column.to_pandas()
    if column.null_count == 0:
        return column.to_numpy()
    values, nulls = column.fill_null(0).to_numpy(), column.is_null().to_numpy()
    if column.type == pa.int64():
        return pandas.arrays.IntegerArray(values.astype(np.int64), nulls)
    return pandas.arrays.FloatingArray(values.astype(np.float64), nulls)
