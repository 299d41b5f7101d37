"""The methods of the orchestrator's services, for synchronous and asynchronous channels."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import grpc

from bigtrace._proto import bigtrace_pb2, perfetto_pb2
from bigtrace.columns import ADDRESS
from bigtrace.errors import FailedTracesWarning, InvalidArgumentError
from bigtrace.request import Request
from bigtrace.result import Result

if TYPE_CHECKING:
    import pandas

#: Time limit of calls that only read state, in seconds.
STATUS_SECONDS_MAX = 10.0
#: The client ends a query this much later than the orchestrator's time limit, in seconds.
_GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class Methods:
    """The methods of one channel. Each is a multi-callable of `grpc` or of `grpc.aio`."""

    query: Any
    upstream: Any
    schema: Any
    list: Any
    status: Any
    failures: Any
    cancel: Any


def methods_of(channel: Any) -> Methods:
    def method(kind: str, name: str, request: Any, response: Any, service: str = "bigtrace.v1.Orchestrator") -> Any:
        return getattr(channel, kind)(
            f"/{service}/{name}",
            request_serializer=request.SerializeToString,
            response_deserializer=response.FromString,
        )

    b, p = bigtrace_pb2, perfetto_pb2
    theirs = "perfetto.protos.BigtraceOrchestrator"
    return Methods(
        query=method("stream_stream", "Query", b.QueryRequest, b.QueryResponse),
        upstream=method("unary_stream", "Query", p.BigtraceQueryArgs, p.BigtraceQueryResponse, theirs),
        schema=method("unary_unary", "Schema", b.SchemaRequest, b.SchemaResponse),
        list=method("unary_stream", "List", b.ListRequest, b.ListResponse),
        status=method("unary_unary", "Status", b.StatusRequest, b.OrchestratorStatus),
        failures=method("unary_stream", "Failures", b.FailuresRequest, b.FailuresResponse),
        cancel=method("unary_unary", "Cancel", b.CancelRequest, b.CancelResponse),
    )


def deadline_of(request: Request) -> float | None:
    """Returns the time limit of a call, in seconds, for an orchestrator that does not end the query itself."""
    return None if request.timeout is None else request.timeout + _GRACE_SECONDS


def is_unimplemented(error: grpc.RpcError) -> bool:
    return bool(error.code() == grpc.StatusCode.UNIMPLEMENTED)


def needs_ours(request: Request, address: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"the orchestrator at {address} serves only Perfetto's own API, which has no query options",
        code="unimplemented",
        remedy="omit lenient, limits, timeout and user",
        query_id=request.query_id,
    )


def warn_of_failures(result: Result) -> None:
    """Issues one warning if traces of a lenient query failed."""
    if not result.failures:
        return
    first = result.failures[0]
    warnings.warn(
        f"{len(result.failures)} traces failed, first [{first.trace}]: {first.message}; "
        "run(…).failures_frame() lists all",
        FailedTracesWarning,
        stacklevel=4,
    )


@dataclass(frozen=True)
class ListedTrace:
    """A trace in a store.

    Attributes:
        address: its trace address.
        size: its size in bytes.
        generation: a text that changes whenever the trace's bytes do.
        modified: when it was written, in UTC; None where the store does not know.
    """

    address: str
    size: int
    generation: str
    modified: datetime | None


def listed(response: bigtrace_pb2.ListResponse) -> list[ListedTrace]:
    return [
        ListedTrace(
            trace.address.decode("utf-8", "surrogateescape"),
            trace.size,
            trace.generation,
            datetime.fromtimestamp(trace.modified_ms / 1000, timezone.utc) if trace.modified_ms else None,
        )
        for trace in response.trace
    ]


@dataclass(frozen=True)
class Status:
    """The state of an orchestrator.

    Attributes:
        version: of the orchestrator.
        workers: state of each worker by its address: connecting, ready, draining or lost.
        queries: names of the queries that run.
    """

    version: str
    workers: dict[str, str]
    queries: list[str]


def status_of(message: bigtrace_pb2.OrchestratorStatus) -> Status:
    workers = {worker.address: worker.state for worker in message.worker}
    return Status(message.version, workers, [query.query_id for query in message.query])


def recorded_failures_frame(responses: Iterable[bigtrace_pb2.FailuresResponse]) -> pandas.DataFrame:
    """Returns one row for each recorded failure."""
    import pandas

    rows = [
        {
            "query_id": one.query_id,
            "user": one.user,
            ADDRESS: one.trace.decode("utf-8", "backslashreplace"),
            "code": one.code,
            "message": one.message,
            "attempts": one.attempts,
            "time": pandas.Timestamp(one.time_ms, unit="ms", tz="UTC"),
        }
        for response in responses
        for one in response.failure
    ]
    names = ["query_id", "user", ADDRESS, "code", "message", "attempts", "time"]
    return pandas.DataFrame(rows, columns=names)
