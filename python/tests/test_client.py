"""The client with a fake orchestrator: results, errors and interruptions."""

import asyncio
import itertools
import logging
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pyarrow as pa
import pytest
from encoding import Text, result
from fake import Fake, ends_with, rows, serving

import bigtrace
from bigtrace import AsyncBigtrace, Bigtrace, BigtraceError
from bigtrace._proto import bigtrace_pb2, perfetto_pb2
from bigtrace.cancellation import retry_seconds
from bigtrace.connection import connection

Status = grpc.StatusCode


def respond(*messages: bigtrace_pb2.QueryResponse) -> Any:
    return lambda _request, _context: iter(messages)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (Status.INVALID_ARGUMENT, "invalid_address", bigtrace.InvalidArgumentError),
        (Status.UNAUTHENTICATED, "unauthenticated", bigtrace.AuthenticationError),
        (Status.PERMISSION_DENIED, "forbidden", bigtrace.AccessDeniedError),
        (Status.RESOURCE_EXHAUSTED, "limit_exceeded", bigtrace.LimitExceededError),
        (Status.DEADLINE_EXCEEDED, "deadline_exceeded", bigtrace.QueryTimeoutError),
        (Status.CANCELLED, "cancelled", bigtrace.QueryCancelledError),
        (Status.UNAVAILABLE, "worker_lost", bigtrace.UnavailableError),
        (Status.INTERNAL, "sql_failed", bigtrace.QueryFailedError),
    ],
)
def test_each_family_of_status_codes_has_its_exception(status: grpc.StatusCode, code: str, kind: type):
    query = ends_with(status, code, "what happened: 3 > 2", "/local/a")
    with serving(Fake(Query=query)) as address, Bigtrace(address) as client:
        with pytest.raises(BigtraceError, match=r"^\[/local/a\]: what happened: 3 > 2") as raised:
            client.query("/local/a", "SELECT 1", retries=0, query_id="mine")
        error = raised.value
        assert type(error) is kind
        assert isinstance(error, bigtrace.PerfettoException)
        assert (error.code, error.trace, error.detail) == (code, "/local/a", "what happened: 3 > 2")
        assert error.query_id == "mine"

        async def twin() -> None:
            async with AsyncBigtrace(address) as other:
                await other.query("/local/a", "SELECT 1", retries=0)

        with pytest.raises(kind):
            asyncio.run(twin())


def test_an_orchestrator_that_is_not_there_is_named():
    with (
        Bigtrace("127.0.0.1:1") as client,
        pytest.raises(
            bigtrace.UnavailableError, match=r"cannot reach the orchestrator at 127\.0\.0\.1:1 .*'host:port'"
        ),
    ):
        client.query("/local/a", "SELECT 1", retries=0)


def failing_first(times: int, then: Any) -> Any:
    calls = itertools.count()

    def query(request: object, context: grpc.ServicerContext) -> Iterator[Any]:
        if next(calls) < times:
            yield rows("/local/a", result(["x"], [1]), last=False)
            yield from ends_with(Status.UNAVAILABLE, "worker_lost", "gone")(request, context)
        yield from then

    return query


def test_a_retryable_query_is_sent_again_and_no_row_is_returned_twice():
    fake = Fake(Query=failing_first(2, [rows("/local/a", result(["x"], [1, 2]))]))
    with serving(fake) as address, Bigtrace(address) as client:
        assert client.query("/local/a", "SELECT 1")["x"].tolist() == [1, 2]
        assert fake.calls == ["Query"] * 3


def test_a_stream_is_not_sent_again_after_its_first_row():
    fake = Fake(Query=failing_first(1, [rows("/local/a", result(["x"], [1, 2]))]))
    schema = pa.schema({"x": pa.int64()})
    with serving(fake) as address, Bigtrace(address) as client:
        with client.stream("/local/a", "SELECT 1", schema=schema) as stream:
            assert next(stream)["x"].to_pylist() == [1]
            with pytest.raises(bigtrace.UnavailableError, match="gone"):
                next(stream)
        assert fake.calls == ["Query"]


def test_a_query_that_is_not_retryable_is_sent_once():
    fake = Fake(Query=ends_with(Status.INTERNAL, "sql_failed", "no such column: x"))
    with serving(fake) as address, Bigtrace(address) as client, pytest.raises(bigtrace.QueryFailedError):
        client.query("/local/a", "SELECT x")
    assert fake.calls == ["Query"]


