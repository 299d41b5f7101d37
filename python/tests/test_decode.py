"""The decoder gives exactly the cells that were encoded, for every kind of cell and every split."""

import math
import struct

import numpy as np
import pyarrow as pa
import pytest
from encoding import Cell, Text, result, varint
from hypothesis import given, settings
from hypothesis import strategies as st

from bigtrace import DataError, QueryFailedError
from bigtrace._proto import query_result_pb2
from bigtrace.columns import Misfit, distinct_names, objects, to_arrow, typing_of
from bigtrace.decode import Decoder, terminated, varints

INT64S = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-200, 200))
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
CELLS: st.SearchStrategy[Cell] = st.one_of(st.none(), INT64S, st.floats(), TEXTS, st.binary(max_size=20))


def same(left: object, right: object) -> bool:
    """Compares every bit: NaN equals NaN, and -0.0 is not 0.0."""
    if isinstance(left, float) and isinstance(right, float):
        return struct.pack("<d", left) == struct.pack("<d", right) or (math.isnan(left) and math.isnan(right))
    return type(left) is type(right) and left == right


def rows_of(decoder: Decoder) -> dict[bytes, list[tuple[object, ...]]]:
    rows: dict[bytes, list[tuple[object, ...]]] = {}
    for chunk in decoder.take():
        columns = [objects(column, typing_of(None, "error")) for column in chunk.columns]
        cells = iter(zip(*columns))
        for trace, count in chunk.traces:
            rows.setdefault(trace, []).extend(next(cells) for _ in range(count))
    return rows


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, list[list[Cell]]]:
    """Rows with the same kinds, as most are, and rows with any kinds."""
    width = draw(st.integers(1, 5))
    kinds = [draw(st.sampled_from([INT64S, st.floats(), TEXTS, st.binary(max_size=5), CELLS])) for _ in range(width)]
    return width, draw(st.lists(st.tuples(*kinds).map(list), max_size=12))


@given(st.lists(tables(), min_size=1, max_size=4), st.data())
@settings(max_examples=120, deadline=None)
def test_decoding_returns_the_cells_for_every_split_of_the_results(
    results: list[tuple[int, list[list[Cell]]]], data: st.DataObject
):
    decoder = Decoder()
    queues = []
    for number, (width, rows) in enumerate(results):
        cells = [cell for row in rows for cell in row]
        cut = sorted(data.draw(st.lists(st.integers(0, len(cells)), max_size=3)))
        bounds = [0, *cut, len(cells)]
        pieces = [cells[start:end] for start, end in zip(bounds, bounds[1:])]
        names = [f"c{position}" for position in range(width)]
        queues.append((b"/local/%d" % number, names, pieces))
    decoded: dict[bytes, list[tuple[object, ...]]] = {}
    while queues:  # interleaved
        at = data.draw(st.integers(0, len(queues) - 1))
        trace, names, pieces = queues[at]
        piece = pieces.pop(0)
        decoder.add(trace, result(names, piece, last=not pieces), last=not pieces)
        queues[at] = (trace, [], pieces)
        if not pieces:
            queues.pop(at)
        if data.draw(st.booleans()):
            for trace, rows in rows_of(decoder).items():
                decoded.setdefault(trace, []).extend(rows)
    for trace, rows in rows_of(decoder).items():
        decoded.setdefault(trace, []).extend(rows)
    decoder.end()
    for number, (_, rows) in enumerate(results):
        got = decoded.get(b"/local/%d" % number, [])
        assert len(got) == len(rows)
        assert all(same(a, b) for row, other in zip(got, rows) for a, b in zip(row, other))


@given(st.lists(INT64S))
def test_varints(values: list[int]):
    assert varints(b"".join(map(varint, values))).tolist() == values


@pytest.mark.parametrize("data", [b"\x80", b"\x01\xff", b"\x80" * 10 + b"\x00"])
def test_a_varint_that_is_cut_or_too_long_is_an_error(data: bytes):
    with pytest.raises(DataError, match="an integer is"):
        varints(data)


@given(st.lists(st.binary(max_size=9).map(lambda text: text.replace(b"\0", b""))))
def test_terminated_texts(texts: list[bytes]):
    assert terminated(b"".join(text + b"\0" for text in texts)).to_pylist() == texts


def test_text_without_an_end_is_an_error():
    with pytest.raises(DataError, match="no end"):
        terminated(b"a\0b")


@given(st.binary(max_size=60))
@settings(max_examples=200)
def test_any_bytes_are_rows_or_an_error(data: bytes):
    decoder = Decoder()
    try:
        decoder.add(b"/local/a", data, last=True)
        decoder.take()
    except (DataError, QueryFailedError):
        pass


