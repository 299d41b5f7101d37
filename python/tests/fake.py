"""An orchestrator that responds as a test specifies, in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

from bigtrace._proto import bigtrace_pb2, perfetto_pb2

Handler = Callable[[Any, grpc.ServicerContext], Any]


class Fake:
    """Its methods are those in `methods`, by name: `Query`, `Schema`, and `Upstream` for Perfetto's own."""

    def __init__(self, **methods: Handler) -> None:
        self.methods = methods
        self.calls: list[str] = []
        #: Set when a call of Query has ended, by whichever side.
        self.ended = threading.Event()
        self.metadata: dict[str, str | bytes] = {}

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        b, p = bigtrace_pb2, perfetto_pb2
        ours = {
            "Query": grpc.stream_stream_rpc_method_handler(
                self._stream("Query"), b.QueryRequest.FromString, b.QueryResponse.SerializeToString
            ),
            "Schema": grpc.unary_unary_rpc_method_handler(
                self._unary("Schema"), b.SchemaRequest.FromString, b.SchemaResponse.SerializeToString
            ),
        }
        theirs = grpc.unary_stream_rpc_method_handler(
            self._stream("Upstream"), p.BigtraceQueryArgs.FromString, p.BigtraceQueryResponse.SerializeToString
        )
        known = {name: handler for name, handler in ours.items() if name in self.methods}
        return [
            grpc.method_handlers_generic_handler("bigtrace.v1.Orchestrator", known),
            grpc.method_handlers_generic_handler("perfetto.protos.BigtraceOrchestrator", {"Query": theirs}),
        ]

    def _stream(self, name: str) -> Handler:
        def respond(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            self._called(name, context)
            yield from self.methods[name](request, context)

        return respond

    def _unary(self, name: str) -> Handler:
        def respond(request: Any, context: grpc.ServicerContext) -> Any:
            self._called(name, context)
            return self.methods[name](request, context)

        return respond

    def _called(self, name: str, context: grpc.ServicerContext) -> None:
        self.calls.append(name)
        self.metadata = dict(context.invocation_metadata())
        context.add_callback(self.ended.set)


@contextmanager
def serving(fake: Fake) -> Iterator[str]:
    """Yields the address of a server, which stops at the end of the block."""
    server = grpc.server(ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers(fake.handlers())
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


def rows(trace: str, result: bytes, last: bool = True) -> bigtrace_pb2.QueryResponse:
    """A message with rows of one trace."""
    event = bigtrace_pb2.QueryEvent(rows=bigtrace_pb2.TraceRows(trace=trace.encode(), result=result, last=last))
    return bigtrace_pb2.QueryResponse(event=[event])


def ends_with(status: grpc.StatusCode, code: str = "", detail: str = "", trace: str = "") -> Handler:
    """Ends the call with an error, as the orchestrator does: its code and detail are in the trailers."""

    def respond(_: object, context: grpc.ServicerContext) -> Iterator[Any]:
        if code:
            context.set_trailing_metadata(
                [
                    ("bigtrace-code", code),
                    ("bigtrace-detail-bin", detail.encode()),
                    *([("bigtrace-trace-bin", trace.encode())] if trace else []),
                ]
            )
        context.abort(status, detail)
        yield  # pragma: no cover

    return respond
