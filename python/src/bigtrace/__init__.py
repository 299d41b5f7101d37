"""A client of Bigtrace, which runs one SQL query over millions of Perfetto traces."""

from bigtrace.aio import AsyncBatchStream, AsyncBigtrace
from bigtrace.batch import (
    BatchTraceProcessor,
    BatchTraceProcessorConfig,
    FailureHandling,
)
from bigtrace.calls import ListedTrace, Status
from bigtrace.client import BatchStream, Bigtrace
from bigtrace.connection import TLS
from bigtrace.errors import (
    AccessDeniedError,
    AuthenticationError,
    BigtraceError,
    DataError,
    FailedTracesWarning,
    InvalidArgumentError,
    LimitExceededError,
    PerfettoException,
    QueryCancelledError,
    QueryFailedError,
    QueryTimeoutError,
    UnavailableError,
)
from bigtrace.magic import load_ipython_extension
from bigtrace.progress import Progress
from bigtrace.request import Limits, QueryOptions
from bigtrace.result import Failure, Result

__version__ = "0.1.0"

__all__ = [
    "TLS",
    "AccessDeniedError",
    "AsyncBatchStream",
    "AsyncBigtrace",
    "AuthenticationError",
    "BatchStream",
    "BatchTraceProcessor",
    "BatchTraceProcessorConfig",
    "Bigtrace",
    "BigtraceError",
    "DataError",
    "FailedTracesWarning",
    "Failure",
    "FailureHandling",
    "InvalidArgumentError",
    "LimitExceededError",
    "Limits",
    "ListedTrace",
    "PerfettoException",
    "Progress",
    "QueryCancelledError",
    "QueryFailedError",
    "QueryOptions",
    "QueryTimeoutError",
    "Result",
    "Status",
    "UnavailableError",
    "load_ipython_extension",
]