@pytest.mark.parametrize(
    ("names", "batch", "what"),
    [
        ([b"a"], {"cells": b"\2"}, "differ in number"),
        ([b"a"], {"cells": b"\1", "varint_cells": b"\1"}, "differ in number"),
        ([b"a"], {"cells": b"\2\2", "varint_cells": b"\1"}, "differ in number"),
        ([b"a"], {"cells": b"\6"}, "unknown type"),
        ([b"a"], {"cells": b"\0"}, "unknown type"),
        ([b"a"], {"cells": b"\3", "float64_cells": b"1234567"}, "cut short"),
        ([b"a", b"b"], {"cells": b"\1"}, "within a row"),
        ([], {"cells": b"\1"}, "no columns"),
    ],
)
def test_a_malformed_result_is_an_error(names: list[bytes], batch: dict[str, bytes], what: str):
    message = query_result_pb2.QueryResult(column_names=names, batch=[query_result_pb2.CellsBatch(**batch)])
    decoder = Decoder()
    with pytest.raises(DataError, match=what):
        decoder.add(b"/local/a", message.SerializeToString(), last=True)
        decoder.take()


def test_a_result_without_its_end_is_an_error():
    decoder = Decoder()
    decoder.add(b"/local/a", result(["a"], [1]), last=False)
    with pytest.raises(DataError, match=r"\[/local/a\]: malformed result: its end is missing"):
        decoder.end()


def test_the_error_of_a_script_names_the_trace():
    decoder = Decoder()
    message = query_result_pb2.QueryResult(error=b"no such table: x")
    with pytest.raises(QueryFailedError, match=r"^\[/local/a\]: no such table: x$"):
        decoder.add(b"/local/a", message.SerializeToString(), last=True)


def column_of(cells: list[Cell]):
    decoder = Decoder()
    decoder.add(b"/local/a", result(["a"], cells), last=True)
    ((column,),) = (chunk.columns for chunk in decoder.take())
    return column


@pytest.mark.parametrize(
    ("cells", "wanted", "values"),
    [
        ([1, None, -(2**63)], pa.int64(), [1, None, -(2**63)]),
        ([None, None], pa.int64(), [None, None]),
        ([1.5, 2, None, -0.0], pa.float64(), [1.5, 2.0, None, -0.0]),
        ([2**53, 0.5], pa.float64(), [2.0**53, 0.5]),
        (["a", None, ""], pa.string(), ["a", None, ""]),
        ([b"\xff", None, "a", b""], pa.binary(), [b"\xff", None, b"a", b""]),
        ([1, "a", 2.5, None, 2**63 - 1], pa.string(), ["1", "a", "2.5", None, "9223372036854775807"]),
        ([], pa.string(), []),
    ],
)
def test_arrow_holds_the_cells(cells: list[Cell], wanted: pa.DataType, values: list[object]):
    array = to_arrow(column_of(cells), wanted, typing_of(None, "error"))
    array.validate(full=True)
    assert array.type == wanted
    assert array.to_pylist() == values


@pytest.mark.parametrize(
    ("cells", "wanted", "row"),
    [
        ([1, 2.5], pa.int64(), 1),
        ([1, "a"], pa.int64(), 1),
        (["a"], pa.float64(), 0),
        ([0.5, None, 2**53 + 1], pa.float64(), 2),
        ([0.5, 2**63 - 1], pa.float64(), 1),
        (["a", b"b"], pa.string(), 1),
        (["a", 1], pa.binary(), 1),
        (["a", Text(b"\xff")], pa.string(), 1),
    ],
)
def test_a_cell_that_does_not_fit_is_refused(cells: list[Cell], wanted: pa.DataType, row: int):
    with pytest.raises(Misfit) as refused:
        to_arrow(column_of(cells), wanted, typing_of(None, "error"))
    assert refused.value.row == row


def test_text_that_is_not_utf8_is_replaced_on_request():
    array = to_arrow(column_of([Text(b"a\xff"), None]), pa.string(), typing_of(None, "replace"))
    assert array.to_pylist() == ["a\ufffd", None]


def test_names_of_columns_are_distinct():
    names = [b"", b"a", b"a", b"a_1", b"_trace_address", b"\xff"]
    assert distinct_names(names) == ["column_1", "a", "a_2", "a_1", "_trace_address_1", "\\xff"]


def test_small_results_of_many_traces_are_decoded_together():
    decoder = Decoder()
    for number in range(10_000):
        decoder.add(b"/local/%d" % number, result(["a"], [number]), last=True)
    (chunk,) = decoder.take()
    assert chunk.rows == 10_000
    assert np.array_equal(chunk.columns[0].ints, np.arange(10_000))
