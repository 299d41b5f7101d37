"""The client against a real orchestrator with workers: exact answers, errors, bounds, cancellation."""

import asyncio
import csv
import re
import signal
import subprocess
import sys
import time
import warnings

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import services

import bigtrace
import rooms
from bigtrace import AsyncBigtrace, BatchTraceProcessor, Bigtrace, BigtraceError

CHROME, LINUX = "/local/recorded/chrome/fetch-a.pftrace", "/local/recorded/linux/atrace-print.pftrace"
FOREVER = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) AS n FROM r"

ANSWERS: dict[str, list[str]] = {}
for path in sorted(rooms.EXPECTED.glob("*.tsv")):
    query, trace = path.stem.split("__")
    ANSWERS.setdefault(query, []).append(trace)


def traces_by_name() -> dict[str, str]:
    """Returns addresses by the part of a file name that names the trace."""
    paths = [str(path.relative_to(rooms.CORPUS)) for path in rooms.CORPUS.rglob("*") if path.is_file()]
    return {path.removeprefix("recorded/").replace("/", "_"): f"/local/{path}" for path in paths}


ESCAPES = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\\\": "\\"}


def equals(text: str, value: object) -> bool:
    """Returns whether a cell of a file of expected rows is this value."""
    if value is None or isinstance(value, bytes):
        return text == ("\\N" if value is None else f"\\x{value.hex()}")
    if isinstance(value, float):
        return float(text) == value
    return re.sub(r"\\.", lambda found: ESCAPES[found[0]], text) == str(value)


@pytest.mark.parametrize("query", ANSWERS)
def test_results_over_the_corpus_are_exact(client: Bigtrace, query: str):
    sql = (rooms.EXPECTED / f"{query}.sql").read_text()
    named = traces_by_name()
    addresses = {named[trace]: trace for trace in ANSWERS[query]}
    table = client.query_arrow(list(addresses), sql)
    names = table.column_names[1:]
    for address, trace in addresses.items():
        with (rooms.EXPECTED / f"{query}__{trace}.tsv").open(newline="") as file:
            head, *lines = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        rows = table.filter(pc.equal(table["_trace_address"], address)).to_pylist()
        assert head == names
        assert len(lines) == len(rows)
        for line, row in zip(lines, rows):
            assert all(equals(text, row[name]) for text, name in zip(line, names)), (line, row)


EXTREMES = """
SELECT column1 AS i, column2 AS f, column3 AS t, column4 AS b, NULL AS n, column5 AS w FROM (VALUES
  (9223372036854775807, 1e999, 'text', x'00ff', 1),
  (-9223372036854775808, -1e999, '', x'', 2),
  (NULL, NULL, NULL, NULL, 3),
  (9007199254740993, -0.0, 'ä', x'61', 4))
"""


def test_types_are_exact_in_each_form(client: Bigtrace):
    values = {
        "i": [2**63 - 1, -(2**63), None, 2**53 + 1],
        "f": [float("inf"), float("-inf"), None, -0.0],
        "t": ["text", "", None, "ä"],
        "b": [b"\0\xff", b"", None, b"a"],
        "n": [None] * 4,
        "w": [1, 2, 3, 4],
    }
    table = client.query_arrow(CHROME, EXTREMES)
    assert {name: table[name].to_pylist() for name in values} == values
    assert [str(type_) for type_ in table.schema.types[1:]] == ["int64", "double", "string", "binary", "int64", "int64"]
    polars = client.query_polars(CHROME, EXTREMES)
    assert {name: polars[name].to_list() for name in values} == values
    frame = client.query([CHROME], EXTREMES)
    kinds = [str(kind) for kind in frame.dtypes]
    assert kinds[1:3] + kinds[4:] == ["Int64", "Float64", "object", "Int64", "int64"]
    for name, wanted in values.items():
        assert [None if pd.isna(value) else value for value in frame[name]] == wanted
    with client.stream(CHROME, EXTREMES) as stream:
        streamed = pa.Table.from_batches(list(stream), stream.schema)
    assert {name: streamed[name].to_pylist() for name in values} == values


def test_a_column_without_a_value_streams_as_the_type_that_the_script_implies(client: Bigtrace):
    with client.stream(
        [LINUX], "SELECT name, dur, extract_arg(arg_set_id, 'no') AS a FROM slice WHERE dur = -7"
    ) as stream:
        assert [str(type_) for type_ in stream.schema.types] == ["string", "string", "int64", "int64"]
        assert list(stream) == []