def test_pauses_grow_and_are_bounded():
    error = bigtrace.UnavailableError("gone", code="draining")
    pauses = [retry_seconds(error, attempt, 20) for attempt in range(20)]
    assert all(pause is not None and 0.1 <= pause <= 5 for pause in pauses)
    assert retry_seconds(error, 20, 20) is None
    assert retry_seconds(BigtraceError("no", code="sql_failed"), 0, 20) is None


def test_a_result_without_its_end_is_an_error():
    fake = Fake(Query=respond(rows("/local/a", result(["x"], [1]), last=False)))
    with serving(fake) as address, Bigtrace(address) as client, pytest.raises(bigtrace.DataError, match="its end"):
        client.query("/local/a", "SELECT 1")


def test_rows_of_a_trace_stand_together_and_traces_are_sorted():
    fake = Fake(
        Query=respond(
            rows("/local/b", result(["x"], [1]), last=False),
            rows("/local/a", result(["x"], [None, 2])),
            rows("/local/b", result([], [3])),
        )
    )
    with serving(fake) as address, Bigtrace(address) as client:
        frame = client.query(["/local/b", "/local/a"], "SELECT 1")
    assert frame["_trace_address"].tolist() == ["/local/a", "/local/a", "/local/b", "/local/b"]
    assert str(frame["x"].dtype) == "Int64"
    assert [None if x is bigtrace_na() else x for x in frame["x"]] == [None, 2, 1, 3]


def bigtrace_na() -> object:
    import pandas

    return pandas.NA


def test_traces_with_other_columns_have_null_in_a_frame_and_end_a_stream():
    fake = Fake(
        Query=respond(rows("/local/a", result(["x"], [1])), rows("/local/b", result(["x", "y"], [2, "text"]))),
        Schema=lambda *_: bigtrace_pb2.SchemaResponse(column=[bigtrace_pb2.Column(name=b"x", cell_kinds=4)]),
    )
    with serving(fake) as address, Bigtrace(address) as client:
        table = client.query_arrow("/local/*", "SELECT *")
        assert table.to_pylist() == [
            {"_trace_address": "/local/a", "x": 1, "y": None},
            {"_trace_address": "/local/b", "x": 2, "y": "text"},
        ]
        with pytest.raises(bigtrace.DataError, match=r"^\[/local/b\]: columns x, y differ"):
            list(client.stream("/local/*", "SELECT *"))


def test_numbers_and_text_in_one_column():
    fake = Fake(
        Query=respond(rows("/local/a", result(["v"], [2**63 - 1, None])), rows("/local/b", result(["v"], ["t", 0.5])))
    )
    with serving(fake) as address, Bigtrace(address) as client:
        assert client.query("/local/*", "SELECT v")["v"].tolist() == [2**63 - 1, None, "t", 0.5]
        with pytest.raises(bigtrace.DataError, match=r"^\[/local/b\]: column v: numbers and text .*schema="):
            client.query_arrow("/local/*", "SELECT v")
        table = client.query_arrow("/local/*", "SELECT v", schema={"v": pa.string()})
        assert table["v"].to_pylist() == ["9223372036854775807", None, "t", "0.5"]


def test_text_that_is_not_utf8():
    fake = Fake(Query=respond(rows("/local/a", result(["v"], [Text(b"a\xffb")]))))
    with serving(fake) as address, Bigtrace(address) as client:
        for method in (client.query, client.query_arrow, client.query_polars):
            with pytest.raises(bigtrace.DataError, match=r"^\[/local/a\]: column v: .* not UTF-8; invalid_utf8="):
                method("/local/a", "SELECT v")
        assert client.query("/local/a", "SELECT v", invalid_utf8="replace")["v"].tolist() == ["a\ufffdb"]
        assert client.query("/local/a", "SELECT v", invalid_utf8="bytes")["v"].tolist() == [b"a\xffb"]


