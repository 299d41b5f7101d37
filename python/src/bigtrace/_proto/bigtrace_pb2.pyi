from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OnFailure(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STRICT: _ClassVar[OnFailure]
    LENIENT: _ClassVar[OnFailure]

class TaskPhase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUEUED: _ClassVar[TaskPhase]
    READING: _ClassVar[TaskPhase]
    PARSING: _ClassVar[TaskPhase]
    RUNNING_SQL: _ClassVar[TaskPhase]

class RunMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROWS: _ClassVar[RunMode]
    TYPES: _ClassVar[RunMode]
STRICT: OnFailure
LENIENT: OnFailure
QUEUED: TaskPhase
READING: TaskPhase
PARSING: TaskPhase
RUNNING_SQL: TaskPhase
ROWS: RunMode
TYPES: RunMode

class QueryRequest(_message.Message):
    __slots__ = ("start", "traces")
    START_FIELD_NUMBER: _ClassVar[int]
    TRACES_FIELD_NUMBER: _ClassVar[int]
    start: QueryStart
    traces: Traces
    def __init__(self, start: _Optional[_Union[QueryStart, _Mapping[str, object]]] = ..., traces: _Optional[_Union[Traces, _Mapping[str, object]]] = ...) -> None: ...

class QueryStart(_message.Message):
    __slots__ = ("query_id", "sql", "on_failure", "limits", "user", "progress_interval_ms")
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    SQL_FIELD_NUMBER: _ClassVar[int]
    ON_FAILURE_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    query_id: str
    sql: bytes
    on_failure: OnFailure
    limits: Limits
    user: str
    progress_interval_ms: int
    def __init__(self, query_id: _Optional[str] = ..., sql: _Optional[bytes] = ..., on_failure: _Optional[_Union[OnFailure, str]] = ..., limits: _Optional[_Union[Limits, _Mapping[str, object]]] = ..., user: _Optional[str] = ..., progress_interval_ms: _Optional[int] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("timeout_ms", "result_rows_max", "result_bytes_max", "trace_bytes_max", "memory_bytes_max")
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    RESULT_ROWS_MAX_FIELD_NUMBER: _ClassVar[int]
    RESULT_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    TRACE_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    timeout_ms: int
    result_rows_max: int
    result_bytes_max: int
    trace_bytes_max: int
    memory_bytes_max: int
    def __init__(self, timeout_ms: _Optional[int] = ..., result_rows_max: _Optional[int] = ..., result_bytes_max: _Optional[int] = ..., trace_bytes_max: _Optional[int] = ..., memory_bytes_max: _Optional[int] = ...) -> None: ...

class Traces(_message.Message):
    __slots__ = ("address",)
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    address: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, address: _Optional[_Iterable[bytes]] = ...) -> None: ...

class EstimateResponse(_message.Message):
    __slots__ = ("sources", "unknown")
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    sources: TraceSources
    unknown: int
    def __init__(self, sources: _Optional[_Union[TraceSources, _Mapping[str, object]]] = ..., unknown: _Optional[int] = ...) -> None: ...

class TraceSources(_message.Message):
    __slots__ = ("remembered", "loaded", "restored", "parsed", "failed", "trace_bytes", "parsed_bytes")
    REMEMBERED_FIELD_NUMBER: _ClassVar[int]
    LOADED_FIELD_NUMBER: _ClassVar[int]
    RESTORED_FIELD_NUMBER: _ClassVar[int]
    PARSED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    TRACE_BYTES_FIELD_NUMBER: _ClassVar[int]
    PARSED_BYTES_FIELD_NUMBER: _ClassVar[int]
    remembered: int
    loaded: int
    restored: int
    parsed: int
    failed: int
    trace_bytes: int
    parsed_bytes: int
    def __init__(self, remembered: _Optional[int] = ..., loaded: _Optional[int] = ..., restored: _Optional[int] = ..., parsed: _Optional[int] = ..., failed: _Optional[int] = ..., trace_bytes: _Optional[int] = ..., parsed_bytes: _Optional[int] = ...) -> None: ...

class QueryResponse(_message.Message):
    __slots__ = ("event",)
    EVENT_FIELD_NUMBER: _ClassVar[int]
    event: _containers.RepeatedCompositeFieldContainer[QueryEvent]
    def __init__(self, event: _Optional[_Iterable[_Union[QueryEvent, _Mapping[str, object]]]] = ...) -> None: ...

class QueryEvent(_message.Message):
    __slots__ = ("rows", "failure", "progress")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    rows: TraceRows
    failure: TraceFailure
    progress: Progress
    def __init__(self, rows: _Optional[_Union[TraceRows, _Mapping[str, object]]] = ..., failure: _Optional[_Union[TraceFailure, _Mapping[str, object]]] = ..., progress: _Optional[_Union[Progress, _Mapping[str, object]]] = ...) -> None: ...

class TraceRows(_message.Message):
    __slots__ = ("trace", "result", "last")
    TRACE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    trace: bytes
    result: bytes
    last: bool
    def __init__(self, trace: _Optional[bytes] = ..., result: _Optional[bytes] = ..., last: _Optional[bool] = ...) -> None: ...

class TraceFailure(_message.Message):
    __slots__ = ("trace", "code", "message", "attempts")
    TRACE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    trace: bytes
    code: str
    message: str
    attempts: int
    def __init__(self, trace: _Optional[bytes] = ..., code: _Optional[str] = ..., message: _Optional[str] = ..., attempts: _Optional[int] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("traces_total", "total_is_final", "traces_done", "traces_failed", "rows", "result_bytes", "trace_bytes", "elapsed_ms", "running", "core_ms", "traces_remembered", "traces_loaded", "traces_restored", "traces_parsed")
    TRACES_TOTAL_FIELD_NUMBER: _ClassVar[int]
    TOTAL_IS_FINAL_FIELD_NUMBER: _ClassVar[int]
    TRACES_DONE_FIELD_NUMBER: _ClassVar[int]
    TRACES_FAILED_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    RESULT_BYTES_FIELD_NUMBER: _ClassVar[int]
    TRACE_BYTES_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_MS_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    CORE_MS_FIELD_NUMBER: _ClassVar[int]
    TRACES_REMEMBERED_FIELD_NUMBER: _ClassVar[int]
    TRACES_LOADED_FIELD_NUMBER: _ClassVar[int]
    TRACES_RESTORED_FIELD_NUMBER: _ClassVar[int]
    TRACES_PARSED_FIELD_NUMBER: _ClassVar[int]
    traces_total: int
    total_is_final: bool
    traces_done: int
    traces_failed: int
    rows: int
    result_bytes: int
    trace_bytes: int
    elapsed_ms: int
    running: _containers.RepeatedCompositeFieldContainer[RunningTrace]
    core_ms: int
    traces_remembered: int
    traces_loaded: int
    traces_restored: int
    traces_parsed: int
    def __init__(self, traces_total: _Optional[int] = ..., total_is_final: _Optional[bool] = ..., traces_done: _Optional[int] = ..., traces_failed: _Optional[int] = ..., rows: _Optional[int] = ..., result_bytes: _Optional[int] = ..., trace_bytes: _Optional[int] = ..., elapsed_ms: _Optional[int] = ..., running: _Optional[_Iterable[_Union[RunningTrace, _Mapping[str, object]]]] = ..., core_ms: _Optional[int] = ..., traces_remembered: _Optional[int] = ..., traces_loaded: _Optional[int] = ..., traces_restored: _Optional[int] = ..., traces_parsed: _Optional[int] = ...) -> None: ...

class RunningTrace(_message.Message):
    __slots__ = ("trace", "phase", "phase_ms", "total_ms", "query_id", "user", "worker", "mode")
    TRACE_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    PHASE_MS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_MS_FIELD_NUMBER: _ClassVar[int]
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    trace: bytes
    phase: TaskPhase
    phase_ms: int
    total_ms: int
    query_id: str
    user: str
    worker: str
    mode: RunMode
    def __init__(self, trace: _Optional[bytes] = ..., phase: _Optional[_Union[TaskPhase, str]] = ..., phase_ms: _Optional[int] = ..., total_ms: _Optional[int] = ..., query_id: _Optional[str] = ..., user: _Optional[str] = ..., worker: _Optional[str] = ..., mode: _Optional[_Union[RunMode, str]] = ...) -> None: ...

class BarredTrace(_message.Message):
    __slots__ = ("trace", "generation", "code", "message", "barred_ms")
    TRACE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    BARRED_MS_FIELD_NUMBER: _ClassVar[int]
    trace: bytes
    generation: str
    code: str
    message: str
    barred_ms: int
    def __init__(self, trace: _Optional[bytes] = ..., generation: _Optional[str] = ..., code: _Optional[str] = ..., message: _Optional[str] = ..., barred_ms: _Optional[int] = ...) -> None: ...

class UnbarRequest(_message.Message):
    __slots__ = ("trace", "all")
    TRACE_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    trace: _containers.RepeatedScalarFieldContainer[bytes]
    all: bool
    def __init__(self, trace: _Optional[_Iterable[bytes]] = ..., all: _Optional[bool] = ...) -> None: ...

class UnbarResponse(_message.Message):
    __slots__ = ("lifted", "unreached")
    LIFTED_FIELD_NUMBER: _ClassVar[int]
    UNREACHED_FIELD_NUMBER: _ClassVar[int]
    lifted: int
    unreached: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, lifted: _Optional[int] = ..., unreached: _Optional[_Iterable[str]] = ...) -> None: ...

class SchemaRequest(_message.Message):
    __slots__ = ("query_id", "sql", "address", "user", "limits", "on_failure", "again")
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    SQL_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    ON_FAILURE_FIELD_NUMBER: _ClassVar[int]
    AGAIN_FIELD_NUMBER: _ClassVar[int]
    query_id: str
    sql: bytes
    address: _containers.RepeatedScalarFieldContainer[bytes]
    user: str
    limits: Limits
    on_failure: OnFailure
    again: bool
    def __init__(self, query_id: _Optional[str] = ..., sql: _Optional[bytes] = ..., address: _Optional[_Iterable[bytes]] = ..., user: _Optional[str] = ..., limits: _Optional[_Union[Limits, _Mapping[str, object]]] = ..., on_failure: _Optional[_Union[OnFailure, str]] = ..., again: _Optional[bool] = ...) -> None: ...

class SchemaResponse(_message.Message):
    __slots__ = ("column", "traces_sampled")
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    TRACES_SAMPLED_FIELD_NUMBER: _ClassVar[int]
    column: _containers.RepeatedCompositeFieldContainer[Column]
    traces_sampled: int
    def __init__(self, column: _Optional[_Iterable[_Union[Column, _Mapping[str, object]]]] = ..., traces_sampled: _Optional[int] = ...) -> None: ...

class Column(_message.Message):
    __slots__ = ("name", "cell_kinds", "possible_kinds", "learned_kinds")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CELL_KINDS_FIELD_NUMBER: _ClassVar[int]
    POSSIBLE_KINDS_FIELD_NUMBER: _ClassVar[int]
    LEARNED_KINDS_FIELD_NUMBER: _ClassVar[int]
    name: bytes
    cell_kinds: int
    possible_kinds: int
    learned_kinds: int
    def __init__(self, name: _Optional[bytes] = ..., cell_kinds: _Optional[int] = ..., possible_kinds: _Optional[int] = ..., learned_kinds: _Optional[int] = ...) -> None: ...

class LearnRequest(_message.Message):
    __slots__ = ("user", "sql", "column", "kinds", "traces_digest")
    USER_FIELD_NUMBER: _ClassVar[int]
    SQL_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    TRACES_DIGEST_FIELD_NUMBER: _ClassVar[int]
    user: str
    sql: bytes
    column: int
    kinds: int
    traces_digest: bytes
    def __init__(self, user: _Optional[str] = ..., sql: _Optional[bytes] = ..., column: _Optional[int] = ..., kinds: _Optional[int] = ..., traces_digest: _Optional[bytes] = ...) -> None: ...

class LearnResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListRequest(_message.Message):
    __slots__ = ("pattern", "limit")
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    pattern: _containers.RepeatedScalarFieldContainer[bytes]
    limit: int
    def __init__(self, pattern: _Optional[_Iterable[bytes]] = ..., limit: _Optional[int] = ...) -> None: ...

class ListResponse(_message.Message):
    __slots__ = ("trace",)
    TRACE_FIELD_NUMBER: _ClassVar[int]
    trace: _containers.RepeatedCompositeFieldContainer[ListedTrace]
    def __init__(self, trace: _Optional[_Iterable[_Union[ListedTrace, _Mapping[str, object]]]] = ...) -> None: ...

class ListedTrace(_message.Message):
    __slots__ = ("address", "size", "generation", "modified_ms")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    MODIFIED_MS_FIELD_NUMBER: _ClassVar[int]
    address: bytes
    size: int
    generation: str
    modified_ms: int
    def __init__(self, address: _Optional[bytes] = ..., size: _Optional[int] = ..., generation: _Optional[str] = ..., modified_ms: _Optional[int] = ...) -> None: ...

class StatusRequest(_message.Message):
    __slots__ = ("own_only",)
    OWN_ONLY_FIELD_NUMBER: _ClassVar[int]
    own_only: bool
    def __init__(self, own_only: _Optional[bool] = ...) -> None: ...

class OrchestratorStatus(_message.Message):
    __slots__ = ("version", "worker", "queries_running", "counters", "gauges", "query")
    class CountersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class GaugesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    VERSION_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    QUERIES_RUNNING_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    GAUGES_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    version: str
    worker: _containers.RepeatedCompositeFieldContainer[WorkerState]
    queries_running: int
    counters: _containers.ScalarMap[str, int]
    gauges: _containers.ScalarMap[str, int]
    query: _containers.RepeatedCompositeFieldContainer[QueryState]
    def __init__(self, version: _Optional[str] = ..., worker: _Optional[_Iterable[_Union[WorkerState, _Mapping[str, object]]]] = ..., queries_running: _Optional[int] = ..., counters: _Optional[_Mapping[str, int]] = ..., gauges: _Optional[_Mapping[str, int]] = ..., query: _Optional[_Iterable[_Union[QueryState, _Mapping[str, object]]]] = ...) -> None: ...

class QueryState(_message.Message):
    __slots__ = ("query_id", "user", "started_ms", "progress", "sql", "mode")
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    STARTED_MS_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    SQL_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    query_id: str
    user: str
    started_ms: int
    progress: Progress
    sql: bytes
    mode: RunMode
    def __init__(self, query_id: _Optional[str] = ..., user: _Optional[str] = ..., started_ms: _Optional[int] = ..., progress: _Optional[_Union[Progress, _Mapping[str, object]]] = ..., sql: _Optional[bytes] = ..., mode: _Optional[_Union[RunMode, str]] = ...) -> None: ...

class FailuresRequest(_message.Message):
    __slots__ = ("query_id", "limit", "own_only")
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    OWN_ONLY_FIELD_NUMBER: _ClassVar[int]
    query_id: str
    limit: int
    own_only: bool
    def __init__(self, query_id: _Optional[str] = ..., limit: _Optional[int] = ..., own_only: _Optional[bool] = ...) -> None: ...

class FailuresResponse(_message.Message):
    __slots__ = ("failure",)
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    failure: _containers.RepeatedCompositeFieldContainer[RecordedFailure]
    def __init__(self, failure: _Optional[_Iterable[_Union[RecordedFailure, _Mapping[str, object]]]] = ...) -> None: ...

class RecordedFailure(_message.Message):
    __slots__ = ("query_id", "user", "trace", "code", "message", "attempts", "time_ms")
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    TRACE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    query_id: str
    user: str
    trace: bytes
    code: str
    message: str
    attempts: int
    time_ms: int
    def __init__(self, query_id: _Optional[str] = ..., user: _Optional[str] = ..., trace: _Optional[bytes] = ..., code: _Optional[str] = ..., message: _Optional[str] = ..., attempts: _Optional[int] = ..., time_ms: _Optional[int] = ...) -> None: ...

class ProgressRequest(_message.Message):
    __slots__ = ("query_id", "own_only")
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    OWN_ONLY_FIELD_NUMBER: _ClassVar[int]
    query_id: str
    own_only: bool
    def __init__(self, query_id: _Optional[str] = ..., own_only: _Optional[bool] = ...) -> None: ...

class ProgressResponse(_message.Message):
    __slots__ = ("progress",)
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    progress: Progress
    def __init__(self, progress: _Optional[_Union[Progress, _Mapping[str, object]]] = ...) -> None: ...

class CancelRequest(_message.Message):
    __slots__ = ("query_id", "own_only")
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    OWN_ONLY_FIELD_NUMBER: _ClassVar[int]
    query_id: str
    own_only: bool
    def __init__(self, query_id: _Optional[str] = ..., own_only: _Optional[bool] = ...) -> None: ...

class CancelResponse(_message.Message):
    __slots__ = ("cancelled",)
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    cancelled: int
    def __init__(self, cancelled: _Optional[int] = ...) -> None: ...

class WorkerState(_message.Message):
    __slots__ = ("address", "state", "status")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    address: str
    state: str
    status: WorkerStatus
    def __init__(self, address: _Optional[str] = ..., state: _Optional[str] = ..., status: _Optional[_Union[WorkerStatus, _Mapping[str, object]]] = ...) -> None: ...

class SourcesRequest(_message.Message):
    __slots__ = ("sql", "trace", "user")
    SQL_FIELD_NUMBER: _ClassVar[int]
    TRACE_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    sql: bytes
    trace: _containers.RepeatedCompositeFieldContainer[SourceTrace]
    user: str
    def __init__(self, sql: _Optional[bytes] = ..., trace: _Optional[_Iterable[_Union[SourceTrace, _Mapping[str, object]]]] = ..., user: _Optional[str] = ...) -> None: ...

class SourceTrace(_message.Message):
    __slots__ = ("address", "generation", "size")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    address: bytes
    generation: str
    size: int
    def __init__(self, address: _Optional[bytes] = ..., generation: _Optional[str] = ..., size: _Optional[int] = ...) -> None: ...

class VocabularyRequest(_message.Message):
    __slots__ = ("engine",)
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    engine: str
    def __init__(self, engine: _Optional[str] = ...) -> None: ...

class VocabularyResponse(_message.Message):
    __slots__ = ("engine", "engine_name", "module")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    ENGINE_NAME_FIELD_NUMBER: _ClassVar[int]
    MODULE_FIELD_NUMBER: _ClassVar[int]
    engine: str
    engine_name: str
    module: _containers.RepeatedCompositeFieldContainer[VocabularyModule]
    def __init__(self, engine: _Optional[str] = ..., engine_name: _Optional[str] = ..., module: _Optional[_Iterable[_Union[VocabularyModule, _Mapping[str, object]]]] = ...) -> None: ...

class VocabularyModule(_message.Message):
    __slots__ = ("name", "table", "function")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    table: _containers.RepeatedCompositeFieldContainer[VocabularyTable]
    function: _containers.RepeatedCompositeFieldContainer[VocabularyFunction]
    def __init__(self, name: _Optional[str] = ..., table: _Optional[_Iterable[_Union[VocabularyTable, _Mapping[str, object]]]] = ..., function: _Optional[_Iterable[_Union[VocabularyFunction, _Mapping[str, object]]]] = ...) -> None: ...

class VocabularyTable(_message.Message):
    __slots__ = ("name", "is_view", "about", "column")
    NAME_FIELD_NUMBER: _ClassVar[int]
    IS_VIEW_FIELD_NUMBER: _ClassVar[int]
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    name: str
    is_view: bool
    about: str
    column: _containers.RepeatedCompositeFieldContainer[VocabularyColumn]
    def __init__(self, name: _Optional[str] = ..., is_view: _Optional[bool] = ..., about: _Optional[str] = ..., column: _Optional[_Iterable[_Union[VocabularyColumn, _Mapping[str, object]]]] = ...) -> None: ...

class VocabularyColumn(_message.Message):
    __slots__ = ("name", "type", "about")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: str
    about: str
    def __init__(self, name: _Optional[str] = ..., type: _Optional[str] = ..., about: _Optional[str] = ...) -> None: ...

class VocabularyFunction(_message.Message):
    __slots__ = ("name", "kind", "about", "argument", "returns", "column")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    ARGUMENT_FIELD_NUMBER: _ClassVar[int]
    RETURNS_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    about: str
    argument: _containers.RepeatedCompositeFieldContainer[VocabularyColumn]
    returns: str
    column: _containers.RepeatedCompositeFieldContainer[VocabularyColumn]
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., about: _Optional[str] = ..., argument: _Optional[_Iterable[_Union[VocabularyColumn, _Mapping[str, object]]]] = ..., returns: _Optional[str] = ..., column: _Optional[_Iterable[_Union[VocabularyColumn, _Mapping[str, object]]]] = ...) -> None: ...