def test_errors_name_the_trace_and_keep_the_engines_text(client: Bigtrace):
    with pytest.raises(bigtrace.QueryFailedError, match=r"(?s)^\[/local/recorded/.*no such column: nope") as failed:
        client.query(["/local/recorded/linux/*"], "SELECT nope FROM slice")
    assert failed.value.code == "sql_failed"
    with pytest.raises(bigtrace.QueryFailedError, match=r"^\[/local/missing\]") as missing:
        client.query("/local/missing", "SELECT 1")
    assert missing.value.code == "trace_not_found"
    with pytest.raises(bigtrace.InvalidArgumentError, match="nowhere"):
        client.query("/nowhere/a", "SELECT 1")
    with pytest.raises(bigtrace.InvalidArgumentError, match="list_traces"):
        client.query("/local/no-such-*", "SELECT 1")
    with pytest.raises(bigtrace.LimitExceededError, match=r"^\[/local/recorded/.*1"):
        client.query(CHROME, "SELECT 1 UNION ALL SELECT 2", limits=bigtrace.Limits(result_rows=1))
    with pytest.raises(bigtrace.QueryTimeoutError):
        client.query(CHROME, FOREVER, timeout=0.5)


def test_a_lenient_query_lists_its_failures(client: Bigtrace):
    result = client.run(["/local/missing", CHROME], "SELECT 1 AS x", lenient=True)
    assert result.to_pandas()["x"].tolist() == [1]
    (failure,) = result.failures
    assert (failure.trace, failure.code) == ("/local/missing", "trace_not_found")
    recorded = client.failures(result.query_id)
    assert recorded["_trace_address"].tolist() == ["/local/missing"]
    with pytest.raises(bigtrace.QueryFailedError) as failed:
        client.query("/local/missing", "SELECT 1", lenient=True)
    assert failed.value.code == "all_failed"


def test_traces_are_listed(client: Bigtrace):
    listed = client.list_traces("/local/recorded/chrome/*")
    sizes = {trace.address: trace.size for trace in listed}
    assert sizes[CHROME] == (rooms.CORPUS / CHROME.removeprefix("/local/")).stat().st_size
    assert list(sizes) == sorted(sizes)


def test_the_catalog_selects_traces(samples: services.Service):
    atrace = "address LIKE '%/atrace-print%'"
    with Bigtrace(samples.address) as client:
        for where in (atrace, ["size > 0", atrace]):
            frame = client.query(None, "SELECT 1 AS x", where=where)
            assert frame["_trace_address"].tolist() == ["/local/linux/atrace-print.pftrace"]
        both = client.query("/local/linux/idle.pftrace", "SELECT 1 AS x", where=atrace)
        assert len(both) == 2
        with BatchTraceProcessor(None, client=client, where=atrace) as btp:
            assert btp.traces == ["/local/linux/atrace-print.pftrace"]
            assert btp.query_single_result("SELECT count(*) FROM slice") == [2795]
        with pytest.raises(bigtrace.InvalidArgumentError) as refused:
            client.query(None, "SELECT 1", where="no_such_column = 1")
        assert refused.value.code == "invalid_filter"


SPEC = """metric_spec { id: "busy" dimensions: "name" value: "n"
  query { sql { sql: "SELECT 'a' AS name, 2 AS n" } } }"""


def test_a_summary_is_a_table(client: Bigtrace):
    frame = client.summary([CHROME, LINUX], SPEC)
    assert frame["_trace_address"].tolist() == sorted([CHROME, LINUX])
    assert frame["metric_id"].tolist() == ["busy", "busy"]
    assert frame["value"].tolist() == [2.0, 2.0]


def test_a_trace_keeps_the_name_that_the_caller_gave(client: Bigtrace):
    name = "/local//" + str(rooms.CORPUS / CHROME.removeprefix("/local/")).lstrip("/")
    assert client.query([name], "SELECT 1 AS x")["_trace_address"].tolist() == [name]


def until(holds) -> None:  # type: ignore[no-untyped-def]
    while not holds():
        time.sleep(0.02)


def test_a_query_is_cancelled_by_its_name(client: Bigtrace):
    async def main() -> None:
        async with AsyncBigtrace(client._connection.address) as twin:
            task = asyncio.create_task(twin.query(CHROME, FOREVER, query_id="mine"))
            while "mine" not in (await twin.status()).queries:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            assert await twin.cancel("mine") == 1
            with pytest.raises(bigtrace.QueryCancelledError):
                await task

    asyncio.run(main())
    assert client.cancel("mine") == 0


def test_keyboard_interrupt_ends_the_query_at_the_orchestrator(client: Bigtrace):
    code = (
        "import sys\nfrom bigtrace import Bigtrace\n"
        "try: Bigtrace(sys.argv[1]).query(sys.argv[2], sys.argv[3], query_id='interrupted')\n"
        "except KeyboardInterrupt: print('interrupted', flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, client._connection.address, CHROME, FOREVER], stdout=subprocess.PIPE, text=True
    )
    until(lambda: "interrupted" in client.status().queries)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate()
    assert out == "interrupted\n"
    until(lambda: "interrupted" not in client.status().queries)


