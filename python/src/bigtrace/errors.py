"""Exceptions: one class for each family of gRPC status codes, all derived from `BigtraceError`."""

from __future__ import annotations

import grpc

#: The orchestrator's error codes for which the same query may succeed a moment later.
RETRYABLE_CODES = frozenset(
    {
        "orchestrator_unreachable",
        "draining",
        "no_workers",
        "worker_lost",
        "out_of_memory",
        "catalog_failed",
        "too_many_queries",
    }
)


class PerfettoException(Exception):
    """The base class of errors in Perfetto's Python API; all errors of this package derive from it."""


class BigtraceError(PerfettoException):
    """A query, or another call, that failed.

    Attributes:
        code: the orchestrator's error code, such as `sql_failed`; a gRPC status in lower case, such as
            `unavailable`, where the orchestrator itself did not end the call.
        trace: the address of the trace it happened on, or None.
        detail: what happened, without the trace and without the remedy.
        remedy: what to do about it, or None.
        query_id: the name of the query, by which the orchestrator's logs know it, or None.
    """

    def __init__(
        self,
        detail: str,
        *,
        code: str = "internal",
        trace: str | None = None,
        remedy: str | None = None,
        query_id: str | None = None,
    ) -> None:
        prefix = "" if trace is None else f"[{trace}]: "
        suffix = "" if remedy is None else f"; {remedy}"
        super().__init__(f"{prefix}{detail}{suffix}")
        self.code = code
        self.trace = trace
        self.detail = detail
        self.remedy = remedy
        self.query_id = query_id

    @property
    def retryable(self) -> bool:
        """Whether another attempt of the same query may succeed."""
        return self.code in RETRYABLE_CODES or self.code == "unavailable"


class InvalidArgumentError(BigtraceError):
    """The orchestrator or this package rejected an address, option, filter or type (INVALID_ARGUMENT)."""


class AuthenticationError(BigtraceError):
    """The credentials are missing or wrong (UNAUTHENTICATED)."""


class AccessDeniedError(BigtraceError):
    """Access to a trace was denied (PERMISSION_DENIED)."""


class LimitExceededError(BigtraceError):
    """A bound on rows, bytes, memory or queries was exceeded (RESOURCE_EXHAUSTED)."""


class QueryTimeoutError(BigtraceError):
    """The query exceeded its time limit (DEADLINE_EXCEEDED)."""


class QueryCancelledError(BigtraceError):
    """The query was cancelled (CANCELLED)."""


class UnavailableError(BigtraceError):
    """No orchestrator or no worker can be reached (UNAVAILABLE). Another attempt may succeed."""


class QueryFailedError(BigtraceError):
    """A trace cannot be read or loaded, TraceProcessor rejected the SQL, or there is a bug (INTERNAL and others)."""


class DataError(BigtraceError):
    """The requested table type cannot hold the rows exactly: mixed types, or text that is not UTF-8."""


class FailedTracesWarning(UserWarning):
    """Traces of a lenient query failed; the result lacks their rows."""


_CLASSES: dict[grpc.StatusCode, type[BigtraceError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgumentError,
    grpc.StatusCode.UNAUTHENTICATED: AuthenticationError,
    grpc.StatusCode.PERMISSION_DENIED: AccessDeniedError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: LimitExceededError,
    grpc.StatusCode.DEADLINE_EXCEEDED: QueryTimeoutError,
    grpc.StatusCode.CANCELLED: QueryCancelledError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
}

_REMEDIES = {
    "unauthenticated": "pass token= or token_file=, or set BIGTRACE_TOKEN_FILE",
    "deadline_exceeded": "pass a larger timeout= (seconds)",
    "too_many_queries": "run the query again later, or pass a larger retries=",
    "limit_exceeded": "request fewer rows or traces, or pass higher limits=",
    "no_match": "list_traces(pattern) shows what a pattern matches",
    "no_workers": "start a worker, or check status()",
}


def from_rpc_error(error: grpc.RpcError, address: str, query_id: str | None = None) -> BigtraceError:
    """Returns the exception for a failed gRPC call to the orchestrator at `address`."""
    status = error.code()
    trailers: dict[str, str | bytes] = dict(error.trailing_metadata() or ())
    code = _text(trailers.get("bigtrace-code"))
    kind = _CLASSES.get(status, QueryFailedError)
    if code is not None:
        detail = _text(trailers.get("bigtrace-detail-bin")) or error.details() or ""
        trace = _text(trailers.get("bigtrace-trace-bin"))
        return kind(detail, code=code, trace=trace, remedy=_REMEDIES.get(code), query_id=query_id)
    detail = error.details() or status.name
    if status in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN):
        return UnavailableError(
            f"cannot reach the orchestrator at {address} ({detail})",
            code="unavailable",
            remedy="pass its address as Bigtrace('host:port'), and tls= if it uses TLS",
            query_id=query_id,
        )
    code = status.name.lower()
    return kind(detail, code=code, remedy=_REMEDIES.get(code), query_id=query_id)


def _text(value: str | bytes | None) -> str | None:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
