from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class QueryResult(_message.Message):
    __slots__ = ("column_names", "error", "batch")
    COLUMN_NAMES_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    column_names: _containers.RepeatedScalarFieldContainer[bytes]
    error: bytes
    batch: _containers.RepeatedCompositeFieldContainer[CellsBatch]
    def __init__(self, column_names: _Optional[_Iterable[bytes]] = ..., error: _Optional[bytes] = ..., batch: _Optional[_Iterable[_Union[CellsBatch, _Mapping[str, object]]]] = ...) -> None: ...

class CellsBatch(_message.Message):
    __slots__ = ("cells", "varint_cells", "float64_cells", "blob_cells", "string_cells", "is_last_batch")
    CELLS_FIELD_NUMBER: _ClassVar[int]
    VARINT_CELLS_FIELD_NUMBER: _ClassVar[int]
    FLOAT64_CELLS_FIELD_NUMBER: _ClassVar[int]
    BLOB_CELLS_FIELD_NUMBER: _ClassVar[int]
    STRING_CELLS_FIELD_NUMBER: _ClassVar[int]
    IS_LAST_BATCH_FIELD_NUMBER: _ClassVar[int]
    cells: bytes
    varint_cells: bytes
    float64_cells: bytes
    blob_cells: _containers.RepeatedScalarFieldContainer[bytes]
    string_cells: bytes
    is_last_batch: bool
    def __init__(self, cells: _Optional[bytes] = ..., varint_cells: _Optional[bytes] = ..., float64_cells: _Optional[bytes] = ..., blob_cells: _Optional[_Iterable[bytes]] = ..., string_cells: _Optional[bytes] = ..., is_last_batch: _Optional[bool] = ...) -> None: ...