def test_the_client_works_with_perfettos_own_orchestrator():
    response = perfetto_pb2.BigtraceQueryResponse(trace=b"/local/a", result=[result(["x"], [1]), result([], [2])])
    fake = Fake(Upstream=respond(response))  # type: ignore[arg-type]
    with serving(fake) as address, Bigtrace(address) as client:
        assert client.query("/local/a", "SELECT 1")["x"].tolist() == [1, 2]
        with client.stream("/local/a", "SELECT 1") as stream:
            assert [batch.num_rows for batch in stream] == [2]
        with pytest.raises(bigtrace.InvalidArgumentError, match="serves only Perfetto's own API"):
            client.query("/local/a", "SELECT 1", lenient=True)


def endless(produced: list[int]) -> Any:
    def query(_: object, context: grpc.ServicerContext) -> Iterator[Any]:
        big = result(["x"], [7] * 100_000)
        yield rows("/local/a", big, last=False)
        more = rows("/local/a", result([], [7] * 100_000), last=False)
        while context.is_active():
            produced.append(1)
            yield more

    return query


def test_a_slow_reader_slows_the_orchestrator_and_closing_cancels():
    produced: list[int] = []
    fake = Fake(Query=endless(produced))
    with serving(fake) as address, Bigtrace(address) as client:
        stream = client.stream("/local/a", "SELECT 1", schema=pa.schema({"x": pa.int64()}))
        next(stream)
        before = -1
        while before != len(produced):  # until flow control stops the orchestrator
            before = len(produced)
            fake.ended.wait(0.5)
        assert before < 400  # of 200 kB each
        stream.close()
        assert fake.ended.wait(30)


def test_an_abandoned_stream_cancels_the_query():
    fake = Fake(Query=endless([]))
    with serving(fake) as address, Bigtrace(address) as client:
        for _ in client.stream("/local/a", "SELECT 1", schema=pa.schema({"x": pa.int64()})):
            break
        assert fake.ended.wait(30)


def test_a_cancelled_task_cancels_the_query():
    fake = Fake(Query=endless([]))

    async def main(address: str) -> None:
        async with AsyncBigtrace(address) as client:
            task = asyncio.create_task(client.query("/local/a", "SELECT 1"))
            while not fake.calls:  # noqa: ASYNC110 - the other side is a thread
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(fake.ended.wait, 30)

    with serving(fake) as address:
        asyncio.run(main(address))


INTERRUPTED = """
import sys
from bigtrace import Bigtrace
client = Bigtrace(sys.argv[1])
try:
    client.run("/local/a", "SELECT 1", progress=lambda _: print("began", flush=True))
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.stdin.read()  # the exception was handled, and the process goes on, as a notebook's kernel does
"""


def test_keyboard_interrupt_cancels_the_query():
    def query(_: object, context: grpc.ServicerContext) -> Iterator[Any]:
        yield progress(0)
        fake.ended.wait(60)

    fake = Fake(Query=query)
    with serving(fake) as address:
        command = [sys.executable, "-c", INTERRUPTED, address]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        # Before, gRPC may still be making the call, and an interrupt there leaves no call that the client could cancel.
        assert process.stdout.readline() == "began\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        assert fake.ended.wait(30)
        process.communicate("")
        assert process.returncode == 0


def progress(done: int) -> bigtrace_pb2.QueryResponse:
    message = bigtrace_pb2.Progress(traces_total=2, total_is_final=True, traces_done=done, rows=done)
    return bigtrace_pb2.QueryResponse(event=[bigtrace_pb2.QueryEvent(progress=message)])


def test_progress_reaches_a_function_and_a_bar(capsys: pytest.CaptureFixture[str]):
    rows_of_a = rows("/local/a", result(["x"], [1]))
    fake = Fake(Query=respond(progress(0), rows_of_a, progress(1), progress(2)))
    reports: list[bigtrace.Progress] = []
    with serving(fake) as address, Bigtrace(address) as client:
        outcome = client.run("/local/a", "SELECT 1", progress=reports.append)
        assert [one.traces_done for one in reports] == [0, 1, 2]
        assert outcome.progress == reports[-1]
        assert capsys.readouterr().err == ""
        client.query("/local/a", "SELECT 1", progress=True)
        assert "2/2" in capsys.readouterr().err


