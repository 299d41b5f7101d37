"""Encodes rows as QueryResults, cell by cell, for tests of the decoder."""

import struct

from bigtrace._proto import query_result_pb2

Cell = None | int | float | str | bytes


class Text(bytes):
    """Text without NUL, which need not be UTF-8."""


def varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def result(names: list[str], cells: list[Cell], last: bool = True) -> bytes:
    """One QueryResult of one batch; `names` is empty after the first result of a trace."""
    batch = query_result_pb2.CellsBatch(is_last_batch=last)
    kinds, ints, floats, texts = bytearray(), bytearray(), bytearray(), bytearray()
    for cell in cells:
        if cell is None:
            kinds.append(1)
        elif isinstance(cell, int):
            kinds.append(2)
            ints += varint(cell)
        elif isinstance(cell, float):
            kinds.append(3)
            floats += struct.pack("<d", cell)
        elif isinstance(cell, str):
            kinds.append(4)
            texts += cell.encode() + b"\0"
        elif isinstance(cell, Text):
            kinds.append(4)
            texts += cell + b"\0"
        else:
            kinds.append(5)
            batch.blob_cells.append(cell)
    batch.cells, batch.varint_cells = bytes(kinds), bytes(ints)
    batch.float64_cells, batch.string_cells = bytes(floats), bytes(texts)
    encoded = [name.encode() for name in names]
    return query_result_pb2.QueryResult(column_names=encoded, batch=[batch]).SerializeToString()