def test_the_asyncio_client_returns_the_same(client: Bigtrace):
    sql = "SELECT name, count(*) AS n, sum(dur) AS dur FROM slice GROUP BY name ORDER BY name"
    patterns = ["/local/recorded/chrome/*.pftrace"]

    async def main() -> None:
        async with AsyncBigtrace(client._connection.address) as twin:
            frame, table = await asyncio.gather(twin.query(patterns, sql), twin.query_arrow(patterns, sql))
            pd.testing.assert_frame_equal(frame, client.query(patterns, sql))
            assert table == client.query_arrow(patterns, sql)
            async with await twin.stream(patterns, sql) as stream:
                assert sum([batch.num_rows async for batch in stream]) == len(frame)
            assert (await twin.run([CHROME, "/local/missing"], "SELECT 1", lenient=True)).failures
            assert len(await twin.list_traces(CHROME)) == 1
            with pytest.raises(bigtrace.QueryFailedError):
                await twin.query(CHROME, "SELECT nope")

    asyncio.run(main())


MILLION = """WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 1000000)
SELECT n, n * 0.5 AS half, CASE WHEN n % 3 THEN n END AS third, printf('%0200d', n) AS t FROM r"""

STREAMED = """
import resource, sys, time
import pyarrow as pa, pyarrow.compute as pc
from bigtrace import Bigtrace
with Bigtrace(sys.argv[1]) as client:
    for batch in client.stream(sys.argv[2], "SELECT 1 AS n", schema=pa.schema({"n": pa.int64()})): pass
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows = total = thirds = bytes_ = 0
    began = time.monotonic()
    with client.stream(sys.argv[2], sys.argv[3]) as stream:
        for batch in stream:
            rows += batch.num_rows
            total += pc.sum(batch["n"]).as_py()
            thirds += batch["third"].null_count
            bytes_ += batch.nbytes
    seconds = time.monotonic() - began
    print(rows, total, thirds, bytes_, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, seconds)
"""


def test_a_million_rows_stream_in_bounded_memory(client: Bigtrace):
    command = [sys.executable, "-c", STREAMED, client._connection.address, CHROME, MILLION]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    rows, total, thirds, bytes_, kilobytes = map(int, out[:5])
    print(
        f"{rows} rows, {bytes_ / 2**20:.0f} MiB, grew by {kilobytes / 2**10:.0f} MiB, {rows / float(out[5]):.0f} rows/s"
    )
    assert (rows, total, thirds) == (1_000_000, 500_000_500_000, 333_333)
    assert bytes_ > 220 * 2**20
    assert kilobytes < 100 * 2**10


def test_batch_trace_processor(client: Bigtrace):
    traces = [CHROME, LINUX]
    with BatchTraceProcessor(traces, client=client, metadata={LINUX: {"device": "box"}}) as btp:
        assert btp.traces == sorted(traces)
        frames = btp.query("SELECT ts, dur FROM slice ORDER BY id LIMIT 3")
        assert [list(frame.columns) for frame in frames] == [["ts", "dur"]] * 2
        assert [len(frame) for frame in frames] == [3, 3]
        counts = btp.query_single_result("SELECT count(*) FROM slice")
        assert counts == [8528, 2795]
        assert all(type(count) is int for count in counts)
        assert btp.query_single_result("SELECT NULL") == [None, None]
        flat = btp.query_and_flatten("SELECT count(*) AS n FROM slice")
        assert flat.to_dict("list") | {"device": None} == {
            "n": counts,
            "_trace_address": sorted(traces),
            "device": None,
        }
        assert flat["device"].tolist()[1] == "box"
        assert pd.isna(flat["device"][0])
        assert [frame.shape for frame in btp.query_polars("SELECT 1 AS a, 2 AS b")] == [(1, 2), (1, 2)]
        assert btp.query_and_flatten_polars("SELECT 1 AS a").columns == ["a", "_trace_address"]
        assert btp.summary(SPEC)["value"].tolist() == [2.0, 2.0]
        with pytest.raises(BigtraceError, match=r"^\[/local/.*single row"):
            btp.query_single_result("SELECT 1 UNION ALL SELECT 2")
        with pytest.raises(BigtraceError, match="single column"):
            btp.query_single_result("SELECT 1, 2")
        with pytest.raises(bigtrace.QueryFailedError):
            btp.query("SELECT nope")
    with pytest.raises(BigtraceError, match="closed"):
        btp.query("SELECT 1")
    with pytest.raises(bigtrace.InvalidArgumentError):
        BatchTraceProcessor("/local/no-such-*", client=client)


def test_batch_trace_processor_counts_failures(client: Bigtrace):
    handling = bigtrace.FailureHandling.INCREMENT_STAT
    config = bigtrace.BatchTraceProcessorConfig(None, handling, handling)
    processed: list[str] = []

    class Observer(BatchTraceProcessor.Observer):
        def trace_processed(self, metadata, execution_time_seconds):  # type: ignore[no-untyped-def]
            processed.append(metadata["_trace_address"])

    bad = "/local/bad/random-64k.bin"
    with BatchTraceProcessor([CHROME, bad], config, Observer(), client=client) as btp:
        assert [len(frame) for frame in btp.query("SELECT 1 AS x")] == [0, 1]
        assert btp.stats() == bigtrace.batch.Stats(load_failures=1, execute_failures=0)
        btp.query_and_flatten("SELECT 1 AS x")
        assert processed == btp.traces


def test_no_warning_where_nothing_failed(client: Bigtrace):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client.query(CHROME, "SELECT 1 AS x", lenient=True)