class ReadTraceRequest(_message.Message):
    __slots__ = ("address", "generation", "offset", "length")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    address: bytes
    generation: str
    offset: int
    length: int
    def __init__(self, address: _Optional[bytes] = ..., generation: _Optional[str] = ..., offset: _Optional[int] = ..., length: _Optional[int] = ...) -> None: ...

class ReadTraceResponse(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...

class RunRequest(_message.Message):
    __slots__ = ("start", "assign", "withdraw", "cancel")
    START_FIELD_NUMBER: _ClassVar[int]
    ASSIGN_FIELD_NUMBER: _ClassVar[int]
    WITHDRAW_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    start: RunStart
    assign: Assign
    withdraw: Withdraw
    cancel: CancelTasks
    def __init__(self, start: _Optional[_Union[RunStart, _Mapping[str, object]]] = ..., assign: _Optional[_Union[Assign, _Mapping[str, object]]] = ..., withdraw: _Optional[_Union[Withdraw, _Mapping[str, object]]] = ..., cancel: _Optional[_Union[CancelTasks, _Mapping[str, object]]] = ...) -> None: ...

class RunStart(_message.Message):
    __slots__ = ("query_id", "sql", "limits", "mode", "credits", "user", "engine")
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    SQL_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    query_id: str
    sql: bytes
    limits: Limits
    mode: RunMode
    credits: int
    user: str
    engine: str
    def __init__(self, query_id: _Optional[str] = ..., sql: _Optional[bytes] = ..., limits: _Optional[_Union[Limits, _Mapping[str, object]]] = ..., mode: _Optional[_Union[RunMode, str]] = ..., credits: _Optional[int] = ..., user: _Optional[str] = ..., engine: _Optional[str] = ...) -> None: ...

class Assign(_message.Message):
    __slots__ = ("task",)
    TASK_FIELD_NUMBER: _ClassVar[int]
    task: _containers.RepeatedCompositeFieldContainer[Task]
    def __init__(self, task: _Optional[_Iterable[_Union[Task, _Mapping[str, object]]]] = ...) -> None: ...

class Task(_message.Message):
    __slots__ = ("id", "trace", "generation", "alone")
    ID_FIELD_NUMBER: _ClassVar[int]
    TRACE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    ALONE_FIELD_NUMBER: _ClassVar[int]
    id: int
    trace: bytes
    generation: str
    alone: bool
    def __init__(self, id: _Optional[int] = ..., trace: _Optional[bytes] = ..., generation: _Optional[str] = ..., alone: _Optional[bool] = ...) -> None: ...

class Withdraw(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, id: _Optional[_Iterable[int]] = ...) -> None: ...

class CancelTasks(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, id: _Optional[_Iterable[int]] = ...) -> None: ...

class RunResponse(_message.Message):
    __slots__ = ("event",)
    EVENT_FIELD_NUMBER: _ClassVar[int]
    event: _containers.RepeatedCompositeFieldContainer[RunEvent]
    def __init__(self, event: _Optional[_Iterable[_Union[RunEvent, _Mapping[str, object]]]] = ...) -> None: ...

class RunEvent(_message.Message):
    __slots__ = ("credits", "rows", "types", "failure", "returned", "draining", "states")
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    TYPES_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    RETURNED_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    credits: int
    rows: TaskRows
    types: TaskTypes
    failure: TaskFailure
    returned: Returned
    draining: bool
    states: States
    def __init__(self, credits: _Optional[int] = ..., rows: _Optional[_Union[TaskRows, _Mapping[str, object]]] = ..., types: _Optional[_Union[TaskTypes, _Mapping[str, object]]] = ..., failure: _Optional[_Union[TaskFailure, _Mapping[str, object]]] = ..., returned: _Optional[_Union[Returned, _Mapping[str, object]]] = ..., draining: _Optional[bool] = ..., states: _Optional[_Union[States, _Mapping[str, object]]] = ...) -> None: ...

class States(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: _containers.RepeatedCompositeFieldContainer[TaskState]
    def __init__(self, state: _Optional[_Iterable[_Union[TaskState, _Mapping[str, object]]]] = ...) -> None: ...

class TaskState(_message.Message):
    __slots__ = ("id", "phase", "phase_ms", "thread_ms")
    ID_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    PHASE_MS_FIELD_NUMBER: _ClassVar[int]
    THREAD_MS_FIELD_NUMBER: _ClassVar[int]
    id: int
    phase: TaskPhase
    phase_ms: int
    thread_ms: int
    def __init__(self, id: _Optional[int] = ..., phase: _Optional[_Union[TaskPhase, str]] = ..., phase_ms: _Optional[int] = ..., thread_ms: _Optional[int] = ...) -> None: ...

class TaskRows(_message.Message):
    __slots__ = ("id", "result", "last", "stats")
    ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    STATS_FIELD_NUMBER: _ClassVar[int]
    id: int
    result: bytes
    last: bool
    stats: TaskStats
    def __init__(self, id: _Optional[int] = ..., result: _Optional[bytes] = ..., last: _Optional[bool] = ..., stats: _Optional[_Union[TaskStats, _Mapping[str, object]]] = ...) -> None: ...

class TaskTypes(_message.Message):
    __slots__ = ("id", "column", "stats")
    ID_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    STATS_FIELD_NUMBER: _ClassVar[int]
    id: int
    column: _containers.RepeatedCompositeFieldContainer[Column]
    stats: TaskStats
    def __init__(self, id: _Optional[int] = ..., column: _Optional[_Iterable[_Union[Column, _Mapping[str, object]]]] = ..., stats: _Optional[_Union[TaskStats, _Mapping[str, object]]] = ...) -> None: ...

class TaskFailure(_message.Message):
    __slots__ = ("id", "code", "message", "thread_ms", "needed_bytes")
    ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    THREAD_MS_FIELD_NUMBER: _ClassVar[int]
    NEEDED_BYTES_FIELD_NUMBER: _ClassVar[int]
    id: int
    code: str
    message: str
    thread_ms: int
    needed_bytes: int
    def __init__(self, id: _Optional[int] = ..., code: _Optional[str] = ..., message: _Optional[str] = ..., thread_ms: _Optional[int] = ..., needed_bytes: _Optional[int] = ...) -> None: ...

class Returned(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, id: _Optional[_Iterable[int]] = ...) -> None: ...

class TaskStats(_message.Message):
    __slots__ = ("rows", "trace_bytes", "load_ms", "query_ms", "tier")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    TRACE_BYTES_FIELD_NUMBER: _ClassVar[int]
    LOAD_MS_FIELD_NUMBER: _ClassVar[int]
    QUERY_MS_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    rows: int
    trace_bytes: int
    load_ms: float
    query_ms: float
    tier: str
    def __init__(self, rows: _Optional[int] = ..., trace_bytes: _Optional[int] = ..., load_ms: _Optional[float] = ..., query_ms: _Optional[float] = ..., tier: _Optional[str] = ...) -> None: ...

class WorkerStatus(_message.Message):
    __slots__ = ("version", "engine", "threads", "tasks_running", "tasks_queued", "uptime_ms", "draining", "counters", "gauges", "sql_package", "cache_id", "first_credits", "running", "barred", "barred_total", "local_root", "instance_memory_bytes", "engine_name", "memory64", "engine_runtime")
    class CountersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class GaugesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    THREADS_FIELD_NUMBER: _ClassVar[int]
    TASKS_RUNNING_FIELD_NUMBER: _ClassVar[int]
    TASKS_QUEUED_FIELD_NUMBER: _ClassVar[int]
    UPTIME_MS_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    GAUGES_FIELD_NUMBER: _ClassVar[int]
    SQL_PACKAGE_FIELD_NUMBER: _ClassVar[int]
    CACHE_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_CREDITS_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    BARRED_FIELD_NUMBER: _ClassVar[int]
    BARRED_TOTAL_FIELD_NUMBER: _ClassVar[int]
    LOCAL_ROOT_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    ENGINE_NAME_FIELD_NUMBER: _ClassVar[int]
    MEMORY64_FIELD_NUMBER: _ClassVar[int]
    ENGINE_RUNTIME_FIELD_NUMBER: _ClassVar[int]
    version: str
    engine: str
    threads: int
    tasks_running: int
    tasks_queued: int
    uptime_ms: int
    draining: bool
    counters: _containers.ScalarMap[str, int]
    gauges: _containers.ScalarMap[str, int]
    sql_package: _containers.RepeatedScalarFieldContainer[str]
    cache_id: str
    first_credits: int
    running: _containers.RepeatedCompositeFieldContainer[RunningTrace]
    barred: _containers.RepeatedCompositeFieldContainer[BarredTrace]
    barred_total: int
    local_root: _containers.RepeatedScalarFieldContainer[bytes]
    instance_memory_bytes: int
    engine_name: str
    memory64: bool
    engine_runtime: str
    def __init__(self, version: _Optional[str] = ..., engine: _Optional[str] = ..., threads: _Optional[int] = ..., tasks_running: _Optional[int] = ..., tasks_queued: _Optional[int] = ..., uptime_ms: _Optional[int] = ..., draining: _Optional[bool] = ..., counters: _Optional[_Mapping[str, int]] = ..., gauges: _Optional[_Mapping[str, int]] = ..., sql_package: _Optional[_Iterable[str]] = ..., cache_id: _Optional[str] = ..., first_credits: _Optional[int] = ..., running: _Optional[_Iterable[_Union[RunningTrace, _Mapping[str, object]]]] = ..., barred: _Optional[_Iterable[_Union[BarredTrace, _Mapping[str, object]]]] = ..., barred_total: _Optional[int] = ..., local_root: _Optional[_Iterable[bytes]] = ..., instance_memory_bytes: _Optional[int] = ..., engine_name: _Optional[str] = ..., memory64: _Optional[bool] = ..., engine_runtime: _Optional[str] = ...) -> None: ...
