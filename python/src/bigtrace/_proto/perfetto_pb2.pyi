from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class BigtraceQueryArgs(_message.Message):
    __slots__ = ("traces", "sql_query")
    TRACES_FIELD_NUMBER: _ClassVar[int]
    SQL_QUERY_FIELD_NUMBER: _ClassVar[int]
    traces: _containers.RepeatedScalarFieldContainer[bytes]
    sql_query: bytes
    def __init__(self, traces: _Optional[_Iterable[bytes]] = ..., sql_query: _Optional[bytes] = ...) -> None: ...

class BigtraceQueryResponse(_message.Message):
    __slots__ = ("trace", "result")
    TRACE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    trace: bytes
    result: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, trace: _Optional[bytes] = ..., result: _Optional[_Iterable[bytes]] = ...) -> None: ...

class BigtraceQueryTraceArgs(_message.Message):
    __slots__ = ("trace", "sql_query")
    TRACE_FIELD_NUMBER: _ClassVar[int]
    SQL_QUERY_FIELD_NUMBER: _ClassVar[int]
    trace: bytes
    sql_query: bytes
    def __init__(self, trace: _Optional[bytes] = ..., sql_query: _Optional[bytes] = ...) -> None: ...

class BigtraceQueryTraceResponse(_message.Message):
    __slots__ = ("trace", "result")
    TRACE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    trace: bytes
    result: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, trace: _Optional[bytes] = ..., result: _Optional[_Iterable[bytes]] = ...) -> None: ...
