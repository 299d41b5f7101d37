"""Decoded columns to Arrow: which type holds all cells of a column exactly, and the conversion to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from bigtrace.decode import BLOB, FLOAT, INT, NULL, TEXT, Chunk, Column
from bigtrace.errors import DataError, InvalidArgumentError

#: The first column of every result: the address of the row's trace.
ADDRESS = "_trace_address"

#: How to return text that is not UTF-8: an error, U+FFFD in place of each invalid byte, or all text as bytes.
InvalidUtf8 = Literal["error", "replace", "bytes"]

_TYPES = (pa.int64(), pa.float64(), pa.string(), pa.binary())


@dataclass(frozen=True)
class Typing:
    """The types that a caller requests.

    Attributes:
        declared: types of columns by their names, instead of those that their cells have.
        invalid_utf8: what becomes of text that is not UTF-8.
    """

    declared: Mapping[str, pa.DataType]
    invalid_utf8: InvalidUtf8 = "error"

    @property
    def text(self) -> pa.DataType:
        return pa.binary() if self.invalid_utf8 == "bytes" else pa.string()


def typing_of(schema: pa.Schema | Mapping[str, pa.DataType] | None, invalid_utf8: str) -> Typing:
    """Raises: InvalidArgumentError: a type that no column can have, or an unknown word."""
    if invalid_utf8 not in ("error", "replace", "bytes"):
        raise InvalidArgumentError(f"invalid_utf8={invalid_utf8!r} must be one of 'error', 'replace', 'bytes'")
    declared = (
        {}
        if schema is None
        else {name: schema.field(name).type for name in schema.names}
        if isinstance(schema, pa.Schema)
        else dict(schema)
    )
    declared.pop(ADDRESS, None)
    for name, type_ in declared.items():
        if type_ not in _TYPES:
            names = ", ".join(map(str, _TYPES))
            raise InvalidArgumentError(f"schema: column {name} has the unsupported type {type_}; the types are {names}")
    return Typing(declared, invalid_utf8)  # type: ignore[arg-type]


def distinct_names(names: Iterable[bytes]) -> list[str]:
    """Returns distinct names: `column_N` for an empty one, a suffix `_1`, `_2` … for one that occurs again."""
    texts = [name.decode("utf-8", "backslashreplace") for name in names]
    originals, taken, distinct = set(texts), {ADDRESS}, []
    for position, text in enumerate(texts):
        base = name = text or f"column_{position + 1}"
        number = 0
        while name in taken or (name != text and name in originals):
            number += 1
            name = f"{base}_{number}"
        taken.add(name)
        distinct.append(name)
    return distinct


def type_of(seen: int, typing: Typing) -> pa.DataType | None:
    """Returns the type that holds cells of these kinds (bits `1 << kind`) exactly; None if there is none."""
    numbers, texts = seen & (1 << INT | 1 << FLOAT), seen & (1 << TEXT | 1 << BLOB)
    if numbers and texts:
        return None
    if texts:
        return pa.binary() if texts & 1 << BLOB else typing.text
    return pa.float64() if numbers & 1 << FLOAT else pa.int64()


def to_arrow(column: Column, wanted: pa.DataType, typing: Typing) -> pa.Array:
    """Returns the cells as an Arrow array.

    Raises:
        Misfit: the type does not hold a cell exactly.
    """
    if wanted == pa.int64():
        return _ints(column)
    if wanted == pa.float64():
        return _doubles(column)
    if wanted == pa.binary():
        _refuse(column, (INT, FLOAT), wanted)
        return _scatter(column, [(TEXT, column.texts), (BLOB, column.blobs)])
    _refuse(column, (BLOB,), wanted)
    numbers = [(INT, _as_text(column.ints.tolist())), (FLOAT, _as_text(column.floats.tolist()))]
    return _utf8(_scatter(column, [(TEXT, column.texts), *numbers]), typing)


class Misfit(Exception):
    """Cell `row` does not fit the type of its column."""

    def __init__(self, row: int, why: str) -> None:
        super().__init__(why)
        self.row = row


_KIND_NAMES = {INT: "an integer", FLOAT: "a double", TEXT: "text", BLOB: "bytes"}


def _refuse(column: Column, kinds: tuple[int, ...], wanted: pa.DataType) -> None:
    for kind in kinds:
        if column.seen & 1 << kind:
            row = int(np.flatnonzero(column.kinds == kind)[0])
            raise Misfit(row, f"{_KIND_NAMES[kind]} does not fit {wanted}")


def _ints(column: Column) -> pa.Array:
    _refuse(column, (FLOAT, TEXT, BLOB), pa.int64())
    if column.seen == 1 << INT:
        return pa.array(np.ascontiguousarray(column.ints))
    nulls = column.kinds == NULL
    values = np.zeros(len(nulls), np.int64)
    values[~nulls] = column.ints
    return pa.array(values, mask=nulls)


def _doubles(column: Column) -> pa.Array:
    _refuse(column, (TEXT, BLOB), pa.float64())
    if column.seen == 1 << FLOAT:
        return pa.array(np.ascontiguousarray(column.floats))
    integer = column.kinds == INT
    values = np.zeros(len(integer), np.float64)
    values[column.kinds == FLOAT] = column.floats
    if len(column.ints):
        values[integer] = column.ints
        # Python compares an int and a float exactly; few integers are this large.
        for place in np.flatnonzero(np.abs(values[integer]) >= 2.0**53).tolist():
            exact = int(column.ints[place])
            if float(exact) != exact:
                raise Misfit(int(np.flatnonzero(integer)[place]), f"{exact} cannot be represented exactly as a double")
    return pa.array(values, mask=column.kinds == NULL, from_pandas=False)


def _as_text(values: Sequence[int | float]) -> pa.BinaryArray:
    return pa.array([repr(value).encode() for value in values], pa.binary())


def _scatter(column: Column, parts: list[tuple[int, pa.BinaryArray]]) -> pa.Array:
    present = [(kind, values) for kind, values in parts if len(values)]
    if len(present) == 1 and column.seen == 1 << present[0][0]:
        return present[0][1]
    places = np.zeros(len(column.kinds), np.int64)
    before = 0
    for kind, values in present:
        at = column.kinds == kind
        places[at] = np.arange(before, before + len(values))
        before += len(values)
    values = pa.concat_arrays([values for _, values in present] or [pa.array([], pa.binary())])
    return values.take(pa.array(places, mask=column.kinds == NULL))


def _utf8(values: pa.Array, typing: Typing) -> pa.Array:
    try:
        return values.cast(pa.string())
    except pa.ArrowInvalid:
        pass
    if typing.invalid_utf8 == "replace":
        texts = [None if one is None else one.decode("utf-8", "replace") for one in values.to_pylist()]
        return pa.array(texts, pa.string())
    for row, one in enumerate(values.to_pylist()):
        try:
            (one or b"").decode()
        except UnicodeDecodeError:
            raise Misfit(row, f"the text {one!r} is not UTF-8") from None
    raise AssertionError("Arrow rejects text that Python decodes")


def misfit_error(misfit: Misfit, chunk: Chunk, name: str) -> DataError:
    """Returns the error for the user, which names the trace, the column and the remedy."""
    if "UTF-8" in str(misfit):
        remedy = "invalid_utf8='replace' replaces the invalid bytes, invalid_utf8='bytes' returns all text as bytes"
    else:
        remedy = f"pass schema={{{name!r}: pyarrow.string()}} for every number as text, or CAST in the script"
    return DataError(
        f"column {name}: {misfit}", code="type_mismatch", trace=_trace_of(chunk, misfit.row), remedy=remedy
    )


def _trace_of(chunk: Chunk, row: int) -> str:
    for trace, rows in chunk.traces:
        if row < rows:
            return trace.decode("utf-8", "backslashreplace")
        row -= rows
    raise IndexError(row)


def addresses(chunk: Chunk, typing: Typing) -> pa.Array:
    """Returns the column `_trace_address` of a chunk."""
    traces = pa.array([trace for trace, _ in chunk.traces], pa.binary())
    if typing.text == pa.string():
        try:
            traces = _utf8(traces, typing)
        except Misfit as misfit:
            name, _ = chunk.traces[misfit.row]
            raise DataError(
                f"the trace address {name!r} is not UTF-8",
                code="type_mismatch",
                remedy="invalid_utf8='bytes' returns addresses, and all text, as bytes",
            ) from None
    counts = [rows for _, rows in chunk.traces]
    return traces.take(pa.array(np.repeat(np.arange(len(counts)), counts)))


def array_of(chunk: Chunk, position: int, wanted: pa.DataType, typing: Typing, name: str) -> pa.Array:
    """Raises: DataError: a cell does not fit."""
    try:
        return to_arrow(chunk.columns[position], wanted, typing)
    except Misfit as misfit:
        raise misfit_error(misfit, chunk, name) from None


def objects(column: Column, typing: Typing) -> list[object]:
    """Returns the cells as Python objects: int, float, str, bytes, None.

    Raises:
        Misfit: text is not UTF-8.
    """
    texts: list[object] = _scatter_texts(column, typing)
    of = {
        INT: iter(column.ints.tolist()),
        FLOAT: iter(column.floats.tolist()),
        TEXT: iter(texts),
        BLOB: iter(column.blobs.to_pylist()),
    }
    return [None if kind == NULL else next(of[kind]) for kind in column.kinds.tolist()]


def _scatter_texts(column: Column, typing: Typing) -> list[object]:
    if typing.text == pa.binary():
        return list(column.texts.to_pylist())
    try:
        return list(_utf8(column.texts, typing).to_pylist())
    except Misfit as misfit:
        raise Misfit(int(np.flatnonzero(column.kinds == TEXT)[misfit.row]), str(misfit)) from None