def test_failures_of_a_lenient_query_come_as_a_frame_and_a_warning():
    failure = bigtrace_pb2.TraceFailure(trace=b"/local/b", code="trace_invalid", message="no trace", attempts=1)
    failed = bigtrace_pb2.QueryResponse(event=[bigtrace_pb2.QueryEvent(failure=failure)])
    fake = Fake(Query=respond(rows("/local/a", result(["x"], [1])), failed))
    with serving(fake) as address, Bigtrace(address) as client:
        outcome = client.run("/local/*", "SELECT 1", lenient=True)
        assert outcome.failures_frame().to_dict("records") == [
            {"_trace_address": "/local/b", "code": "trace_invalid", "message": "no trace", "attempts": 1}
        ]
        with pytest.warns(bigtrace.FailedTracesWarning, match=r"1 traces failed, first \[/local/b\]: no trace") as seen:
            client.query("/local/*", "SELECT 1", lenient=True)
        assert seen[0].filename == __file__


@pytest.mark.parametrize(
    ("traces", "sql", "options", "what"),
    [
        ([], "SELECT 1", {}, "Trace list cannot be empty"),
        (None, "SELECT 1", {}, "Trace list cannot be empty"),
        (["/local/a"], "", {}, "SQL query cannot be empty"),
        ("/local/a", "SELECT 1", {"timeout": 0}, "timeout=0 must be > 0"),
        ("/local/a", "SELECT 1", {"invalid_utf8": "ignore"}, "must be one of"),
        ("/local/a", "SELECT 1", {"schema": {"x": pa.int32()}}, "unsupported type int32"),
        (None, "SELECT 1", {"where": ""}, "where is empty"),
    ],
)
def test_invalid_requests_are_rejected(traces: Any, sql: str, options: Any, what: str):
    with Bigtrace("127.0.0.1:1") as client, pytest.raises(bigtrace.InvalidArgumentError, match=what):
        client.query(traces, sql, **options)


def test_an_unknown_option_is_a_type_error():
    with Bigtrace("127.0.0.1:1") as client, pytest.raises(TypeError, match="unknown options: leniant"):
        client.query("/local/a", "SELECT 1", leniant=True)  # type: ignore[call-arg]


def test_a_token_is_sent_and_shown_nowhere(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    fake = Fake(Query=ends_with(Status.UNAUTHENTICATED, "unauthenticated", "a wrong token"))
    with serving(fake) as address, Bigtrace(address, token="s3cr3t") as client:
        with pytest.raises(bigtrace.AuthenticationError) as raised:
            client.query("/local/a", "SELECT 1")
        assert fake.metadata["authorization"] == "Bearer s3cr3t"
        shown = [repr(client), str(client), repr(vars(client)["_connection"]), repr(raised.value), caplog.text]
        assert not any("s3cr3t" in text for text in shown)
        with pytest.raises(TypeError):
            pickle.dumps(vars(client)["_connection"])


def test_the_environment_completes_missing_settings(tmp_path: Path):
    token = tmp_path / "token"
    token.write_text("from-file\nanother\n")
    environ = {"BIGTRACE_ORCHESTRATOR": "host:1", "BIGTRACE_TOKEN_FILE": os.fspath(token), "BIGTRACE_TLS_CA": "ca"}
    made = connection(None, None, None, None, environ)
    assert (made.address, made.tls) == ("host:1", bigtrace.TLS(ca="ca"))
    assert made.metadata() == (("authorization", "Bearer from-file"),)
    plain = connection("other:2", False, "given", None, environ)
    assert (plain.address, plain.tls) == ("other:2", None)
    assert plain.metadata() == (("authorization", "Bearer given"),)
    assert connection(None, None, None, None, {"BIGTRACE_ORCHESTRATOR_ADDRESS": "b:1"}).address == "b:1"
    assert connection(None, None, None, None, {}).address == "127.0.0.1:5051"
    with pytest.raises(bigtrace.InvalidArgumentError, match="unset one of them"):
        connection(None, None, None, None, {"BIGTRACE_ORCHESTRATOR": "a:1", "BIGTRACE_ORCHESTRATOR_ADDRESS": "b:1"})
    with pytest.raises(bigtrace.InvalidArgumentError, match="missing cannot be read"):
        connection(None, None, None, tmp_path / "missing", {})
    with pytest.raises(bigtrace.InvalidArgumentError, match="not printable"):
        connection(None, None, "two\nlines", None, {})
    with pytest.raises(bigtrace.InvalidArgumentError, match="cert and key"):
        bigtrace.TLS(cert="only")
